"""Exports as clients see them: asked for, looked at, read line by line."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Json = dict[str, Any]

ASYNC = {"Prefer": "respond-async"}
Run = Callable[[], Awaitable[None]]
"""Everything that is due is done."""


async def keep(fhir: httpx.AsyncClient, resource: Json) -> None:
    answer = await fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.is_success, answer.text


async def begun(fhir: httpx.AsyncClient, path: str = "$export", **headers: str) -> str:
    """The address of the status."""
    answer = await fhir.get(path, headers=ASYNC | headers)
    assert answer.status_code == 202, answer.text
    return answer.headers["content-location"]


async def manifest(fhir: httpx.AsyncClient, where: str) -> Json:
    answer = await fhir.get(where)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    told: Json = answer.json()
    return told


async def lines(fhir: httpx.AsyncClient, listed: list[Json], **headers: str) -> list[Json]:
    found = []
    for file in listed:
        answer = await fhir.get(file["url"], headers={"Accept": "application/fhir+ndjson"} | headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/fhir+ndjson"
        assert answer.text.endswith("\n")
        held = [json.loads(line) for line in answer.text.splitlines()]
        assert len(held) == file["count"]
        assert {each["resourceType"] for each in held} == {file["type"]}
        found += held
    return found


async def exported(fhir: httpx.AsyncClient, run: Run, path: str = "$export", **headers: str) -> list[str]:
    """References of everything in the output."""
    where = await begun(fhir, path, **headers)
    await run()
    return refs(await lines(fhir, (await manifest(fhir, where))["output"], **headers))


def refs(resources: list[Json]) -> list[str]:
    return sorted(f"{each['resourceType']}/{each['id']}" for each in resources)
