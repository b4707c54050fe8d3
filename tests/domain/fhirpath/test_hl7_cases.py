"""HL7's FHIRPath cases for R4: 935, and two more that HL7 has commented out. What is not passed is named here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from domain.errors import Invalid
from domain.fhirpath import Node, parse
from domain.fhirpath.conversion import to_string
from tests.fhir_xml import read_resource
from tests.hl7_cases import MISSING, files, present

NOT_PASSED: dict[str, str] = {}
"""Case → why it is not passed."""

NOW = datetime(2026, 11, 24, 9, 30, 15, 250000, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    name: str
    expression: str
    resource: str | None
    outputs: tuple[tuple[str | None, str], ...]
    invalid: str | None
    predicate: bool
    ordered: bool


@cache
def listed() -> list[Case]:
    if not present():
        return []
    found = []
    root = ET.fromstring(files()["fhirpath/tests-fhir-r4.xml"])  # noqa: S314 — HL7's own cases
    for number, test in enumerate(root.iter("test"), start=1):
        expression = test.find("expression")
        assert expression is not None
        outputs = tuple((output.get("type"), output.text or "") for output in test.findall("output"))
        invalid = expression.get("invalid") or test.get("invalid")
        found.append(
            Case(
                f"{number}-{test.get('name')}",
                expression.text or "",
                test.get("inputfile"),
                outputs,
                invalid,
                test.get("predicate") == "true",
                test.get("ordered") != "false",
            )
        )
    return found


@cache
def resource(name: str) -> dict[str, Any]:
    return read_resource(name, files()[name])


def evaluated(case: Case) -> list[Node]:
    """Checked against the type first, as a strict engine does."""
    context: dict[str, Any] = resource(case.resource) if case.resource else {}
    expression = parse(case.expression)
    if case.resource:
        expression.check(context["resourceType"])
    return expression.nodes(context, now=NOW)


def written(node: Node) -> str:
    value = node.system
    assert value is not None
    return to_string(value)


def agree(node: Node, kind: str | None, expected: str) -> bool:
    if kind in ("date", "dateTime", "time") or expected.startswith("@"):
        return written(node) == expected.removeprefix("@").removeprefix("T")
    if kind == "decimal":
        return Decimal(written(node)) == Decimal(expected)
    if kind is not None and node.type.shown.lower() != kind.lower():
        return False
    return written(node) == expected


def test_the_cases_are_all_here() -> None:
    if not present():
        pytest.skip(MISSING)
    assert len(listed()) == 935
    assert not NOT_PASSED.keys() - {case.name for case in listed()}


@pytest.mark.skipif(not present(), reason=MISSING)
@pytest.mark.parametrize("case", listed(), ids=lambda case: case.name)
def test_hl7_case(case: Case, request: pytest.FixtureRequest) -> None:
    if case.name in NOT_PASSED:
        request.applymarker(pytest.mark.xfail(reason=NOT_PASSED[case.name], strict=True))
    if case.invalid:
        with pytest.raises(Invalid):
            evaluated(case)
        return
    nodes = evaluated(case)
    if case.predicate:
        assert bool(nodes) == (case.outputs[0][1] == "true")
        return
    outputs = list(case.outputs)
    if not case.ordered:
        nodes, outputs = sorted(nodes, key=written), sorted(outputs, key=lambda output: output[1])
    assert len(nodes) == len(outputs)
    for node, (kind, expected) in zip(nodes, outputs, strict=True):
        assert agree(node, kind, expected), f"{written(node)} is not {expected}"
