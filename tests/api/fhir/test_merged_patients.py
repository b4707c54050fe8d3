"""Every door leads to the person, whichever record it is asked for, and stays go on under the record that stays."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from api.commands import admissions
from domain.errors import ActiveStayExists
from domain.ids import Reference
from domain.worklist import Priority
from store import journal, records
from store.database import Database
from tests.api.fhir.conftest import issue_of, observation, patient
from tests.api.fhir.merging import MRN, found, merge, of
from tests.desk import Desk, a_key


@pytest.mark.usefixtures("two")
async def test_every_door_leads_to_the_person_by_either_record(fhir: httpx.AsyncClient) -> None:
    of(await merge(fhir, "Patient/old", "Patient/new"))
    # An interface that has not heard of it still writes to the old record.
    await fhir.put("Observation/late", json=observation("Patient/old", id="late"))
    both = ["Observation/late", "Observation/of-new", "Observation/of-old"]
    for search in (
        "Observation?patient=old",
        "Observation?patient=new",
        "Observation?subject=Patient/old",
        f"Observation?subject={fhir.base_url}Patient/new",
        "Observation?patient._id=old",
        "Observation?subject:Patient.identifier=2",
        "Observation?patient.identifier=1",
        "Observation?patient.active=false",
        "Patient/old/Observation",
        "Patient/new/Observation",
    ):
        assert await found(fhir, search) == both, search
        if "Patient/" not in search.partition("?")[0]:
            counted = (await fhir.get(f"{search}&_summary=count")).json()["total"]
            assert counted == 3, search
    assert await found(fhir, "Patient?_id=new&_revinclude=Observation:patient") == [*both, "Patient/new"]
    assert await found(fhir, "Observation?patient=else") == ["Observation/of-else"]
    assert await found(fhir, "Observation?patient.identifier=3") == ["Observation/of-else"]
    assert await found(fhir, "Patient?_id=old") == ["Patient/old"]
    for id_ in ("old", "new"):
        assert await found(fhir, f"Patient/{id_}/$everything") == [*both, "Patient/new", "Patient/old"]


@pytest.mark.usefixtures("two")
async def test_links_that_a_client_writes_join_records_without_a_merge(fhir: httpx.AsyncClient) -> None:
    link = [{"other": {"reference": "Patient/old"}, "type": "replaces"}]
    await fhir.put("Patient/new", json=patient(id="new", link=link))
    assert await found(fhir, "Observation?patient=old") == ["Observation/of-new", "Observation/of-old"]
    await fhir.put("Patient/new", json=patient(id="new"))
    assert await found(fhir, "Observation?patient=old") == ["Observation/of-old"]
    seen = [{"other": {"reference": "Patient/old"}, "type": "seealso"}]
    await fhir.put("Patient/new", json=patient(id="new", link=seen))
    assert await found(fhir, "Observation?patient=old") == ["Observation/of-old"]


@pytest.mark.usefixtures("two")
async def test_links_in_a_circle_are_one_person_and_end(fhir: httpx.AsyncClient) -> None:
    for id_, other in (("old", "new"), ("new", "else"), ("else", "old")):
        link = [{"other": {"reference": f"Patient/{other}"}, "type": "replaced-by"}]
        await fhir.put(f"Patient/{id_}", json=patient(id=id_, link=link))
    assert len(await found(fhir, "Observation?patient=old")) == 3
    assert (await merge(fhir, "Patient/old", "Patient/new")).status_code == 200  # it says so already
    assert (await merge(fhir, "Patient/old", "Patient/else")).status_code == 422


@pytest.mark.usefixtures("two")
async def test_a_chain_of_merges_leads_to_its_end(fhir: httpx.AsyncClient) -> None:
    of(await merge(fhir, "Patient/old", "Patient/new"))
    of(await merge(fhir, "Patient/new", "Patient/else"))
    everything = ["Observation/of-else", "Observation/of-new", "Observation/of-old"]
    for id_ in ("old", "new", "else"):
        assert await found(fhir, f"Observation?patient={id_}") == everything
    kept = (await fhir.get("Patient/else")).json()
    assert [each["value"] for each in kept["identifier"]] == ["3", "2", "1"]
    assert (await fhir.get("Patient/old")).json()["link"][0]["other"]["reference"] == "Patient/new"


@pytest.mark.usefixtures("two")
async def test_conditions_name_the_record_that_stays(fhir: httpx.AsyncClient) -> None:
    of(await merge(fhir, "Patient/old", "Patient/new"))
    again = await fhir.post("Patient", json=patient(), headers={"If-None-Exist": f"identifier={MRN}|1"})
    assert (again.status_code, again.json()["id"]) == (200, "new")
    changed = await fhir.put(f"Patient?identifier={MRN}|1", json=patient(birthDate="1980-05-17"))
    assert (changed.status_code, changed.json()["id"]) == (200, "new")


@pytest.mark.usefixtures("two")
async def test_records_written_during_a_merge_are_the_persons(fhir: httpx.AsyncClient) -> None:
    made = [fhir.put(f"Observation/w{n}", json=observation("Patient/old", id=f"w{n}")) for n in range(12)]
    again = [fhir.put("Observation/of-old", json=observation("Patient/old", id="of-old")) for _ in range(3)]
    answers = await asyncio.gather(*made[:6], merge(fhir, "Patient/old", "Patient/new"), *again, *made[6:])
    assert {each.status_code for each in answers} <= {200, 201, 412}
    wanted = sorted([f"Observation/w{n}" for n in range(12)] + ["Observation/of-old", "Observation/of-new"])
    for id_ in ("old", "new"):
        assert await found(fhir, f"Observation?patient={id_}") == wanted


async def test_a_stay_and_its_task_go_on_under_the_record_that_stays(
    fhir: httpx.AsyncClient, desk: Desk, database: Database, hospital: str
) -> None:
    """The process keeps the reference that it began with: what it does afterwards is the person's all the same."""
    for id_ in ("old", "new"):
        await fhir.put(f"Patient/{id_}", json=patient(id=id_))
    made = await _admit(desk, "Patient/old")
    async with database.transaction(hospital) as tx:
        stay = (await records.find(tx, "Encounter"))[0].reference
    assert made == 201
    of(await merge(fhir, "Patient/old", "Patient/new"))
    encounter = (await fhir.get(stay)).json()
    assert encounter["subject"]["reference"] == "Patient/new"
    async with database.transaction(hospital) as tx:
        line = (await journal.read(tx, stay))[-1]
    assert (line.key, line.patient) == ("patients-merged", "Patient/new")
    # One person has one stay: the old reference leads to it, too.
    with pytest.raises(ActiveStayExists):
        await _admit(desk, "Patient/old")


async def test_two_patients_who_both_lie_in_the_hospital_are_not_merged(fhir: httpx.AsyncClient, desk: Desk) -> None:
    for id_ in ("old", "new"):
        await fhir.put(f"Patient/{id_}", json=patient(id=id_))
        assert await _admit(desk, f"Patient/{id_}") == 201
    answer = await merge(fhir, "Patient/old", "Patient/new")
    assert (answer.status_code, issue_of(answer)["severity"]) == (409, "error")
    assert (await fhir.get("Patient/old")).json()["meta"]["versionId"] == "1"


async def _admit(desk: Desk, who: str) -> int:
    body = admissions.AdmissionRequest(
        patient=admissions.PatientChoice(reference=Reference(who)), ward=desk.ward, priority=Priority.ROUTINE
    )
    return (await admissions.submit_request(desk.state, desk.physician, a_key(), body)).status
