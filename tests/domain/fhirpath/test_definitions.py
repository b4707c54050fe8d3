"""Every expression in HL7's definitions of R4 is read, and asks nothing of a type that it cannot have."""

from __future__ import annotations

import pytest

from domain import fhir
from domain.errors import Invalid
from domain.fhirpath import parse


def test_every_search_parameter_can_be_asked_of_its_type() -> None:
    asked = 0
    for name in sorted(fhir.resource_types()):
        for parameter in fhir.search_parameters(name).values():
            if parameter.expression:
                parse(parameter.expression).check(name)
                asked += 1
            for component in parameter.components:
                parse(component.expression)
    assert asked > 2_000


def paths() -> set[str]:
    return {path for name in fhir.types() for path in _of(name)}


def _of(name: str) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        path = waiting.pop()
        for each in fhir.children(path).values():
            if each.path.startswith(f"{path}.") and each.path not in found:
                found.add(each.path)
                waiting.append(each.path)
    return found


HL7_S_OWN_MISTAKES = {
    ("ChargeItemDefinition", "cid-0"): "asks for a name, which a ChargeItemDefinition of R4 does not have"
}


def test_every_invariant_can_be_asked_of_its_element() -> None:
    refused, keys = set(), set()
    for path in paths():
        for rule in fhir.invariants(path):
            keys.add(rule.key)
            try:
                parse(rule.expression).check(path)
            except Invalid:
                refused.add((path, rule.key))
    assert refused == HL7_S_OWN_MISTAKES.keys()
    assert len(keys) > 150


@pytest.mark.parametrize(
    ("contact", "holds"),
    [({"name": {"text": "Kim"}}, True), ({"gender": "female"}, False)],
)
def test_an_invariant_holds_or_not(contact: dict[str, object], holds: bool) -> None:
    (rule,) = [each for each in fhir.invariants("Patient.contact") if each.key == "pat-1"]
    assert parse(rule.expression).holds(contact, type_name="Patient.contact") is holds
