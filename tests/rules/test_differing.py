"""Two versions of a rule side by side."""

from __future__ import annotations

from typing import Any

from rules.differing import Kind, changes, decides_differently
from rules.engine import RuleEngine
from rules.tables.compiling import compile_table
from rules.tables.model import Table
from tests.rulebook import REGISTRY, TITLE, rule, yes_if

ENGINE = RuleEngine(REGISTRY)


def tabled(*rows: tuple[int, str], version: str = "1.0.0") -> Any:
    written = {
        "hit": "first",
        "columns": ["pulse"],
        "rows": [{"when": [{"at_least": bound}], "then": key} for bound, key in rows],
        "otherwise": "no",
    }
    logic = compile_table(Table.model_validate(written))
    return rule(logic, table=written, version=version, facts=["pulse"])


def test_the_same_document_does_not_differ() -> None:
    assert changes(rule("no"), rule("no")) == ()


def test_a_threshold_that_moved_is_one_change() -> None:
    (change,) = changes(rule(yes_if({"<": [{"var": "spo2"}, 92]})), rule(yes_if({"<": [{"var": "spo2"}, 90]})))
    assert (change.kind, change.pointer, change.before, change.after) == (Kind.CHANGED, "/logic/if/0/</1", 92, 90)


def test_a_row_put_in_between_is_one_addition_and_the_compiled_logic_is_not_told_again() -> None:
    before, after = tabled((100, "yes"), (50, "no")), tabled((100, "yes"), (80, "yes"), (50, "no"))
    assert [(change.kind, change.pointer) for change in changes(before, after)] == [(Kind.ADDED, "/table/rows/1")]
    assert [(change.kind, change.pointer) for change in changes(after, before)] == [(Kind.REMOVED, "/table/rows/1")]


def test_members_that_came_and_went_are_told() -> None:
    effective = {"since": "2026-01-01T00:00:00Z"}
    (added,) = changes(rule("no"), rule("no", effective=effective))
    (removed,) = changes(rule("no", effective=effective), rule("no"))
    assert (added.kind, added.pointer, removed.kind) == (Kind.ADDED, "/effective", Kind.REMOVED)


def test_true_is_not_one() -> None:
    texts = {key: {"values": {}, "text": TITLE} for key in ("yes", "no")}
    one = {**texts, "yes": {"values": {"minutes": 1}, "text": TITLE}}
    other = {**texts, "yes": {"values": {"minutes": True}, "text": TITLE}}
    assert [change.pointer for change in changes(rule("no", outcomes=one), rule("no", outcomes=other))] == [
        "/outcomes/yes/values/minutes"
    ]


def test_what_is_decided_differently_is_told_with_both_answers() -> None:
    before, after = tabled((100, "yes")), tabled((90, "yes"), version="1.1.0")
    cases = [(f"pulse {pulse}", {"pulse": pulse}) for pulse in (89, 90, 99, 100, 100)]
    different = decides_differently(ENGINE, before, after, cases)
    assert [(one.name, one.before.outcome, one.after.outcome) for one in different] == [
        ("pulse 90", "no", "yes"),
        ("pulse 99", "no", "yes"),
    ]


def test_the_same_outcome_with_other_values_is_decided_differently() -> None:
    texts = {key: {"values": {"minutes": 5}, "text": TITLE} for key in ("yes", "no")}
    sooner = {key: {"values": {"minutes": 4}, "text": TITLE} for key in ("yes", "no")}
    assert decides_differently(ENGINE, rule("yes", outcomes=texts), rule("yes", outcomes=sooner), [("any", {})])
    assert not decides_differently(ENGINE, rule("yes", outcomes=texts), rule("yes", outcomes=texts), [("any", {})])
