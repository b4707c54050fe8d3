"""Every operation, tried by a ward's nurse on a patient elsewhere and on a labelled record; and what breaking the glass
does not do."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.fhir import everything
from api.fhir.operations import OPERATIONS
from domain.ids import Reference
from domain.reach import Purpose
from domain.roles import Role
from store.care import glass, purposes
from tests.api.fhir.conftest import Json, Person, issue_of, observation, patient
from tests.api.fhir.test_reach import VIP, found, made, stay, ward_with_bed, works_in
from tests.desk import Desk

PSY = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]}


def parameters(**given: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": name} | value for name, value in given.items()]}


def merging(source: str, target: str, *, preview: bool = True) -> Json:
    return parameters(
        **{"source-patient": {"valueReference": {"reference": source}}},
        **{"target-patient": {"valueReference": {"reference": target}}},
        preview={"valueBoolean": preview},
    )


@pytest.fixture
async def people(fhir: httpx.AsyncClient, desk: Desk) -> tuple[str, str, str]:
    """One on the nurse's ward, one elsewhere, one on the ward with a label. Each has a name that tells of it."""
    ward, bed = await ward_with_bed(fhir)
    await works_in(desk, Role.NURSE, ward)
    references = []
    for said, where, meta in (("NEAR", bed, None), ("FAR", None, None), ("STAR", bed, VIP)):
        name = [{"family": f"SECRET{said}", "given": ["one"]}]
        who = await made(fhir, patient(name=name, birthDate="1960-01-01", **({"meta": meta} if meta else {})))
        await made(fhir, stay(who, where))
        await made(fhir, observation(who, note=[{"text": f"SECRET{said}"}]))
        references.append(who)
    return references[0], references[1], references[2]


def asked(operation: str, who: str) -> list[tuple[str, str, Json | None]]:
    """Every way to bring a patient into an operation: method, address, body."""
    compared = parameters(resource={"resource": {"resourceType": "Patient", "name": [{"family": "SECRETFAR"}]}})
    star = parameters(resource={"resource": {"resourceType": "Patient", "name": [{"family": "SECRETSTAR"}]}})
    system = parameters(system={"valueUri": "urn:x"}, code={"valueCode": "1"})
    exported = parameters(patient={"valueReference": {"reference": who}})
    ways: dict[str, list[tuple[str, str, Json | None]]] = {
        "validate": [("GET", f"{who}/$validate?mode=profile&profile=urn:x", None), ("GET", f"{who}/$validate", None),
                     ("POST", f"{who}/$validate?mode=delete", parameters())],
        "everything": [("GET", f"{who}/$everything", None), ("GET", "Patient/$everything", None)],
        "match": [("POST", "Patient/$match", compared), ("POST", "Patient/$match", star)],
        "merge": [("POST", "Patient/$merge", merging(who, who[:-1] + "x"))],
        "export": [("GET", "$export", None), ("POST", "Patient/$export", exported)],
        "lookup": [("POST", "CodeSystem/$lookup", system)],
        "validate-code": [("POST", "CodeSystem/$validate-code", system), ("POST", "ValueSet/$validate-code", system)],
        "subsumes": [("POST", "CodeSystem/$subsumes", system)],
        "expand": [("POST", "ValueSet/$expand", parameters(url={"valueUri": "urn:x"}))],
        "translate": [("POST", "ConceptMap/$translate", system)],
        "events": [("GET", "Subscription/any/$events", None)],
        "status": [("GET", "Subscription/$status", None), ("GET", "Subscription/any/$status", None)],
    }  # fmt: skip
    return ways[operation]


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
async def test_no_operation_brings_a_nurse_beyond_her_ward_or_behind_a_label(
    fhir: httpx.AsyncClient, person: Person, people: tuple[str, str, str], operation: str
) -> None:
    nurse = await person(Role.NURSE)
    for who in people[1:]:
        for method, address, body in asked(operation, who):
            answer = await nurse.request(method, f"/{address}", json=body, headers={"Prefer": "respond-async"})
            assert answer.status_code < 500, answer.text
            assert "SECRETFAR" not in answer.text, address
            assert "SECRETSTAR" not in answer.text, address
            if who in address:
                assert answer.status_code == 404, address


async def test_what_everything_refers_to_is_in_reach_too(
    fhir: httpx.AsyncClient, person: Person, people: tuple[str, str, str]
) -> None:
    """A device hangs on no compartment: it comes along by reference, and it is somebody else's."""
    near, far, _star = people
    device = await made(fhir, {"resourceType": "Device", "patient": {"reference": far}, "lotNumber": "SECRETFAR"})
    own = await made(fhir, {"resourceType": "Device", "patient": {"reference": near}, "lotNumber": "OWN"})
    await made(fhir, observation(near, device={"reference": device}))
    await made(fhir, observation(near, device={"reference": own}))
    answer = await (await person(Role.NURSE)).get(f"/{near}/$everything")
    assert answer.status_code == 200, answer.text
    assert own in found(answer)
    assert "SECRETFAR" not in answer.text


