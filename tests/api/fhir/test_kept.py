"""Who may change what within a record: some elements only some roles, though others write the rest."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

import httpx
import pytest

from api.fhir import update
from domain import fhir
from domain.ids import Reference
from domain.reach import Purpose
from domain.roles import Role
from rules.access import _KEPT, rights
from store.care import purposes
from tests.api.fhir.conftest import Json, Person, observation, patient
from tests.api.fhir.test_reach import PSYCHIATRY, made, stay, ward_with_bed, works_in
from tests.desk import Desk

ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}
INACTIVE = copy.deepcopy(ACTIVE)
INACTIVE["coding"][0]["code"] = "inactive"


@pytest.fixture
async def records(fhir: httpx.AsyncClient, desk: Desk) -> dict[str, str]:
    """A patient on the nurse's ward, with a stay and an allergy, by type."""
    ward, bed = await ward_with_bed(fhir)
    for role in (Role.NURSE, Role.CHARGE_NURSE):
        await works_in(desk, role, ward)
    who = await made(fhir, patient(birthDate="1980-02-29"))
    allergy = {"resourceType": "AllergyIntolerance", "clinicalStatus": ACTIVE, "patient": {"reference": who}}
    return {
        "Patient": who,
        "Encounter": await made(fhir, stay(who, bed)),
        "AllergyIntolerance": await made(fhir, allergy),
    }


REFUSED = [
    (Role.NURSE, "Patient", {"name": [{"family": "other"}]}),
    (Role.NURSE, "Patient", {"birthDate": "1981-01-01"}),
    (Role.NURSE, "Patient", {"_birthDate": {"extension": [{"url": "urn:x", "valueString": "x"}]}}),
    (Role.NURSE, "Patient", {"deceasedBoolean": True}),
    (Role.PHYSICIAN, "Patient", {"identifier": [{"system": "urn:mrn", "value": "1"}]}),
    (Role.RECEPTIONIST, "Patient", {"deceasedBoolean": True}),
    (Role.NURSE, "Encounter", {"status": "finished"}),
    (Role.NURSE, "AllergyIntolerance", {"clinicalStatus": INACTIVE}),
    (Role.NURSE, "AllergyIntolerance", {"criticality": "low"}),
]
ALLOWED = [
    (Role.NURSE, "Patient", {"telecom": [{"system": "phone", "value": "010"}]}),
    (Role.PHYSICIAN, "Patient", {"deceasedBoolean": True}),
    (Role.RECEPTIONIST, "Patient", {"name": [{"family": "put right"}]}),
    (Role.CHARGE_NURSE, "Encounter", {"status": "onleave"}),
    (Role.NURSE, "Encounter", {"priority": {"text": "soon"}}),
    (Role.NURSE, "AllergyIntolerance", {"note": [{"text": "asked again"}]}),
]


async def _sent(client: httpx.AsyncClient, how: str, ref: str, body: Json, change: Json) -> httpx.Response:
    if how == "update":
        return await client.put(f"/{ref}", json=body | change)
    patch = [{"op": "add", "path": f"/{name}", "value": value} for name, value in change.items()]
    if how == "patch":
        return await client.patch(f"/{ref}", json=patch, headers={"Content-Type": "application/json-patch+json"})
    entry = {"request": {"method": "PUT", "url": ref}, "resource": body | change}
    return await client.post("/", json={"resourceType": "Bundle", "type": how, "entry": [entry]})


@pytest.mark.parametrize("how", ["update", "patch", "transaction"])
async def test_an_element_is_changed_by_its_roles_only(
    fhir: httpx.AsyncClient, person: Person, records: dict[str, str], how: str
) -> None:
    for role, kind, change in REFUSED:
        body = (await fhir.get(f"/{records[kind]}")).json()
        answer = await _sent(await person(role), how, records[kind], body, change)
        assert answer.status_code == 403, (role, change, answer.text)
        assert next(iter(change)).strip("_") in answer.text
        assert (await fhir.get(f"/{records[kind]}")).json() == body


async def test_the_rest_is_open_to_whoever_writes_the_type(
    fhir: httpx.AsyncClient, person: Person, records: dict[str, str]
) -> None:
    for role, kind, change in ALLOWED:
        body = (await fhir.get(f"/{records[kind]}")).json()
        answer = await _sent(await person(role), "update", records[kind], body, change)
        assert answer.status_code == 200, (role, change, answer.text)


async def test_a_label_is_taken_away_by_some_only(
    fhir: httpx.AsyncClient, person: Person, records: dict[str, str], desk: Desk, now: datetime
) -> None:
    nurse, who = await person(Role.NURSE), records["Patient"]
    ref = await made(fhir, observation(who))
    body = (await fhir.get(f"/{ref}")).json()
    assert (await nurse.put(f"/{ref}", json=body | {"meta": PSYCHIATRY})).status_code == 200
    async with desk.state.database.transaction(desk.hospital) as tx:
        for role in (Role.NURSE, Role.MEDICAL_RECORDS):
            name = f"{role.value}@{desk.hospital}"
            await purposes.state(tx, actor=name, patient=Reference(who), purpose=Purpose.TREATMENT, now=now)
    assert (await nurse.put(f"/{ref}", json=body)).status_code == 403
    office = await person(Role.MEDICAL_RECORDS)
    assert (await office.put(f"/{ref}", json=body)).status_code == 200


async def test_teeth_without_the_comparison_the_name_changes(
    fhir: httpx.AsyncClient, person: Person, records: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "refuse_kept", lambda *_: None)
    body = (await fhir.get(f"/{records['Patient']}")).json()
    answer = await (await person(Role.NURSE)).put(f"/{records['Patient']}", json=body | {"birthDate": "1981-01-01"})
    assert answer.status_code == 200


@pytest.mark.parametrize("row", _KEPT, ids=lambda row: f"{row.resource_type}-{min(row.elements)}")
def test_every_role_that_an_element_is_kept_for_may_write_its_type(row: Any) -> None:
    if row.resource_type == "*":
        return
    assert row.resource_type in fhir.resource_types()
    for role in row.roles:
        assert rights(frozenset({role})).reach("u", row.resource_type), role


def test_a_second_role_opens_what_the_first_does_not_change() -> None:
    both = rights(frozenset({Role.NURSE, Role.RECEPTIONIST}))
    assert "name" not in both.unchangeable("Patient")
    assert "deceasedBoolean" in both.unchangeable("Patient")


async def test_what_the_server_says_of_a_record_no_client_says(fhir: httpx.AsyncClient) -> None:
    told = {"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z"}
    made_ = (await fhir.post("/Patient", json=patient(meta=told, id="chosen"))).json()
    assert (made_["meta"]["versionId"], made_["id"] == "chosen") == ("1", False)
    assert not made_["meta"]["lastUpdated"].startswith("1999")
    again = (await fhir.put(f"/Patient/{made_['id']}", json=made_ | {"meta": told})).json()
    assert again["meta"]["versionId"] == "2"
    for field in ("owner", "hospital", "version"):
        answer = await fhir.put(f"/Patient/{made_['id']}", json=made_ | {field: "x"})
        assert answer.status_code == 400, answer.text
