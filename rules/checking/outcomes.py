"""Whether a rule's answers are those of its outcome table, and the table is what the process reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.checking.types import KIND_NAMES, Kind, Type
from rules.document import Outcome, RuleDocument
from rules.findings import Finding, Severity, did_you_mean, finding
from rules.points import PointDefinition, Shape, ValueShape
from rules.syntax import Call, Items, Literal, Node, Switch
from rules.tables.compiling import NO_ROW, ROWS_DISAGREE

_TYPES = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "money": (int,),
    "code": (str,),
    "text": (str,),
    "codes": (list, tuple),
}


def check_answer(document: RuleDocument, point: PointDefinition, tree: Node, answer: Type) -> list[Finding]:
    """The type of the whole logic against the point's shape, and every key it can give against the table."""
    reserved = [
        finding("outcome-reserved", f"/outcomes/{key}", outcome=key)
        for key in (NO_ROW, ROWS_DISAGREE)
        if key in document.outcomes
    ]
    if reserved or answer.kind is Kind.UNKNOWN:
        return reserved
    expected = {Shape.ONE: Kind.TEXT, Shape.MANY: Kind.LIST, Shape.NUMBER: Kind.NUMBER}[point.shape]
    given = answer.item if answer.kind is Kind.LIST and expected is Kind.LIST else answer
    if expected is Kind.NUMBER and answer.kind is Kind.NUMBER:
        fits = answer.unit is None or answer.unit == point.unit
    else:
        fits = answer.kind is expected and (given is None or expected is Kind.NUMBER or given.kind is Kind.TEXT)
    if not fits:
        (given_en, given_ko), (en, ko) = answer.described, KIND_NAMES[expected]
        return [
            finding("outcome-shape", tree.pointer, given_en=given_en, given_ko=given_ko, expected_en=en, expected_ko=ko)
        ]
    if expected is Kind.NUMBER or given is None:
        return []
    if given.values is None or given.computed:
        return [finding("outcome-computed", tree.pointer)]
    written = {node.value: node.pointer for node in _answers(tree)}
    findings = [
        finding("outcome-unknown", written.get(key, tree.pointer), outcome=key, **did_you_mean(key, document.outcomes))
        for key in sorted(given.values - set(document.outcomes) - {NO_ROW, ROWS_DISAGREE})
    ]
    findings.extend(
        finding("outcome-unused", f"/outcomes/{key}", Severity.WARNING, outcome=key)
        for key in document.outcomes
        if key not in given.values and key != document.fallback
    )
    return findings


def _answers(node: Node) -> Iterator[Literal]:
    """The outcomes written where an answer stands, which is not within conditions."""
    match node:
        case Literal():
            yield node
        case Switch():
            for part in (*(case.result for case in node.cases), node.otherwise):
                yield from _answers(part)
        case Call(operator="if"):
            for part in (*node.arguments[1::2], node.arguments[-1]):
                yield from _answers(part)
        case Items(items=parts) | Call(operator="merge", arguments=parts):
            for part in parts:
                yield from _answers(part)


def check_outcomes(document: RuleDocument, point: PointDefinition) -> list[Finding]:
    """Every row's values against the point's columns, and the fallback against what the point demands."""
    findings: list[Finding] = []
    for key, outcome in document.outcomes.items():
        findings.extend(_row(f"/outcomes/{key}/values", outcome, point))
    if document.fallback != point.fallback.outcome:
        findings.append(finding("fallback-differs", "/fallback", expected=point.fallback.outcome))
        return findings
    row = document.outcomes[document.fallback]
    for name, expected in point.fallback.values.items():
        if row.values.get(name) != expected:
            where = f"/outcomes/{document.fallback}/values/{name}"
            findings.append(finding("fallback-weaker", where, name=name, expected=expected))
    return findings


def _row(where: str, outcome: Outcome, point: PointDefinition) -> list[Finding]:
    findings = [
        finding("value-missing", where, name=name)
        for name, shape in point.values.items()
        if shape.required and name not in outcome.values
    ]
    for name, value in outcome.values.items():
        if name not in point.values:
            findings.append(finding("value-unknown", f"{where}/{name}", name=name, **did_you_mean(name, point.values)))
        elif not _fits(point.values[name], value):
            expected = ", ".join(point.values[name].codes) or point.values[name].type
            findings.append(finding("value-type", f"{where}/{name}", name=name, expected=expected))
    return findings


def _fits(shape: ValueShape, value: Any) -> bool:
    if not isinstance(value, _TYPES[shape.type]) or (isinstance(value, bool) and shape.type != "boolean"):
        return False
    if isinstance(value, list | tuple):
        return all(isinstance(code, str) and (not shape.codes or code in shape.codes) for code in value)
    return not shape.codes or value in shape.codes
