"""`phis rules`: what an analyst, or somebody's test suite, does with rules as files."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from domain.errors import Invalid, Misconfigured, RuleUnusable
from runtime.cli.commands import app

LIBRARY = Path(__file__).parents[2] / "rules" / "library"
CRITICAL = LIBRARY / "orders" / "critical-value.json"
HIGH_POTASSIUM = {"result": {"test": "2823-3", "value": 6.3, "flag": "abnormal", "patient_age_days": 9000}}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def saved(folder: Path, value: Any, name: str = "facts.json") -> Path:
    file = folder / name
    file.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    return file


def test_eval_prints_the_outcome_as_json(tmp_path: Path) -> None:
    told = run("eval", "--rule", CRITICAL, "--facts", saved(tmp_path, HIGH_POTASSIUM))
    answer = json.loads(told.stdout)
    assert (told.exit_code, answer["outcome"], answer["indeterminate"]) == (0, "critical", False)
    assert answer["values"]["resident_minutes"] == 10


def test_eval_prints_what_was_missing(tmp_path: Path) -> None:
    answer = json.loads(run("eval", "--rule", CRITICAL, "--facts", saved(tmp_path, {})).stdout)
    assert (answer["outcome"], answer["reason"]) == ("treat-as-critical", "missing-fact")
    assert "result.test" in answer["missing"]


@pytest.mark.parametrize("file", sorted(LIBRARY.rglob("*.json")), ids=lambda file: file.stem)
def test_eval_prints_what_the_attached_tests_of_the_library_expect(tmp_path: Path, file: Path) -> None:
    tests = json.loads(file.read_text("utf-8"))["tests"]
    for test in (tests[0], tests[len(tests) // 2], tests[-1]):
        answer = json.loads(run("eval", "--rule", file, "--facts", saved(tmp_path, test["facts"])).stdout)
        assert answer["outcome"] == test["outcome"], test["name"]
        assert answer["indeterminate"] is test.get("indeterminate", False)


def test_eval_prints_several_outcomes_and_numbers(tmp_path: Path) -> None:
    facts = json.loads((LIBRARY / "claims" / "claim-scrub.json").read_text())["tests"][0]["facts"]
    answer = json.loads(
        run("eval", "--rule", LIBRARY / "claims/claim-scrub.json", "--facts", saved(tmp_path, facts)).stdout
    )
    assert (answer["outcome"], answer["values"]) == ([], [])
    queue = LIBRARY / "visits" / "queue-order.json"
    facts = json.loads(queue.read_text())["tests"][1]["facts"]
    assert json.loads(run("eval", "--rule", queue, "--facts", saved(tmp_path, facts)).stdout)["outcome"] == 20


def test_eval_answers_lines_in_order_whatever_they_hold(tmp_path: Path) -> None:
    given: list[tuple[bytes, Any]] = [
        (BOM_UTF8 + b'{"rule":{"+":[1,2]},"data":null}', 3),
        (b"not json", "InvalidLine"),
        (b"", "InvalidLine"),
        (b" \t ", "InvalidLine"),
        ('{"rule":{"var":"이름"},"data":{"이름":"가"}}'.encode(), "가"),
        ('{"rule":"\u2028 \x85 🙂"}'.encode(), "\u2028 \x85 🙂"),
        (b'{"rule":\r1}\r', 1),
        (b'{"rule":"\xff"}', "InvalidLine"),
        (b'{"rule":"\\ud800"}', "\ud800"),
        (b'{"rule":1e400}', "InvalidLine"),
        (b'{"rule":' + b"9" * 5_000 + b"}", "InvalidLine"),
        (b'{"rule":' + b'{"!":' * 200 + b"true" + b"}" * 200 + b"}", True),
        (b'{"rule":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "TooDeep"),
        (b'{"rule":{"log":["x"]}}', "x"),
        (b'{"rule":"' + b"x" * 3_000_000 + b'"}', "x" * 3_000_000),
        (b"1", "InvalidLine"),
        (b'{"rule":7}', 7),
    ]
    file = tmp_path / "lines"
    file.write_bytes(b"\n".join(line for line, _ in given))
    told = run("eval", "--lines", file)
    answers = [json.loads(line) for line in told.stdout.rstrip("\n").split("\n")]
    said = [answer["result"] if "result" in answer else answer["error"]["type"] for answer in answers]
    assert (told.exit_code, said) == (0, [wanted for _, wanted in given])


@pytest.mark.parametrize(
    ("rule", "facts", "answer"),
    [
        ({"<": [{"var": "spo2"}, 92]}, {"spo2": 91}, {"result": True}),
        ({"var": ""}, [1, 2], {"result": [1, 2]}),
        ("\ufeff" + '{"+": ["3", 4]}', {}, {"result": 7}),
        ([{"var": "a"}, 1], {"a": None}, {"result": [None, 1]}),
    ],
)
def test_eval_takes_bare_jsonlogic_as_a_line_does(tmp_path: Path, rule: Any, facts: Any, answer: Any) -> None:
    told = run("eval", "--rule", saved(tmp_path, rule, "rule.json"), "--facts", saved(tmp_path, facts))
    assert (told.exit_code, json.loads(told.stdout)) == (0, answer)


def test_eval_tells_why_bare_jsonlogic_has_no_answer(tmp_path: Path) -> None:
    told = run("eval", "--rule", saved(tmp_path, {"nope": 1}, "rule.json"), "--facts", saved(tmp_path, {}))
    assert json.loads(told.stdout)["error"] == {"type": "Unknown Operator", "message": "there is no operator nope"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"spo2": 1e400}', "the number 1e400 is too large"),
        ('{"spo2": NaN}', "NaN is no JSON number"),
        ('{"spo2": 91', "line 1, column 12"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    refused = run("eval", "--rule", CRITICAL, "--facts", saved(tmp_path, text)).exception
    assert isinstance(refused, Invalid)
    assert told in str(refused)


@pytest.mark.parametrize("arguments", [[], ["--rule", CRITICAL], ["--rule", CRITICAL, "--lines", CRITICAL]])
def test_eval_asks_for_a_rule_and_facts_or_for_lines(arguments: list[object]) -> None:
    assert isinstance(run("eval", *arguments).exception, Misconfigured)


def test_what_is_no_json_and_no_rule_is_told_with_its_place(tmp_path: Path) -> None:
    assert isinstance(run("eval", "--rule", saved(tmp_path, "{"), "--facts", CRITICAL).exception, Invalid)
    assert isinstance(run("eval", "--rule", CRITICAL, "--facts", saved(tmp_path, [])).exception, Invalid)
    assert isinstance(run("eval", "--rule", CRITICAL, "--facts", saved(tmp_path, "[" * 90_000)).exception, Invalid)
    broken = json.loads(CRITICAL.read_text()) | {
        "logic": {"if": [{"vra": "x"}, "critical", "not-critical"]},
        "table": None,
    }
    unusable = run("eval", "--rule", saved(tmp_path, broken, "broken.json"), "--facts", saved(tmp_path, {})).exception
    assert isinstance(unusable, RuleUnusable)
    assert "broken.json#/logic/if/0/vra: There is no operator vra. Did you mean var?" in str(unusable)


def test_the_library_passes_its_tests_and_leaves_no_row_untried() -> None:
    told = run("test", LIBRARY)
    assert told.exit_code == 0
    assert "row-untested" not in told.stdout
    assert len([line for line in told.stdout.splitlines() if " tests, " in line]) == len(list(LIBRARY.rglob("*.json")))


def test_a_failing_test_is_told_and_the_exit_code_says_so(tmp_path: Path) -> None:
    document = json.loads((LIBRARY / "beds" / "bed-assignment-due.json").read_text())
    document["tests"][0]["outcome"] = "within-30-minutes"
    told = run("test", "--mutations", saved(tmp_path, document), saved(tmp_path, {}, "empty.json"))
    assert told.exit_code == 1
    assert "expects within-30-minutes and gets within-15-minutes" in told.stdout
    assert "empty.json#/id" in told.stdout
    assert "no mutation tried because a test fails" in told.stdout


def test_slips_that_no_test_notices_are_named_with_their_place() -> None:
    told = run("test", "--mutations", LIBRARY / "discharge" / "readmission-risk.json").stdout
    assert "50 of 56 mutations noticed" in told
    assert "note /logic/if/2/>=/0/+/2/if/1: No test notices the change 5 → 6." in told
    assert (
        "of 200 mutations noticed, of 248 possible ones"
        in run("test", "--mutations", LIBRARY / "orders" / "early-warning.json").stdout
    )


def test_tests_are_told_in_korean_and_a_file_that_is_no_json_does_not_end_the_run(tmp_path: Path) -> None:
    saved(tmp_path, "{", "a.json")
    saved(tmp_path, json.loads((LIBRARY / "beds" / "clean-target.json").read_text()), "b.json")
    saved(tmp_path, json.loads((LIBRARY / "beds" / "clean-target.json").read_text()) | {"tests": []}, "c.json")
    told = run("test", "--mutations", "--language", "ko", tmp_path)
    assert told.exit_code == 1
    assert "a.json: 오류: 파일이 JSON이 아닙니다: line 1" in told.stdout
    assert "b.json: 시험 5개 중 5개 통과, 가지 4개 중 4개, 행 2개 중 2개, 변이" in told.stdout
    assert "c.json#/tests: 오류: 1개 이상 있어야 합니다." in told.stdout
    checked = run("check", "--language", "ko", tmp_path)
    assert checked.exit_code == 1
    assert "b.json: 이상 없음" in checked.stdout


def test_a_pack_s_own_file_is_no_rule_and_a_folder_without_rules_is_a_mistake(tmp_path: Path) -> None:
    saved(tmp_path, {"format": "phis-rules/1"}, "pack.json")
    for command in ("test", "check", "describe"):
        refused = run(command, tmp_path).exception
        assert isinstance(refused, Invalid)
        assert "holds no rule documents" in str(refused)
    saved(tmp_path, json.loads((LIBRARY / "beds" / "clean-target.json").read_text()), "b.json")
    assert run("test", tmp_path).exit_code == 0


def test_check_speaks_both_languages_and_json(tmp_path: Path) -> None:
    document = json.loads((LIBRARY / "beds" / "bed-assignment-due.json").read_text())
    document["logic"]["if"][0]["in"][0]["var"] = "priorty"
    file = saved(tmp_path, document)
    told = run("check", file)
    assert (told.exit_code, "Did you mean priority?" in told.stdout) == (1, True)
    assert "혹시 priority입니까?" in run("check", "--language", "ko", file).stdout
    (first, *_) = run("check", "--json", file).stdout.splitlines()
    assert json.loads(first)["pointer"] == "/logic/if/0/in/0/var"
    assert "nothing to say" in run("check", CRITICAL).stdout


def test_explain_says_why_and_why_not(tmp_path: Path) -> None:
    facts = saved(tmp_path, HIGH_POTASSIUM)
    told = run("explain", CRITICAL, "--facts", facts).stdout
    assert "Critical value: Critical: told at once" in told
    assert "Value in the test's shipped unit is above 6.2" in told
    assert "칼륨" in run("explain", CRITICAL, "--facts", facts, "--language", "ko").stdout


def test_describe_prints_the_page_s_section() -> None:
    assert run("describe", CRITICAL).stdout.startswith("### `critical-value`")
