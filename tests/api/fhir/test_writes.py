"""create, update, delete: ids, versions, conditions, preferences, and state that a process owns."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.api.fhir.conftest import Connect, issue_of, observation, patient
from tests.desk import Desk, a_key


async def test_a_create_gives_an_id_whatever_the_client_says(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("Patient", json=patient(id="mine"))
    assert answer.status_code == 201
    body = answer.json()
    assert body["id"] != "mine"
    assert answer.headers["location"] == f"{str(fhir.base_url).rstrip('/')}/Patient/{body['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert (await fhir.get(f"Patient/{body['id']}")).json() == body


async def test_what_was_sent_is_what_is_read_apart_from_id_and_meta(fhir: httpx.AsyncClient) -> None:
    sent = patient(meta={"tag": [{"system": "urn:x", "code": "y"}]}, extension=[{"url": "urn:e", "valueDecimal": 1.0}])
    made = (await fhir.post("Patient", json=sent)).json()
    read = (await fhir.get(f"Patient/{made['id']}")).json()
    assert read["meta"].pop("versionId") == "1"
    assert read["meta"].pop("lastUpdated")
    assert read.pop("id") == made["id"]
    assert read == sent


async def test_an_update_makes_a_version_and_an_unknown_id_a_resource(fhir: httpx.AsyncClient) -> None:
    made = await fhir.put("Patient/own-id.1", json=patient(id="own-id.1"))
    assert (made.status_code, made.headers["etag"]) == (201, 'W/"1"')
    again = await fhir.put("Patient/own-id.1", json=patient(id="own-id.1", active=False))
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')
    assert again.json()["active"] is False


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        (patient(id="other"), "Patient.id"),
        (patient(), "Patient.id"),
        ({"resourceType": "Observation", "id": "p1"}, "Patient.resourceType"),
        ({"id": "p1"}, "Patient.resourceType"),
    ],
)
async def test_an_update_about_something_else_is_refused_with_its_place(
    fhir: httpx.AsyncClient, body: dict[str, object], expression: str
) -> None:
    answer = await fhir.put("Patient/p1", json=body)
    assert (answer.status_code, issue_of(answer)["expression"]) == (400, [expression])


@pytest.mark.parametrize(("etag", "status"), [('W/"1"', 200), ('"1"', 200), ("*", 200), ('W/"2"', 412), ("x", 400)])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_if_match_lets_only_the_version_that_was_read_be_changed(
    fhir: httpx.AsyncClient, etag: str, status: int, method: str
) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    headers = {"If-Match": etag, "Content-Type": "application/json"}
    bodies = {"PUT": patient(id="p1", active=True), "PATCH": [{"op": "add", "path": "/active", "value": True}]}
    answer = await fhir.request(method, "Patient/p1", json=bodies.get(method), headers=headers)
    assert answer.status_code == (204 if method == "DELETE" and status == 200 else status), answer.text
    assert (await fhir.get("Patient/p1/_history")).json()["total"] == (2 if status == 200 else 1)


async def test_if_match_on_what_is_not_there_is_refused(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.put("Patient/p1", json=patient(id="p1"), headers={"If-Match": 'W/"1"'})
    assert answer.status_code == 412
    assert (await fhir.get("Patient/p1")).status_code == 404


async def test_if_none_match_star_creates_and_never_overwrites(fhir: httpx.AsyncClient) -> None:
    for status in (201, 412):
        answer = await fhir.put("Patient/p1", json=patient(id="p1"), headers={"If-None-Match": "*"})
        assert answer.status_code == status


async def test_of_two_updates_at_once_with_if_match_one_is_refused(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    sent = [
        fhir.put("Patient/p1", json=patient(id="p1", active=active), headers={"If-Match": 'W/"1"'})
        for active in (True, False)
    ]
    assert sorted(answer.status_code for answer in await asyncio.gather(*sent)) == [200, 412]


async def test_a_deleted_resource_is_gone_keeps_its_history_and_may_come_back(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    answer = await fhir.delete("Patient/p1")
    assert (answer.status_code, answer.headers["etag"], answer.content) == (204, 'W/"2"', b"")
    assert (await fhir.get("Patient/p1")).status_code == 410
    assert (await fhir.delete("Patient/p1")).status_code == 204
    assert (await fhir.delete("Patient/never")).status_code == 204
    back = await fhir.put("Patient/p1", json=patient(id="p1"))
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')
    assert (await fhir.get("Patient/p1/_history")).json()["total"] == 3


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [
        ("", "Patient"),
        ("return=representation", "Patient"),
        ("return=minimal", None),
        ("return=OperationOutcome", "OperationOutcome"),
        ("handling=strict, return=minimal", None),
        ("return=minimal; x=y", None),
        ("return=something", "Patient"),
    ],
)
async def test_a_client_chooses_what_a_write_answers(fhir: httpx.AsyncClient, prefer: str, kind: str | None) -> None:
    for answer in (
        await fhir.post("Patient", json=patient(), headers={"Prefer": prefer}),
        await fhir.put("Patient/p1", json=patient(id="p1"), headers={"Prefer": prefer}),
    ):
        assert answer.status_code == 201
        assert "location" in answer.headers
        assert (answer.json()["resourceType"] if answer.content else None) == kind


def numbered(value: str) -> dict[str, object]:
    return patient(identifier=[{"system": "urn:mrn", "value": value}])


async def test_a_conditional_create_finds_the_one_that_exists(fhir: httpx.AsyncClient) -> None:
    headers = {"If-None-Exist": "identifier=urn:mrn|1"}
    first = await fhir.post("Patient", json=numbered("1"), headers=headers)
    second = await fhir.post("Patient", json=numbered("1"), headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["location"] == first.headers["location"]


async def test_two_conditional_creates_at_once_make_one_resource(fhir: httpx.AsyncClient) -> None:
    headers = {"If-None-Exist": "identifier=urn:mrn|1"}
    sent = [fhir.post("Patient", json=numbered("1"), headers=headers) for _ in range(4)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*sent))
    assert statuses == [200, 200, 200, 201]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_criteria_that_name_two_resources_are_refused(fhir: httpx.AsyncClient, method: str) -> None:
    for _ in range(2):
        await fhir.post("Patient", json=numbered("1"))
    answer = await conditional(fhir, method, "identifier=urn:mrn|1")
    assert (answer.status_code, issue_of(answer)["code"]) == (412, "multiple-matches")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("criteria", ["", "unheard-of=1", "identifier=", "_format=json"])
async def test_criteria_that_would_name_anything_are_refused(
    fhir: httpx.AsyncClient, method: str, criteria: str
) -> None:
    await fhir.post("Patient", json=numbered("1"))
    assert (await conditional(fhir, method, criteria)).status_code == 400
    assert (await fhir.get("Patient/_history")).json()["total"] == 1


async def conditional(fhir: httpx.AsyncClient, method: str, criteria: str) -> httpx.Response:
    """A conditional interaction by each method."""
    if method == "POST":
        return await fhir.post("Patient", json=numbered("1"), headers={"If-None-Exist": criteria})
    patch = [{"op": "add", "path": "/active", "value": True}]
    body = {"PUT": numbered("1"), "PATCH": patch}.get(method)
    return await fhir.request(method, "Patient?" + criteria, json=body)


async def test_conditional_update_patch_and_delete_meet_the_one_resource(fhir: httpx.AsyncClient) -> None:
    made = await conditional(fhir, "PUT", "identifier=urn:mrn|1")
    updated = await conditional(fhir, "PUT", "identifier=urn:mrn|1")
    patched = await conditional(fhir, "PATCH", "identifier=urn:mrn|1")
    deleted = await conditional(fhir, "DELETE", "identifier=urn:mrn|1")
    assert [one.status_code for one in (made, updated, patched, deleted)] == [201, 200, 200, 204]
    assert [one.headers["etag"] for one in (made, updated, patched, deleted)] == [f'W/"{n}"' for n in (1, 2, 3, 4)]
    assert (await conditional(fhir, "DELETE", "identifier=urn:mrn|1")).status_code == 204
    assert (await conditional(fhir, "PATCH", "identifier=urn:mrn|1")).status_code == 404


async def test_state_that_a_process_owns_changes_by_commands_only(fhir: httpx.AsyncClient, desk: Desk) -> None:
    asked = await desk.request(a_key())
    encounter = asked.answer["encounter"]
    resource = (await fhir.get(encounter)).json()
    changed = await fhir.put(encounter, json=resource | {"status": "finished"})
    patched = await fhir.patch(encounter, json=[{"op": "replace", "path": "/status", "value": "finished"}])
    deleted = await fhir.delete(encounter)
    bundled = await fhir.post(
        "",
        json={
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"resource": patient(), "request": {"method": "POST", "url": "Patient"}},
                {"resource": resource | {"status": "finished"}, "request": {"method": "PUT", "url": encounter}},
            ],
        },
    )
    for answer in (changed, patched, deleted, bundled):
        assert (answer.status_code, issue_of(answer)["code"]) == (409, "business-rule"), answer.text
        assert "/commands/" in issue_of(answer)["diagnostics"]
    assert issue_of(changed)["expression"] == ["Encounter.status"]
    assert (await fhir.get(encounter)).json() == resource


async def test_other_elements_of_an_owned_resource_stay_open(fhir: httpx.AsyncClient, desk: Desk) -> None:
    asked = await desk.request(a_key())
    encounter = asked.answer["encounter"]
    resource = (await fhir.get(encounter)).json()
    answer = await fhir.put(encounter, json=resource | {"serviceType": {"text": "cardiology"}})
    assert answer.status_code == 200, answer.text


async def test_a_reference_of_a_wrong_form_is_refused_with_its_place(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("Observation", json=observation("Patient/with space"))
    assert answer.status_code == 400
    assert issue_of(answer)["expression"][0].startswith("Observation.subject")


async def test_a_write_of_another_hospital_leaves_ours_alone(
    fhir: httpx.AsyncClient, connect: Connect, other_hospital: str
) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    other = await connect(hospital=other_hospital)
    assert (await other.put("Patient/p1", json=patient(id="p1", active=False))).status_code == 201
    assert (await other.delete("Patient/p1")).status_code == 204
    assert "active" not in (await fhir.get("Patient/p1")).json()


async def test_criteria_in_the_address_of_a_create_are_a_condition(fhir: httpx.AsyncClient) -> None:
    known = patient(identifier=[{"system": "urn:x", "value": "a?b=c"}])
    made = [await fhir.post("Patient", params={"identifier": "urn:x|a?b=c"}, json=known) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 200]
    assert made[0].json()["id"] == made[1].json()["id"]
    entry = {"resource": known, "request": {"method": "POST", "url": "Patient?identifier=urn:x|a?b=c"}}
    for kind in ("batch", "transaction"):
        answer = await fhir.post("", json={"resourceType": "Bundle", "type": kind, "entry": [entry]})
        assert answer.json()["entry"][0]["response"]["status"] == "200 OK"
    assert (await fhir.post("Patient?unheard-of=1", json=patient())).status_code == 400
