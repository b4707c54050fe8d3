"""Asking for merges, and what is found afterwards."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.fhir.conftest import Json

MRN = "urn:example:mrn"


def ask(source: str, target: str, **more: Any) -> Json:
    """Parameters of $merge; a value is a `(name, value)` of its type."""
    listed: list[Json] = [
        {"name": "source-patient", "valueReference": {"reference": source}},
        {"name": "target-patient", "valueReference": {"reference": target}},
    ]
    listed += [{"name": name.replace("_", "-"), **value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": listed}


async def merge(fhir: httpx.AsyncClient, source: str, target: str, **more: Any) -> httpx.Response:
    return await fhir.post("Patient/$merge", json=ask(source, target, **more))


def of(answer: httpx.Response) -> dict[str, Json]:
    assert answer.status_code == 200, answer.text
    return {each["name"]: each["resource"] for each in answer.json()["parameter"]}


async def found(fhir: httpx.AsyncClient, search: str) -> list[str]:
    answer = await fhir.get(search)
    assert answer.status_code == 200, answer.text
    listed = (each["resource"] for each in answer.json().get("entry", []))
    return sorted(f"{each['resourceType']}/{each['id']}" for each in listed if each["resourceType"] != "Provenance")
