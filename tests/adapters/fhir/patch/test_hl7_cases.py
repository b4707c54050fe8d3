"""HL7's own cases of FHIRPath Patch and JSON Patch, every one of them."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from adapters.fhir.patch import apply_fhirpath_patch, apply_json_patch
from domain.errors import Invalid
from tests.fhir_xml import resource_of
from tests.hl7_cases import MISSING, files, present

pytestmark = pytest.mark.skipif(not present(), reason=MISSING)


@cache
def json_cases() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(files().get("patch/json-patch-tests.json", b"[]"), parse_float=Decimal)
    return listed


@cache
def fhir_cases() -> list[ET.Element]:
    tests = ET.fromstring(files().get("patch/fhir-patch-tests.xml", b"<tests/>"))  # noqa: S314 — HL7's own cases
    return list(tests.iter("case"))


def part(case: ET.Element, name: str) -> dict[str, Any] | None:
    found = case.find(name)
    return None if found is None else resource_of(found[0])


def test_the_cases_are_all_here() -> None:
    assert len(json_cases()) == 16
    assert len(fhir_cases()) == 33


@pytest.mark.parametrize("case", json_cases(), ids=lambda case: case["comment"])
def test_json_patch_case(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(Invalid):
            apply_json_patch(case["doc"], case["patch"])
    else:
        assert apply_json_patch(case["doc"], case["patch"]) == case["expected"]


@pytest.mark.parametrize("case", fhir_cases(), ids=lambda case: case.get("name"))
def test_fhirpath_patch_case(case: ET.Element) -> None:
    resource, patch, expected = part(case, "input"), part(case, "diff"), part(case, "output")
    assert resource is not None
    if case.find("error") is not None:
        with pytest.raises(Invalid):
            apply_fhirpath_patch(resource, patch)
    else:
        assert apply_fhirpath_patch(resource, patch) == expected
