"""$validate with profiles and value sets that the hospital keeps, and with each of its modes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from store import records
from tests.api.fhir.conftest import Connect, Json, issue_of, observation
from tests.api.fhir.shop import FRUIT, FRUITS
from tests.desk import Desk

URL = "http://example.org/StructureDefinition/fruit-observation"


def definition(version: str = "1", **binding: Any) -> Json:
    bound = {"strength": "required", "valueSet": FRUITS, **binding}
    return {
        "resourceType": "StructureDefinition",
        "id": f"fruit-observation-{version}",
        "url": URL,
        "version": version,
        "name": "FruitObservation",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Observation", "path": "Observation"},
                {"id": "Observation.code", "path": "Observation.code", "binding": bound},
                {"id": "Observation.note", "path": "Observation.note", "min": 0 if version == "1" else 1},
            ]
        },
    }


def eaten(code: str, system: str = FRUIT, **more: Any) -> Json:
    return observation("Patient/p1", code={"coding": [{"system": system, "code": code}]}, **more)


def errors(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["expression"][0] for each in answer.json()["issue"] if each["severity"] == "error"]


@pytest.fixture
async def strict(shop: httpx.AsyncClient) -> httpx.AsyncClient:
    for version in ("1", "2"):
        made = definition(version)
        answer = await shop.put(f"StructureDefinition/{made['id']}", json=made)
        assert answer.status_code == 201, answer.text
    return shop


async def test_a_resource_is_held_to_a_profile_of_the_hospital_and_its_value_set(strict: httpx.AsyncClient) -> None:
    for code, profile, wrong in (
        ("lemon", f"{URL}|1", []),
        ("apple", f"{URL}|1", ["Observation.code"]),
        ("lemon", URL, ["Observation.note"]),  # the newest version is meant
        ("apple", f"{URL}|2", ["Observation.code", "Observation.note"]),
        ("lemon", f"{URL}|3", ["Observation"]),  # no such version
    ):
        answer = await strict.post("Observation/$validate", params={"profile": profile}, json=eaten(code))
        assert errors(answer) == wrong, (code, profile, answer.text)
        claimed = {"resourceType": "Parameters", "parameter": [
            {"name": "resource", "resource": eaten(code)}, {"name": "profile", "valueUri": profile}]}  # fmt: skip
        assert errors(await strict.post("Observation/$validate", json=claimed)) == wrong


async def test_a_profile_that_the_resource_claims_is_kept_or_said_to_be_unknown(strict: httpx.AsyncClient) -> None:
    claimed = eaten("apple", meta={"profile": [f"{URL}|1"]})
    assert errors(await strict.post("Observation/$validate", json=claimed)) == ["Observation.code"]
    unknown = await strict.post("Observation/$validate", json=eaten("apple", meta={"profile": [f"{URL}|9"]}))
    assert errors(unknown) == []
    assert "not known" in unknown.text


async def test_a_profile_out_of_the_callers_scopes_is_unknown(strict: httpx.AsyncClient, connect: Connect) -> None:
    assert strict
    blind = await connect("system/Observation.cruds")
    answer = await blind.post("Observation/$validate", params={"profile": f"{URL}|1"}, json=eaten("apple"))
    assert errors(answer) == ["Observation"]
    assert "not known" in answer.text


async def test_a_code_that_cannot_be_told_is_no_error_and_an_extensible_one_a_warning(
    strict: httpx.AsyncClient,
) -> None:
    open_ = {**definition("3", valueSet="http://hl7.org/fhir/ValueSet/condition-code"), "id": "open"}
    gentle = {**definition("1", strength="extensible"), "id": "gentle", "url": f"{URL}-gentle"}
    for each in (open_, gentle):
        assert (await strict.put(f"StructureDefinition/{each['id']}", json=each)).status_code == 201
    foreign = eaten("386661006", "http://snomed.info/sct", note=[{"text": "n"}])
    assert errors(await strict.post("Observation/$validate", params={"profile": f"{URL}|3"}, json=foreign)) == []
    answer = await strict.post("Observation/$validate", params={"profile": f"{URL}-gentle"}, json=eaten("apple"))
    assert errors(answer) == []
    assert any(FRUITS in each["diagnostics"] and each["severity"] == "warning" for each in answer.json()["issue"])


async def test_the_modes_ask_what_they_say(strict: httpx.AsyncClient) -> None:
    await strict.put("Observation/o1", json=eaten("apple", id="o1"))
    assert errors(await strict.get(f"Observation/o1/$validate?mode=profile&profile={URL}|1")) == ["Observation.code"]
    assert errors(await strict.post("Observation/o1/$validate?mode=delete")) == []
    assert errors(await strict.post("Observation/o1/$validate?mode=update", json=eaten("lime", id="o1"))) == []
    assert errors(await strict.post("Observation/$validate?mode=create", json=eaten("lime"))) == []
    for path in ("Observation/$validate?mode=delete", "Observation/o1/$validate?mode=profile", "Observation/$validate?mode=update"):  # fmt: skip  # noqa: E501
        answer = await strict.post(path, json=eaten("apple"))
        assert (answer.status_code, issue_of(answer)["code"]) == (400, "invalid")
    assert (await strict.post("Observation/never/$validate?mode=delete")).status_code == 404


async def test_what_a_process_owns_may_not_be_changed_or_deleted_and_that_is_said(
    fhir: httpx.AsyncClient, desk: Desk, now: datetime
) -> None:
    stay = {"resourceType": "Encounter", "id": "e1", "status": "planned", "class": {"code": "IMP"}}
    async with desk.state.database.transaction(desk.hospital) as tx:
        await records.create(tx, stay, now=now, owner=f"{desk.hospital}/admission/Encounter/e1")
    changed = await fhir.post("Encounter/e1/$validate?mode=update", json={**stay, "status": "finished"})
    assert issue_of(changed)["code"] == "business-rule"
    assert issue_of(await fhir.post("Encounter/e1/$validate?mode=delete"))["code"] == "business-rule"
    assert errors(await fhir.post("Encounter/e1/$validate?mode=update", json={**stay, "language": "ko"})) == []
