"""fhirpy, once waiting and once not, does a day's work on our server over a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

from tests.fhir.conftest import Served

pytestmark = pytest.mark.sockets

NUMBERS = "urn:oid:1.2.410.100110.10.1"
PULSES = 23


def _patient(number: str, family: str) -> dict[str, Any]:
    return {
        "identifier": [{"system": NUMBERS, "value": number}],
        "name": [{"family": family, "given": ["하나"]}],
        "gender": "female",
        "birthDate": "1970-02-03",
    }


def _pulse(subject: Any, number: int) -> dict[str, Any]:
    return {
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": subject,
        "effectiveDateTime": f"2026-03-{number + 1:02}",
        "valueQuantity": {"value": 60 + number, "system": "http://unitsofmeasure.org", "code": "/min"},
    }


async def test_a_day_of_work_of_a_client_that_waits(served: Served) -> None:
    await asyncio.to_thread(_day, SyncFHIRClient(served.base, authorization=f"Bearer {served.token}"))


def _day(phis: SyncFHIRClient) -> None:
    assert phis.execute("metadata", method="get")["fhirVersion"] == "4.0.1"
    kim = phis.resource("Patient", **_patient("1", "김"))
    kim.save()
    found, made = (
        phis.resources("Patient")
        .search(identifier=f"{NUMBERS}|1")
        .get_or_create(phis.resource("Patient", **_patient("1", "또")))
    )
    assert (found.id, made) == (kim.id, False)
    found, made = (
        phis.resources("Patient")
        .search(identifier=f"{NUMBERS}|2")
        .get_or_create(phis.resource("Patient", **_patient("2", "박")))
    )
    assert made is True
    updated, made = (
        phis.resources("Patient")
        .search(identifier=f"{NUMBERS}|2")
        .update(phis.resource("Patient", **_patient("2", "최")))
    )
    assert (updated.id, made, updated["name"][0]["family"]) == (found.id, False, "최")
    with pytest.raises(MultipleResourcesFound):
        phis.resources("Patient").search(gender="female").get()
    for number in range(PULSES):
        phis.resource("Observation", **_pulse(kim.to_reference(), number)).save()
    _look(phis, kim)
    _change_and_end(phis, kim)


def _look(phis: SyncFHIRClient, kim: Any) -> None:
    pulses = phis.resources("Observation").search(patient=kim.id)
    assert pulses.count() == PULSES
    values = [each["valueQuantity"]["value"] for each in pulses.sort("-date").limit(5)]
    assert values == [60 + number for number in reversed(range(PULSES))]
    assert len(pulses.limit(4).fetch()) == 4
    assert len(pulses.search(date__ge="2026-03-20").fetch_all()) == PULSES - 19
    assert len(pulses.search(value_quantity__gt="80").fetch_all()) == PULSES - 21
    assert pulses.search(code="http://loinc.org|8867-4", status__not="final").first() is None
    elements = pulses.elements("status").first()
    assert "subject" not in elements
    raw = pulses.include("Observation", "subject").limit(2).fetch_raw()
    assert [entry["search"]["mode"] for entry in raw["entry"]] == ["match", "match", "include"]
    raw = phis.resources("Patient").search(_id=kim.id).revinclude("Observation", "subject").fetch_raw()
    assert len(raw["entry"]) == 1 + PULSES
    assert phis.resources("Patient").has("Observation", "patient", code="8867-4").get().id == kim.id
    whole = kim.execute("$everything", method="get", params={"_count": 100})
    assert len(whole["entry"]) == 1 + PULSES


def _change_and_end(phis: SyncFHIRClient, kim: Any) -> None:
    kim["active"] = True
    kim.save()
    assert kim["meta"]["versionId"] == "2"
    # Its own `patch` sends a JSON Merge Patch, which R4 does not know; R4's JSON Patch goes as a request.
    patch = [{"op": "replace", "path": "/active", "value": False}]
    assert phis.execute(f"Patient/{kim.id}", method="patch", data=patch)["active"] is False
    with pytest.raises(OperationOutcome):
        phis.patch("Patient", kim.id, active=True)
    stale = phis.reference("Patient", kim.id).to_resource()
    history = kim.execute("_history", method="get")
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]][-2:] == ["2", "1"]
    kim.delete()
    with pytest.raises(ResourceNotFound):
        phis.reference("Patient", kim.id).to_resource()
    with pytest.raises(ResourceNotFound):
        phis.resources("Patient").search(identifier=f"{NUMBERS}|1").get()
    stale.save()
    assert stale["meta"]["versionId"] == "5"


async def test_a_day_of_work_of_a_client_that_does_not_wait(served: Served) -> None:
    phis = AsyncFHIRClient(served.base, authorization=f"Bearer {served.token}")
    sent = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:a0000000-0000-4000-8000-000000000001",
                "resource": {"resourceType": "Patient", **_patient("1", "김")},
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={NUMBERS}|1"},
            },
            *(
                {
                    "resource": {
                        "resourceType": "Observation",
                        **_pulse({"reference": "urn:uuid:a0000000-0000-4000-8000-000000000001"}, number),
                    },
                    "request": {"method": "POST", "url": "Observation"},
                }
                for number in range(PULSES)
            ),
        ],
    }
    answer = await phis.execute("", method="post", data=sent)
    assert {entry["response"]["status"] for entry in answer["entry"]} == {"201 Created"}
    kim = await phis.resources("Patient").search(identifier=f"{NUMBERS}|1").get()
    seen = [
        each["valueQuantity"]["value"] async for each in phis.resources("Observation").search(patient=kim.id).limit(5)
    ]
    assert sorted(seen) == [60 + number for number in range(PULSES)]
    # All at once on one patient: each finds the other's, or makes it, and one patient stays one.
    made = await asyncio.gather(
        *(
            phis.resources("Patient")
            .search(identifier=f"{NUMBERS}|2")
            .get_or_create(phis.resource("Patient", **_patient("2", "박")))
            for _ in range(6)
        )
    )
    assert len({each.id for each, _ in made}) == 1
    patch = [{"op": "add", "path": "/active", "value": False}]
    patched = await phis.execute("Patient", method="patch", data=patch, params={"identifier": f"{NUMBERS}|2"})
    assert patched["active"] is False
    assert await phis.resources("Observation").count() == PULSES
    _, status = await phis.resources("Patient").search(identifier=f"{NUMBERS}|2").delete()
    assert status == 204
