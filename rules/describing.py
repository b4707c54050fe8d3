"""A rule as a section of the clinical documentation, in Markdown. A test keeps the pages equal to the documents."""

from __future__ import annotations

from rules.document import RuleDocument
from rules.facts import FactDefinition
from rules.points import PointDefinition, Registry, Shape

_MANY = 12  # outcomes or codes beyond which only a number is told


def section(document: RuleDocument, area: str, registry: Registry) -> str:
    """The section of a shipped rule, heading first, without an empty line at its end."""
    point = registry.point(document.decision_point)
    facts = "<br>".join(_fact(registry.facts[path]) for path in document.facts)
    rows = [
        (
            "asked by",
            f"{point.process}; {'as at its start' if point.pin.value == 'pinned-at-start' else 'as it is then'}",
        ),
        ("facts", facts or "none"),
        ("answers", _answers(document, point)),
        ("when it cannot be evaluated", f"`{document.fallback}`: {point.fallback.effect.en}; {_within(point)}"),
        ("source", document.source),
        ("owner, review", f"{document.owner}, by {document.review_by.isoformat()}"),
        ("form, tests", f"{_form(document)}, {len(document.tests)} tests"),
        ("file", f"`rules/library/{area}/{document.id}.json`"),
    ]
    return f"### `{document.id}`\n\n*{point.purpose.en}.* · {document.title.ko}\n\n{_table(rows)}"


def _table(rows: list[tuple[str, str]]) -> str:
    lines = ["| | |", "| --- | --- |"]
    for name, text in rows:
        escaped = text.replace("|", "\\|")
        lines.append(f"| {name} | {escaped} |")
    return "\n".join(lines)


def _fact(fact: FactDefinition) -> str:
    unit = f" in {fact.unit}" if fact.unit and fact.unit != "1" else ""
    kind = fact.type.value
    if fact.codes:
        kind = ", ".join(fact.codes) if len(fact.codes) <= _MANY else f"one of {len(fact.codes)} codes"
    absent = ", may be absent" if fact.absent else ""
    return f"`{fact.path}` ({kind}{unit}{absent})"


def _answers(document: RuleDocument, point: PointDefinition) -> str:
    if point.shape is Shape.NUMBER:
        return "a number"
    told = [f"`{key}`: {outcome.text.en}" for key, outcome in list(document.outcomes.items())[:_MANY]]
    more = len(document.outcomes) - len(told)
    several = "any of, in order:<br>" if point.shape is Shape.MANY else ""
    return several + "<br>".join(told) + (f"<br>and {more} more" if more > 0 else "")


def _within(point: PointDefinition) -> str:
    fallback = point.fallback
    return (
        f"{fallback.position}, within {fallback.minutes} min" if fallback.minutes else f"{fallback.position}, at once"
    )


def _form(document: RuleDocument) -> str:
    if document.table is not None:
        return f"table of {len(document.table.rows)} rows, hit policy {document.table.hit.value}"
    return "condition tree" if document.tree is not None else "JSONLogic"
