"""$merge: two records of one person become one, whole or not at all."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from domain.roles import Role
from store import audit
from store.database import Database
from tests.api.fhir.conftest import Connect, Json, issue_of, observation, patient
from tests.api.fhir.merging import MRN, ask, found, merge, of


@pytest.mark.usefixtures("two")
async def test_a_merge_links_both_records_and_carries_the_identifiers(fhir: httpx.AsyncClient) -> None:
    said = of(await merge(fhir, "Patient/old", "Patient/new"))
    assert said["outcome"]["issue"][0]["diagnostics"] == "Patient/old was merged into Patient/new; 1 records moved"
    old, new = (await fhir.get("Patient/old")).json(), (await fhir.get("Patient/new")).json()
    assert said["result"] == new
    assert old["active"] is False
    assert old["link"] == [{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]
    assert new["link"] == [{"other": {"reference": "Patient/old"}, "type": "replaces"}]
    assert new["identifier"] == [{"system": MRN, "value": "2"}, {"system": MRN, "value": "1", "use": "old"}]
    assert (old["meta"]["versionId"], new["meta"]["versionId"]) == ("2", "2")


@pytest.mark.usefixtures("two")
async def test_records_move_as_new_versions_wherever_they_refer_to_the_patient(fhir: httpx.AsyncClient) -> None:
    deep = {
        "resourceType": "Basic",
        "id": "b1",
        "code": {"text": "x"},
        "extension": [{"url": "http://example.org/x", "valueReference": {"reference": "Patient/old"}}],
        "contained": [
            {"resourceType": "Condition", "id": "c", "subject": {"reference": "http://127.0.0.1/elsewhere/Patient/old"}},
            {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"},
             "subject": {"reference": f"{str(fhir.base_url).rstrip('/')}/Patient/old"}},
        ],
        "subject": {"reference": "#c"},
        "author": {"reference": "Patient/old/_history/1"},
        "modifierExtension": [{"url": "http://example.org/y", "valueReference": {"reference": "#f"}}],
    }  # fmt: skip
    assert (await fhir.put("Basic/b1", json=deep)).status_code == 201
    number = '{"resourceType":"Observation","id":"n1","status":"final","code":{"text":"x"},'
    number += '"subject":{"reference":"Patient/old"},"valueQuantity":{"value":72.50}}'
    await fhir.put("Observation/n1", content=number, headers={"content-type": "application/fhir+json"})
    of(await merge(fhir, "Patient/old", "Patient/new"))
    moved = (await fhir.get("Basic/b1")).json()
    assert moved["meta"]["versionId"] == "2"
    assert moved["extension"][0]["valueReference"] == {"reference": "Patient/new"}
    assert moved["contained"][0] == deep["contained"][0]  # another server's patient of that id
    assert moved["contained"][1]["subject"] == {"reference": "Patient/new"}
    assert moved["author"] == deep["author"]  # a version is what it was
    assert (await fhir.get("Basic/b1/_history/1")).json()["extension"] == deep["extension"]
    assert '"value":72.50' in (await fhir.get("Observation/n1")).text
    assert (await fhir.get("Observation/of-else")).json()["meta"]["versionId"] == "1"


@pytest.mark.usefixtures("two")
async def test_asked_again_a_merge_says_so_and_changes_nothing(fhir: httpx.AsyncClient) -> None:
    of(await merge(fhir, "Patient/old", "Patient/new"))
    before = (await fhir.get("_history?_count=0")).json()["total"]
    again = of(await merge(fhir, "Patient/old", "Patient/new"))
    assert "before" in again["outcome"]["issue"][0]["diagnostics"]
    assert again["result"]["id"] == "new"
    assert (await fhir.get("_history?_count=0")).json()["total"] == before


@pytest.mark.usefixtures("two")
async def test_a_preview_shows_the_result_and_changes_nothing(fhir: httpx.AsyncClient) -> None:
    before = (await fhir.get("_history?_count=0")).json()["total"]
    said = of(await merge(fhir, "Patient/old", "Patient/new", preview={"valueBoolean": True}))
    assert said["outcome"]["issue"][0]["diagnostics"].startswith("preview: 1 records would move")
    assert said["result"]["link"][0]["type"] == "replaces"
    assert (await fhir.get("_history?_count=0")).json()["total"] == before
    assert await found(fhir, "Observation?patient=new") == ["Observation/of-new"]


@pytest.mark.usefixtures("two")
async def test_patients_are_named_by_identifiers_too(fhir: httpx.AsyncClient) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "source-patient-identifier", "valueIdentifier": {"system": MRN, "value": "1"}},
            {"name": "target-patient-identifier", "valueIdentifier": {"value": "2"}},
            {"name": "target-patient", "valueReference": {"reference": "Patient/new"}},
        ],
    }
    assert of(await fhir.post("Patient/$merge", json=body))["result"]["id"] == "new"
    # Now both records carry number 1; only the one in use answers to it.
    third = ask("Patient/else", "Patient/new")
    third["parameter"][1] = body["parameter"][0] | {"name": "target-patient-identifier"}
    assert of(await fhir.post("Patient/$merge", json=third))["result"]["id"] == "new"


@pytest.mark.usefixtures("two")
async def test_a_client_may_say_what_the_record_shall_be(fhir: httpx.AsyncClient) -> None:
    link = [{"other": {"reference": "Patient/old"}, "type": "replaces"}]
    wanted = patient(id="new", link=link, birthDate="1980-05-17")
    said = of(await merge(fhir, "Patient/old", "Patient/new", result_patient={"resource": wanted}))
    assert said["result"]["birthDate"] == "1980-05-17"
    assert "identifier" not in said["result"]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("result", "status"),
    [
        (patient(id="old"), 400),
        (patient(id="new"), 400),
        (patient(id="new", link=[{"other": {"reference": "Patient/old"}, "type": "replaced-by"}]), 400),
        (patient(id="new", active=False, link=[{"other": {"reference": "Patient/old"}, "type": "replaces"}]), 400),
        (observation("Patient/new", id="new"), 400),
        (patient(id="new", gender="unheard-of"), 400),
    ],
)
async def test_a_result_that_is_not_the_target_is_refused(fhir: httpx.AsyncClient, result: Json, status: int) -> None:
    answer = await merge(fhir, "Patient/old", "Patient/new", result_patient={"resource": result})
    assert (answer.status_code, issue_of(answer)["severity"]) == (status, "error")
    assert (await fhir.get("Patient/old")).json()["meta"]["versionId"] == "1"


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("source", "target", "status"),
    [
        ("Patient/old", "Patient/old", 422),
        ("Patient/never", "Patient/new", 422),
        ("Patient/old", "Patient/never", 422),
        ("Patient/old", "Observation/of-new", 400),
        ("Patient/old", "http://elsewhere.example.org/fhir/Patient/new", 400),
        ("Patient/old", "#new", 400),
    ],
)
async def test_what_cannot_be_merged_is_refused(fhir: httpx.AsyncClient, source: str, target: str, status: int) -> None:
    answer = await merge(fhir, source, target)
    assert (answer.status_code, issue_of(answer)["severity"]) == (status, "error"), answer.text
    assert (await fhir.get("Patient/old")).json()["meta"]["versionId"] == "1"


@pytest.mark.usefixtures("two")
async def test_a_record_that_has_ended_is_neither_source_nor_target(fhir: httpx.AsyncClient) -> None:
    of(await merge(fhir, "Patient/old", "Patient/new"))
    for source, target in (("new", "old"), ("old", "else"), ("else", "old")):
        answer = await merge(fhir, f"Patient/{source}", f"Patient/{target}")
        assert (answer.status_code, issue_of(answer)["code"]) == (422, "business-rule")
        assert "replaced by Patient/new" in issue_of(answer)["diagnostics"]
    await fhir.delete("Patient/else")
    assert issue_of(await merge(fhir, "Patient/else", "Patient/new"))["code"] == "not-found"


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    "body",
    [
        None,
        patient(),
        {"resourceType": "Parameters"},
        {"resourceType": "Parameters", "parameter": [{"name": "prevew", "valueBoolean": True}]},
        {"resourceType": "Parameters", "parameter": [{"name": "source-patient", "valueString": "Patient/old"}]},
        ask("Patient/old", "Patient/new", target_patient_identifier={"valueIdentifier": {"system": MRN}}),
        {**ask("Patient/old", "Patient/new"), "parameter": ask("Patient/old", "Patient/new")["parameter"] * 2},
    ],
)
async def test_a_merge_that_is_not_asked_for_properly_is_refused(fhir: httpx.AsyncClient, body: Json | None) -> None:
    answer = await (fhir.post("Patient/$merge", json=body) if body else fhir.post("Patient/$merge"))
    assert (answer.status_code, issue_of(answer)["severity"]) == (400, "error"), answer.text


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("value", ["3", "no such"])
async def test_identifiers_of_somebody_else_are_refused(fhir: httpx.AsyncClient, value: str) -> None:
    answer = await merge(
        fhir,
        "Patient/old",
        "Patient/new",
        target_patient_identifier={"valueIdentifier": {"system": MRN, "value": value}},
    )
    assert answer.status_code == 422


@pytest.mark.usefixtures("two")
async def test_only_medical_records_merge(connect: Connect) -> None:
    for client in (await connect("system/Patient.rs"), await connect("", Role.PHYSICIAN)):
        answer = await merge(client, "Patient/old", "Patient/new")
        assert (answer.status_code, issue_of(answer)["code"]) == (403, "forbidden")
    clerk = await connect("", Role.MEDICAL_RECORDS)
    assert (await merge(clerk, "Patient/old", "Patient/new")).status_code == 200


@pytest.mark.usefixtures("two")
async def test_patients_of_another_hospital_are_not_there(
    fhir: httpx.AsyncClient, connect: Connect, other_hospital: str
) -> None:
    other = await connect(hospital=other_hospital)
    await other.put("Patient/theirs", json=patient(id="theirs"))
    assert (await merge(fhir, "Patient/old", "Patient/theirs")).status_code == 422
    assert (await merge(other, "Patient/old", "Patient/theirs")).status_code == 422


@pytest.mark.usefixtures("two")
async def test_a_merge_leaves_a_provenance_and_one_audit_row_with_both_patients(
    fhir: httpx.AsyncClient, database: Database, hospital: str
) -> None:
    of(await merge(fhir, "Patient/old", "Patient/new"))
    (entry,) = (await fhir.get("Provenance?target=Patient/old")).json()["entry"]
    kept = entry["resource"]
    assert {each["reference"] for each in kept["target"]} == {
        "Patient/old/_history/2",
        "Patient/new/_history/2",
        "Observation/of-old/_history/2",
    }
    assert kept["agent"][0]["who"]["identifier"]["value"] == "client"
    async with database.transaction(hospital) as tx:
        lines = await audit.read(tx)
    (line,) = (each for each in lines if each.detail == "fhir/operation")
    assert {"Patient/old", "Patient/new"} <= set(line.patients)


@pytest.mark.usefixtures("two")
async def test_more_records_than_a_merge_may_move_are_refused_whole(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.fhir.merge.MOST", 3)
    monkeypatch.setattr("api.fhir.merge._BATCH", 2)
    for number in range(3):
        await fhir.put(f"Observation/m{number}", json=observation("Patient/old", id=f"m{number}"))
    answer = await merge(fhir, "Patient/old", "Patient/new")
    assert (answer.status_code, issue_of(answer)["code"]) == (400, "too-costly")
    assert await found(fhir, "Observation?patient=new") == ["Observation/of-new"]
    await fhir.delete("Observation/m2")
    assert (
        "3 records moved" in of(await merge(fhir, "Patient/old", "Patient/new"))["outcome"]["issue"][0]["diagnostics"]
    )


@pytest.mark.usefixtures("two")
async def test_of_two_merges_at_once_both_ways_one_is_refused(fhir: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(merge(fhir, "Patient/old", "Patient/new"), merge(fhir, "Patient/new", "Patient/old"))
    assert sorted(each.status_code for each in answers) == [200, 422]
    active = [(await fhir.get(f"Patient/{id_}")).json().get("active", True) for id_ in ("old", "new")]
    assert sorted(active) == [False, True]
