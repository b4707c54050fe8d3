"""`phis rules`: rules as files, without a database: evaluate, test, check, explain, describe."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.errors import Invalid, Misconfigured, RuleUnusable
from runtime.cli import rule_pack_commands

if TYPE_CHECKING:
    from rules.document import RuleDocument
    from rules.findings import Finding

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(
    help="Rules as files: evaluate, test, check, explain. A file's place is a [bold]rule document[/] in JSON.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

rule_pack_commands.register(app)

Files = Annotated[list[Path], typer.Argument(help="Rule documents, and folders of them.", exists=True)]


class Language(StrEnum):
    EN = "en"
    KO = "ko"


@app.command("eval")
def evaluate(
    rule: Annotated[
        Path | None, typer.Option(help="A rule document or bare JSONLogic.", exists=True, dir_okay=False)
    ] = None,
    facts: Annotated[Path | None, typer.Option(help="Its facts, a JSON object.", exists=True, dir_okay=False)] = None,
    lines: Annotated[
        Path | None,
        typer.Option(help='Lines of {"rule":…,"data":…}, evaluated as plain JSONLogic.', exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Print the outcome of a rule for some facts as JSON; or with --lines one result or error for each line, in order.

    A decision that is left open is an outcome too: the fallback, with reason and missing facts. The exit code is 0.
    A file that holds JSONLogic alone, and no rule document, is evaluated as a line is.
    """
    if lines is not None and rule is None and facts is None:
        _evaluate_lines(lines)
        return
    if lines is not None or rule is None or facts is None:
        raise Misconfigured("Give --rule and --facts, or --lines alone.")
    from rules.engine import RuleEngine
    from rules.points import Shape

    if _is_bare(raw := _json(rule)):
        from rules.plain.lines import PlainEvaluator

        _print(PlainEvaluator().answer(raw, _json(facts)))
        return
    document, given = _document(rule), _facts(facts)
    engine = RuleEngine()
    with _placed(rule):
        evaluated = engine.evaluate(document, given)
    keys: Any = list(evaluated.outcomes)
    values = [document.outcomes[key].values for key in keys]
    several = engine.registry.point(document.decision_point).shape is Shape.MANY
    single = evaluated.indeterminate or not (several or evaluated.number is not None)
    _print(
        {
            "rule": document.id,
            "version": document.version,
            "digest": document.digest,
            "outcome": evaluated.number if evaluated.number is not None else evaluated.outcome if single else keys,
            "outcomes": keys,
            "values": values[0] if single else values,
            "indeterminate": evaluated.indeterminate,
            "reason": evaluated.reason.value if evaluated.reason else None,
            "missing": list(evaluated.missing),
            "wrong": list(evaluated.wrong),
        }
    )


@app.command("test")
def try_tests(
    files: Files,
    mutations: Annotated[bool, typer.Option("--mutations", help="Also how many small changes they notice.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
) -> None:
    """Run the tests attached to rules and print what they cover. The exit code is 1 when one fails."""
    from rules.engine import RuleEngine
    from rules.mutating import mutate
    from rules.proof import prove
    from rules.summing_up import covered, remarks

    engine, failed = RuleEngine(), False
    for file in _documents(files):
        if _refused(file, language):
            failed = True
            continue
        document = _document(file)
        with _placed(file):
            proof = prove(engine, document)
            mutation = mutate(engine, document) if mutations else None
        failed = failed or not proof.passed
        typer.echo(f"{file}: {covered(proof, mutation, language.value)}")
        for line in remarks(proof, mutation, language.value):
            typer.echo(f"  {line}")
    raise typer.Exit(1 if failed else 0)


@app.command()
def check(
    files: Files,
    language: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="One finding a line, as JSON.")] = False,
) -> None:
    """Check rules as on saving: types, units, codes, branches, tables. The exit code is 1 when one is refused."""
    from dataclasses import asdict

    refused = False
    for file in _documents(files):
        findings = _findings(file)
        refused = refused or any(found.refuses for found in findings)
        if not findings and not as_json:
            typer.echo(f"{file}: {'이상 없음' if language is Language.KO else 'nothing to say'}")
        for found in findings:
            if as_json:
                _print({"file": str(file)} | asdict(found))
            else:
                typer.echo(_said(file, found, language))
    raise typer.Exit(1 if refused else 0)


