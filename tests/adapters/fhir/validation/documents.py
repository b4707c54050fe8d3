"""A right resource of several kinds, and where the public samples lie. Patients are invented."""

from __future__ import annotations

import copy
import json
import lzma
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[5] / "shared" / "data" / "fhir"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Seen today.</p></div>'

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"profile": ["http://example.org/StructureDefinition/patient"]},
    "text": {"status": "generated", "div": DIV},
    "extension": [{"url": "http://example.org/nickname", "valueString": "Hong"}],
    "identifier": [{"use": "official", "system": "urn:oid:1.2.3", "value": "0001"}],
    "name": [{"family": "홍", "given": ["길동"], "period": {"start": "2001-02-03", "end": "2002-02-03"}}],
    "gender": "male",
    "birthDate": "1970-03-30",
    "deceasedBoolean": False,
    "contact": [{"name": {"text": "Next of kin"}}],
    "managingOrganization": {"reference": "Organization/1"},
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-03-09T10:15:00+09:00",
    "valueQuantity": {"value": Decimal("72.50"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    "referenceRange": [{"text": "50 to 80"}],
}
CONDITION: dict[str, Any] = {
    "resourceType": "Condition",
    "clinicalStatus": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
    },
    "subject": {"reference": "Patient/p1"},
    "recorder": {"reference": "#d1"},
    "contained": [{"resourceType": "Practitioner", "id": "d1"}],
}
TIMING: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "aspirin"},
    "subject": {"reference": "Patient/p1"},
    "dosageInstruction": [{"sequence": 1, "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
}
PARAMETERS: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [{"name": "one", "part": [{"name": "two", "resource": PATIENT}]}, {"name": "three", "valueCode": "x"}],
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            "resource": {**OBSERVATION, "subject": {"reference": "Patient?identifier=urn:oid:1.2.3|0001"}},
            "request": {"method": "POST", "url": "Observation"},
        }
    ],
}
RIGHT = {each["resourceType"]: each for each in (PATIENT, OBSERVATION, CONDITION, TIMING, PARAMETERS, BUNDLE)}


def changed(resource_type: str, path: str, value: Any) -> dict[str, Any]:
    """A right resource with something else at a path of names and indexes; `...` takes away what is there."""
    resource = copy.deepcopy(RIGHT[resource_type])
    place: Any = resource
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return resource


@cache
def archive(name: str) -> dict[str, bytes]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside the repository")
    with lzma.open(path) as file, tarfile.open(fileobj=file) as inner:
        files = {member.name: inner.extractfile(member) for member in inner}
        return {name: file.read() for name, file in files.items() if file and name.endswith(".json")}


def synthea(patients: int) -> Iterator[dict[str, Any]]:
    """Resources of some of the sample patients, smallest bundles first: many kinds, few of each."""
    bundles = sorted(archive("synthea-160-patients.tar.xz").values(), key=len)
    for content in bundles[:patients]:
        for entry in json.loads(content, parse_float=Decimal)["entry"]:
            yield entry["resource"]
