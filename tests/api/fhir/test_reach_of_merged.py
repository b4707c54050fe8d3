"""Whose records somebody sees after a merge: a person's, under whichever record the care, emergency or reason was."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import httpx
import pytest

from domain.ids import Reference
from domain.reach import Purpose
from domain.roles import Role
from store.care import circle, glass, purposes
from tests.api.fhir.conftest import Json, Person, observation, patient
from tests.api.fhir.merging import merge, of
from tests.api.fhir.test_reach import PSYCHIATRY, VIP, found, made, stay, two_patients, ward_with_bed, works_in
from tests.desk import Desk


async def open_to_the_nurse(desk: Desk, who: str, now: datetime) -> None:
    async with desk.state.database.transaction(desk.hospital) as tx:
        await glass.break_glass(
            tx,
            uuid4(),
            actor=f"nurse@{desk.hospital}",
            patient=Reference(who),
            reason="emergency",
            words="collapsed in the corridor",
            now=now,
        )


async def test_a_broken_glass_opens_the_person_whichever_record_it_was_broken_for(
    fhir: httpx.AsyncClient, person: Person, desk: Desk, now: datetime
) -> None:
    here, elsewhere, seen, unseen = await two_patients(fhir, desk)
    stays = await made(fhir, patient())
    of_stays = await made(fhir, observation(stays))
    await open_to_the_nurse(desk, elsewhere, now)
    nurse = await person(Role.NURSE)
    assert found(await nurse.get("/Observation")) == sorted([seen, unseen])
    of(await merge(fhir, elsewhere, stays))
    assert found(await nurse.get("/Observation")) == sorted([seen, unseen, of_stays])
    assert found(await nurse.get("/Patient")) == sorted([here, elsewhere, stays])
    assert found(await nurse.get(f"/Observation?patient={elsewhere}")) == sorted([unseen, of_stays])
    async with desk.state.database.transaction(desk.hospital) as tx:
        (case,) = await glass.listed(tx)
    assert case.patient == elsewhere  # what was opened stays written down


async def test_who_has_said_why_for_the_record_that_ended_has_said_it_for_the_person(
    fhir: httpx.AsyncClient, person: Person, desk: Desk, now: datetime
) -> None:
    here, _elsewhere, seen, _unseen = await two_patients(fhir, desk)
    stays = await made(fhir, patient())
    secret = await made(fhir, observation(stays, meta=PSYCHIATRY))
    async with desk.state.database.transaction(desk.hospital) as tx:
        actor = f"nurse@{desk.hospital}"
        await purposes.state(tx, actor=actor, patient=Reference(here), purpose=Purpose.TREATMENT, now=now)
    of(await merge(fhir, here, stays))
    nurse = await person(Role.NURSE)
    assert found(await nurse.get("/Observation")) == sorted([seen, secret])
    assert (await nurse.get(f"/{secret}")).status_code == 200


async def test_a_relation_of_care_follows_the_stay_and_what_comes_later_under_the_old_record(
    fhir: httpx.AsyncClient, person: Person, desk: Desk
) -> None:
    ward, bed = await ward_with_bed(fhir)
    await works_in(desk, Role.NURSE, ward)
    ends, stays = await made(fhir, patient()), await made(fhir, patient())
    chart = await made(fhir, observation(stays))
    await made(fhir, stay(ends, bed))
    nurse = await person(Role.NURSE)
    assert found(await nurse.get("/Observation")) == []
    of(await merge(fhir, ends, stays))
    assert found(await nurse.get("/Observation")) == [chart]

    late, known = await made(fhir, patient()), await made(fhir, patient())
    old_chart = await made(fhir, observation(known))
    of(await merge(fhir, late, known))
    await made(fhir, stay(late, bed))  # an interface that has not heard of the merge
    assert found(await nurse.get("/Observation")) == sorted([chart, old_chart])


async def test_the_record_that_stays_is_as_sensitive_as_the_one_that_ends(
    fhir: httpx.AsyncClient, person: Person, desk: Desk
) -> None:
    _ward, bed = await ward_with_bed(fhir)
    star, stays = await made(fhir, patient(meta=VIP)), await made(fhir, patient())
    await made(fhir, stay(star, bed))
    said = of(await merge(fhir, star, stays))
    assert said["result"]["meta"]["security"] == VIP["security"]
    clerk = await person(Role.RECEPTIONIST)
    assert found(await clerk.get("/Patient")) == []
    assert found(await clerk.get("/Encounter")) == []


async def test_a_result_that_a_client_sends_loses_no_label(fhir: httpx.AsyncClient) -> None:
    star, stays = await made(fhir, patient(meta=VIP)), await made(fhir, patient(meta=PSYCHIATRY))
    link = {"other": {"reference": star}, "type": "replaces"}
    wanted = patient(id=stays[8:], link=[link], meta=PSYCHIATRY)
    said = of(await merge(fhir, star, stays, result_patient={"resource": wanted}))
    assert said["result"]["meta"]["security"] == [*PSYCHIATRY["security"], *VIP["security"]]


@pytest.mark.parametrize("how", ["create", "update", "transaction"])
async def test_nobody_at_a_desk_joins_records_by_a_link(fhir: httpx.AsyncClient, person: Person, how: str) -> None:
    """A link would open one chart with the other; joining is $merge, and the record office's."""
    other = await made(fhir, patient())
    clerk = await person(Role.RECEPTIONIST)
    body = patient(link=[{"other": {"reference": other}, "type": "replaces"}])

    async def sent(body: Json) -> httpx.Response:
        if how == "create":
            return await clerk.post("/Patient", json=body)
        if how == "update":
            return await clerk.put("/Patient/new", json=body | {"id": "new"})
        entry = {"request": {"method": "POST", "url": "Patient"}, "resource": body}
        return await clerk.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})

    answer = await sent(body)
    assert answer.status_code == 403, answer.text
    assert "join" in answer.text
    also = patient(link=[{"other": {"reference": other}, "type": "seealso"}])
    assert (await sent(also)).status_code in {200, 201}
    there = (await fhir.get(f"/{other}")).json()
    changed = await clerk.put(f"/{other}", json=there | {"link": body["link"]})
    assert (changed.status_code, "Patient.link" in changed.text) == (403, True)


async def test_teeth_without_the_links_the_person_is_in_two(
    fhir: httpx.AsyncClient, person: Person, desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _here, elsewhere, seen, unseen = await two_patients(fhir, desk)
    stays = await made(fhir, patient())
    await made(fhir, observation(stays))
    await open_to_the_nurse(desk, elsewhere, now)
    of(await merge(fhir, elsewhere, stays))
    monkeypatch.setattr(circle, "kin_keys", _nobody)
    assert found(await (await person(Role.NURSE)).get("/Observation")) == [seen]
    assert (await fhir.get(f"/{unseen}")).json()["subject"]["reference"] == stays


async def _nobody(*_: object) -> dict[object, object]:
    return {}