@app.command()
def explain(
    file: Annotated[Path, typer.Argument(help="The rule document.", exists=True, dir_okay=False)],
    facts: Annotated[Path, typer.Option(help="Its facts, a JSON object.", exists=True, dir_okay=False)],
    language: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
) -> None:
    """Say in words why a rule answers as it does to these facts, and why not otherwise."""
    from rules.engine import RuleEngine
    from rules.explaining import explain as explained

    document, given = _document(file), _facts(facts)
    with _placed(file):
        explanation = explained(RuleEngine(), document, given, language.value)
    for line in explanation.lines:
        typer.echo(line)


@app.command()
def describe(files: Files) -> None:
    """Print rules as sections of the clinical documentation, in Markdown."""
    from rules.describing import section
    from rules.points import shipped_registry

    for file in _documents(files):
        with _placed(file):
            typer.echo(section(_document(file), file.parent.name, shipped_registry()) + "\n")


def _findings(file: Path) -> tuple[Finding, ...]:
    """What there is to say about a file; that it is no JSON is one of it, so that the other files have their turn."""
    from rules.checking.checker import check as check_raw
    from rules.findings import finding
    from rules.points import shipped_registry

    try:
        return check_raw(_json(file), shipped_registry())
    except Invalid as broken:
        return (finding("unreadable", "", detail=broken.params.get("why", "")),)


def _refused(file: Path, language: Language) -> bool:
    """Whether a file would not be saved; why is printed."""
    refused = [found for found in _findings(file) if found.refuses]
    for found in refused:
        typer.echo(_said(file, found, language))
    return bool(refused)


def _said(file: Path, found: Finding, language: Language) -> str:
    from rules.summing_up import severity_in

    sentence = found.ko if language is Language.KO else found.en
    place = f"{file}{found.pointer and '#' + found.pointer}"
    return f"{place}: {severity_in(found.severity, language.value)}: {sentence}"


def _evaluate_lines(file: Path) -> None:
    from rules.plain.lines import PlainEvaluator

    evaluator = PlainEvaluator()
    with file.open("rb") as lines:  # a line ends with \n and nowhere else: U+2028 or \r may stand within one
        for number, line in enumerate(lines):
            _print(evaluator.line(line.removeprefix(BOM_UTF8) if number == 0 else line))


def _is_bare(raw: Any) -> bool:
    """Whether this is JSONLogic alone: an object with one operator, or no object. A document has many members."""
    return not isinstance(raw, dict) or len(raw) < 2


def _documents(files: list[Path]) -> Iterator[Path]:
    """The rule documents. A folder without one is a mistake: its tests would pass for ever."""
    from rules.packs import PACK

    for file in files:
        found = sorted(each for each in file.rglob("*.json") if each.name != PACK) if file.is_dir() else [file]
        if not found:
            raise Invalid(f"{file} holds no rule documents", field=str(file))
        yield from found


def _document(file: Path) -> RuleDocument:
    from rules.document import load

    with _placed(file):
        return load(_json(file))


@contextmanager
def _placed(file: Path) -> Iterator[None]:
    """An unusable rule is told with its file and the place in it."""
    try:
        yield
    except RuleUnusable as unusable:
        if unusable.params.get("file"):
            raise
        place = f"{file}#{unusable.params.get('pointer', '')}".removesuffix("#")
        raise RuleUnusable(f"{place}: {unusable}", **(unusable.params | {"file": str(file)})) from None


def _facts(file: Path) -> dict[str, Any]:
    given = _json(file)
    if not isinstance(given, dict):
        raise Invalid(f"{file}: facts are a JSON object", field=str(file))
    return given


def _json(file: Path) -> Any:
    from rules.json_texts import NotJson, parsed

    try:
        return parsed(file.read_bytes())
    except NotJson as broken:
        raise Invalid(f"{file} is not JSON: {broken}", field=str(file), why=str(broken)) from None


def _print(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        text = json.dumps(value, separators=(",", ":"))  # half a character can be written as an escape only
    typer.echo(text)
