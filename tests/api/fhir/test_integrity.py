"""PHIS_REFERENCE_CHECKS: what references may name, and what may be deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from api.fhir.server import FhirServer
from api.state import ReferenceChecks
from tests.api.fhir.conftest import Connect, Json, issue_of, observation, patient

Mode = Callable[[ReferenceChecks], None]


@pytest.fixture
def mode(app: FastAPI) -> Mode:
    def set_to(checks: ReferenceChecks) -> None:
        app.state.phis = replace(app.state.phis, reference_checks=checks)
        app.state.fhir = FhirServer(app.state.phis)

    return set_to


def entry(method: str, url: str, resource: Json | None = None, full_url: str = "") -> Json:
    made: Json = {"request": {"method": method, "url": url}}
    return made | ({"resource": resource} if resource else {}) | ({"fullUrl": full_url} if full_url else {})


async def transaction(fhir: httpx.AsyncClient, *entries: Json) -> httpx.Response:
    return await fhir.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": list(entries)})


async def test_unchecked_references_may_name_anything(fhir: httpx.AsyncClient, mode: Mode) -> None:
    mode("off")
    assert (await fhir.post("Observation", json=observation("Medication/none"))).status_code == 201


NEITHER = [{"reference": "Patient/p1"}, {"reference": "Location/l1"}]
NOT_AN_AUTHOR = [{"text": "x", "authorReference": {"reference": "Group/g1"}}]


@pytest.mark.parametrize("checks", ["types", "exist"])
@pytest.mark.parametrize(
    ("made", "where"),
    [
        (observation("Medication/m1"), "Observation.subject.reference"),
        (observation("Medication/m1/_history/1"), "Observation.subject.reference"),
        (observation("Patient/p1", performer=NEITHER), "Observation.performer.reference"),
        (observation("Patient/p1", note=NOT_AN_AUTHOR), "Observation.note.authorReference.reference"),
    ],
)
async def test_a_reference_names_a_type_that_its_element_allows(
    fhir: httpx.AsyncClient, mode: Mode, checks: ReferenceChecks, made: Json, where: str
) -> None:
    mode("off")
    await fhir.put("Patient/p1", json=patient(id="p1"))
    mode(checks)
    answer = await fhir.post("Observation", json=made)
    assert (answer.status_code, issue_of(answer)["expression"]) == (422, [where]), answer.text
    assert (await fhir.get("Observation?_summary=count")).json()["total"] == 0
    within = await transaction(fhir, entry("POST", "Patient", patient()), entry("POST", "Observation", made))
    assert issue_of(within)["expression"] == [f"Bundle.entry[1].resource.{where.partition('.')[2]}"]
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 1


async def test_with_types_alone_what_is_named_need_not_be_there(fhir: httpx.AsyncClient, mode: Mode) -> None:
    mode("types")
    assert (await fhir.put("Observation/o1", json=observation("Patient/none", id="o1"))).status_code == 201
    assert (await fhir.delete("Observation/o1")).status_code == 204


async def test_what_is_named_is_there(
    fhir: httpx.AsyncClient, mode: Mode, connect: Connect, other_hospital: str
) -> None:
    mode("exist")
    theirs = await connect(hospital=other_hospital)
    await theirs.put("Patient/theirs", json=patient(id="theirs"))
    await fhir.put("Patient/here", json=patient(id="here"))
    await fhir.put("Patient/gone", json=patient(id="gone"))
    await fhir.delete("Patient/gone")
    for name in ("none", "gone", "theirs"):
        answer = await fhir.put("Observation/o1", json=observation(f"Patient/{name}", id="o1"))
        assert (answer.status_code, issue_of(answer)["code"]) == (422, "not-found")
    base = str(fhir.base_url).rstrip("/")
    elsewhere = ("http://elsewhere.example.org/Patient/x", "urn:uuid:4b6dc0a4-0d2f-4a39-9a3e-6a2a3e1c2b11")
    for text in ("Patient/here", f"{base}/Patient/here", *elsewhere):
        answer = await fhir.put("Observation/o1", json=observation(text, id="o1"))
        assert answer.status_code in {200, 201}, text
    patch = [{"op": "replace", "path": "/subject/reference", "value": "Patient/none"}]
    answer = await fhir.patch("Observation/o1", json=patch, headers={"content-type": "application/json-patch+json"})
    assert answer.status_code == 422
    itself = observation("Patient/here", id="o2", hasMember=[{"reference": "Observation/o2"}])
    assert (await fhir.put("Observation/o2", json=itself)).status_code == 201


async def test_entries_of_a_transaction_may_name_each_other(fhir: httpx.AsyncClient, mode: Mode) -> None:
    mode("exist")
    made = observation("urn:uuid:6c1f0f4e-8b1f-4f0e-9f53-0d1a8a5f0a01")
    named = entry("POST", "Patient", patient(), "urn:uuid:6c1f0f4e-8b1f-4f0e-9f53-0d1a8a5f0a01")
    first = observation("Patient/p9", id="a", hasMember=[{"reference": "Observation/b"}])
    second = observation("Patient/p9", id="b", hasMember=[{"reference": "Observation/a"}])
    answer = await transaction(
        fhir,
        entry("POST", "Observation", made),
        named,
        entry("PUT", "Observation/a", first),
        entry("PUT", "Observation/b", second),
        entry("PUT", "Patient/p9", patient(id="p9")),
    )
    assert answer.status_code == 200, answer.text
    answer = await transaction(
        fhir, entry("DELETE", "Patient/p9"), entry("POST", "Observation", observation("Patient/p9"))
    )
    assert (answer.status_code, issue_of(answer)["code"]) == (422, "not-found")


async def test_what_others_refer_to_is_not_deleted(fhir: httpx.AsyncClient, mode: Mode) -> None:
    mode("exist")
    await fhir.put("Patient/p1", json=patient(id="p1"))
    await fhir.put("Observation/o1", json=observation("Patient/p1", id="o1"))
    deep = {"resourceType": "Basic", "id": "b1", "code": {"text": "x"}}
    deep["extension"] = [{"url": "http://example.org/x", "valueReference": {"reference": "Patient/p1"}}]
    await fhir.put("Basic/b1", json=deep)
    for last in ("Observation/o1", "Basic/b1"):
        answer = await fhir.delete("Patient/p1")
        assert (answer.status_code, issue_of(answer)["code"]) == (409, "conflict")
        assert (await fhir.get("Patient/p1")).status_code == 200
        if last == "Observation/o1":
            assert (await fhir.delete(last)).status_code == 204
    # Those that go together hold nothing up.
    both = await transaction(fhir, entry("DELETE", "Patient/p1"), entry("DELETE", "Basic/b1"))
    assert both.status_code == 200, both.text


async def test_a_deletion_and_a_reference_at_once_leave_no_reference_to_nothing(
    fhir: httpx.AsyncClient, mode: Mode
) -> None:
    mode("exist")
    for number in range(5):
        await fhir.put(f"Patient/q{number}", json=patient(id=f"q{number}"))
        written, deleted = await asyncio.gather(
            fhir.put(f"Observation/q{number}", json=observation(f"Patient/q{number}", id=f"q{number}")),
            fhir.delete(f"Patient/q{number}"),
        )
        assert (written.status_code, deleted.status_code) in {(201, 409), (422, 204)}