async def test_teeth_of_what_everything_refers_to(
    fhir: httpx.AsyncClient, person: Person, people: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far, _star = people
    device = await made(fhir, {"resourceType": "Device", "patient": {"reference": far}, "lotNumber": "SECRETFAR"})
    await made(fhir, observation(near, device={"reference": device}))

    async def everybody(_call: Any, _tx: Any, refs: list[Reference]) -> list[Reference]:
        return refs

    monkeypatch.setattr(everything, "seen", everybody)
    assert (await (await person(Role.NURSE)).get(f"/{near}/$everything")).status_code == 403  # the second net


async def test_the_record_office_merges_nobody_behind_a_label_unless_it_says_why(
    fhir: httpx.AsyncClient, person: Person, people: tuple[str, str, str], desk: Desk, now: datetime
) -> None:
    near, _far, star = people
    office = await person(Role.MEDICAL_RECORDS)
    for body in (merging(star, near), merging(near, star)):
        hidden = await office.post("/Patient/$merge", json=body)
        missing = await office.post("/Patient/$merge", json=json.loads(json.dumps(body).replace(star, "Patient/no")))
        assert hidden.status_code == missing.status_code == 422, hidden.text
        assert hidden.text == missing.text.replace("Patient/no", star)
    async with desk.state.database.transaction(desk.hospital) as tx:
        await purposes.state(
            tx, actor=f"medical-records@{desk.hospital}", patient=Reference(star), purpose=Purpose.OPERATIONS, now=now
        )
    answer = await office.post("/Patient/$merge", json=merging(star, near))
    assert answer.status_code == 200, answer.text


async def test_an_export_names_nobody_behind_a_label(person: Person, people: tuple[str, str, str]) -> None:
    _near, _far, star = people
    office = await person(Role.MEDICAL_RECORDS)
    headers = {"Prefer": "respond-async", "Phis-Reason": "statistics of the year"}
    said = []
    for who in (star, "Patient/no"):
        body = parameters(patient={"valueReference": {"reference": who}})
        answer = await office.post("/Patient/$export", json=body, headers=headers)
        assert answer.status_code == 400, answer.text
        said.append(answer.text)
    assert "a patient of the list is not known" in said[0]
    assert said[0] == said[1]


async def broken(desk: Desk, actor: str, who: str, at: datetime) -> None:
    async with desk.state.database.transaction(desk.hospital) as tx:
        await glass.break_glass(
            tx, uuid4(), actor=actor, patient=Reference(who), reason="emergency", words="no pulse at all", now=at
        )


async def test_a_broken_glass_opens_no_letter_that_the_role_lacks(
    person: Person, people: tuple[str, str, str], desk: Desk, now: datetime
) -> None:
    _near, far, _star = people
    nurse = await person(Role.NURSE)
    await broken(desk, f"nurse@{desk.hospital}", far, now)
    assert (await nurse.get(f"/{far}")).status_code == 200
    assert (await nurse.post("/Observation", json=observation(far))).status_code == 201
    assert (await nurse.delete(f"/{far}")).status_code == 403
    charge = {"resourceType": "ChargeItem", "status": "billable", "code": {"text": "x"}, "subject": {"reference": far}}
    assert (await nurse.post("/ChargeItem", json=charge)).status_code == 403
    assert (await nurse.get("/ChargeItem")).status_code == 403
    assert (await nurse.get("/AuditEvent")).status_code == 403
    assert (await nurse.post("/Patient/$merge", json=merging(far, far))).status_code == 403


async def test_a_glass_is_whole_again_after_its_hour_and_after_no_write(
    person: Person, people: tuple[str, str, str], desk: Desk, now: datetime
) -> None:
    _near, far, _star = people
    nurse = await person(Role.NURSE)
    await broken(desk, f"nurse@{desk.hospital}", far, now - glass.LASTS - timedelta(seconds=1))
    assert (await nurse.get(f"/{far}")).status_code == 404
    assert (await nurse.post("/Observation", json=observation(far))).status_code == 403


async def test_a_glass_broken_for_a_labelled_record_still_needs_a_purpose(
    person: Person, people: tuple[str, str, str], desk: Desk, now: datetime
) -> None:
    """The command states the purpose together with the emergency; the glass alone opens no label."""
    _near, _far, star = people
    nurse = await person(Role.NURSE)
    await broken(desk, f"nurse@{desk.hospital}", star, now)
    assert (await nurse.get(f"/{star}")).status_code == 404


async def test_every_use_waits_in_the_queue(people: tuple[str, str, str], desk: Desk, now: datetime) -> None:
    _near, far, _star = people
    for number in range(205):
        await broken(desk, f"nurse@{desk.hospital}", far, now - timedelta(minutes=number))
    async with desk.state.database.transaction(desk.hospital) as tx:
        assert len(await glass.listed(tx, reviewed=False)) == 205
        assert len(await glass.listed(tx)) == 200


async def test_the_second_net_holds_a_label_back_too(
    fhir: httpx.AsyncClient, person: Person, people: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, _far, _star = people
    secret = await made(fhir, observation(near, meta=PSY))
    monkeypatch.setattr("api.fhir.reach.not_sensitive", lambda *_, **__: lambda _type, _alias: None)
    pharmacist = await person(Role.PHARMACIST)
    assert (await pharmacist.get(f"/{secret}")).status_code == 403
    answer = await pharmacist.get("/NoType")
    assert issue_of(answer)["code"] == "not-supported"
