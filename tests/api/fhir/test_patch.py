"""patch over HTTP: both formats, and what a patch may not do. The formats' own cases stand in tests/adapters."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.api.fhir.conftest import issue_of, observation, patient

JSON_PATCH = {"Content-Type": "application/json-patch+json"}


def fhirpath_patch(kind: str, path: str, **value: Any) -> dict[str, Any]:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    parts += [{"name": "value", name: given} for name, given in value.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


async def test_json_patch_makes_a_new_version(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    patch = [
        {"op": "test", "path": "/gender", "value": "female"},
        {"op": "replace", "path": "/gender", "value": "other"},
    ]
    answer = await fhir.patch("Patient/p1", content=json.dumps(patch), headers=JSON_PATCH)
    assert (answer.status_code, answer.headers["etag"], answer.json()["gender"]) == (200, 'W/"2"', "other")


async def test_fhirpath_patch_makes_a_new_version(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    answer = await fhir.patch("Patient/p1", json=fhirpath_patch("replace", "Patient.gender", valueCode="other"))
    assert (answer.status_code, answer.headers["etag"], answer.json()["gender"]) == (200, 'W/"2"', "other")


async def test_a_patch_keeps_the_digits_of_what_it_does_not_touch(fhir: httpx.AsyncClient) -> None:
    await fhir.put(
        "Observation/o1",
        content=json.dumps(observation("Patient/p1", id="o1", valueQuantity={})).replace(
            '"valueQuantity": {}', '"valueQuantity": {"value": 72.50}'
        ),
    )
    patch = [{"op": "replace", "path": "/status", "value": "amended"}]
    answer = await fhir.patch("Observation/o1", content=json.dumps(patch), headers=JSON_PATCH)
    assert '"value":72.50' in answer.text


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([{"op": "replace", "path": "/id", "value": "other"}], 400),
        ([{"op": "replace", "path": "/resourceType", "value": "Group"}], 400),
        ([{"op": "remove", "path": "/id"}], 400),
        ([{"op": "add", "path": "/gender", "value": "unheard-of"}], 400),
        ([{"op": "add", "path": "/unheardOf", "value": 1}], 400),
        ([{"op": "replace", "path": "", "value": []}], 400),
        ([{"op": "replace", "path": "", "value": "x"}], 400),
        ([{"op": "remove", "path": "/nothing"}], 400),
        ([{"op": "fly", "path": "/gender"}], 400),
        ([1], 400),
        ({"resourceType": "Patient"}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": 1}]}, 400),
        (fhirpath_patch("replace", "Patient.(", valueCode="x"), 400),
        ("x", 400),
        (None, 400),
    ],
)
async def test_a_patch_that_cannot_be_is_refused_and_nothing_changes(
    fhir: httpx.AsyncClient, patch: Any, status: int
) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    content_type = "application/fhir+json" if isinstance(patch, dict) else "application/json-patch+json"
    answer = await fhir.patch("Patient/p1", content=json.dumps(patch), headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert issue_of(answer)["diagnostics"]
    assert (await fhir.get("Patient/p1")).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(("path", "status"), [("Patient/never", 404), ("Patient/gone", 410)])
async def test_what_is_not_there_cannot_be_patched(fhir: httpx.AsyncClient, path: str, status: int) -> None:
    await fhir.put("Patient/gone", json=patient(id="gone"))
    await fhir.delete("Patient/gone")
    assert (await fhir.patch(path, content="[]", headers=JSON_PATCH)).status_code == status


async def test_a_patch_in_another_format_is_not_read(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    answer = await fhir.patch("Patient/p1", content="<diff/>", headers={"Content-Type": "application/xml-patch+xml"})
    assert answer.status_code == 415
