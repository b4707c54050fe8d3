"""SMART's client-py does a day's work on our server, over a socket: what its models refuse, it raises."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
import requests
from fhirclient import client
from fhirclient.models import bundle, encounter, fhirdate, humanname, identifier, meta, observation, patient
from fhirclient.server import FHIRNotFoundException, FHIRUnauthorizedException

from tests.fhir.conftest import Served

pytestmark = pytest.mark.sockets

NUMBERS = "urn:oid:1.2.410.100110.10.1"
PULSES = 7


@pytest.fixture
def smart(served: Served) -> client.FHIRClient:
    found = client.FHIRClient(settings={"app_id": "phis-tests", "api_base": served.base})
    found.server.session.headers.update(served.headers)
    return found


def _registered(smart: client.FHIRClient, family: str, number: str, born: str) -> patient.Patient:
    made = patient.Patient()
    made.name = [humanname.HumanName({"family": family, "given": ["하나"]})]
    made.identifier = [identifier.Identifier({"system": NUMBERS, "value": number})]
    made.birthDate = fhirdate.FHIRDate(born)
    made.gender = "female"
    answer = made.create(smart.server)
    assert answer is not None
    return patient.Patient(answer)


def _pulse(subject: str, hour: int, value: float) -> observation.Observation:
    return observation.Observation(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": subject},
            "effectiveDateTime": f"2026-03-01T{hour:02}:00:00+09:00",
            "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
        }
    )


async def test_a_day_of_work(smart: client.FHIRClient) -> None:
    await asyncio.to_thread(_day, smart)


def _day(smart: client.FHIRClient) -> None:
    server = smart.server
    assert server.capabilityStatement.fhirVersion == "4.0.1"
    _register_and_correct(smart)
    someone = _registered(smart, "박", "7", "1957-12-31")
    _measure(smart, someone)
    _admit_by_transaction(smart, someone)
    _everything_and_end(smart, someone)


def _register_and_correct(smart: client.FHIRClient) -> None:
    made = _registered(smart, "김", "1", "1970-02-03")
    found = patient.Patient.where({"identifier": f"{NUMBERS}|1"}).perform_resources_iter(smart.server)
    assert [(each.id, each.birthDate.date) for each in found] == [(made.id, date(1970, 2, 3))]
    read = patient.Patient.read(made.id, smart.server)
    read.name[0].family = "이"
    answer = read.update(smart.server)
    assert (answer["meta"]["versionId"], answer["name"][0]["family"]) == ("2", "이")
    assert list(patient.Patient.where({"family": "김"}).perform_resources_iter(smart.server)) == []
    versions = bundle.Bundle.read_from(f"Patient/{made.id}/_history", smart.server)
    assert [entry.resource.name[0].family for entry in versions.entry] == ["이", "김"]
    read.delete(smart.server)
    with pytest.raises(requests.HTTPError, match="410"):
        patient.Patient.read(made.id, smart.server)
    with pytest.raises(FHIRNotFoundException):
        patient.Patient.read("nobody", smart.server)


def _measure(smart: client.FHIRClient, someone: patient.Patient) -> None:
    """Search by code, by date and by value, to the end of the pages, with what is referred to."""
    for number in range(PULSES):
        _pulse(f"Patient/{someone.id}", number, 60 + number).create(smart.server)

    def values(**given: Any) -> list[float]:
        search = observation.Observation.where({"patient": someone.id, "_sort": "date", "_count": "2", **given})
        return [each.valueQuantity.value for each in search.perform_resources_iter(smart.server)]

    assert values(code="http://loinc.org|8867-4") == [60 + number for number in range(PULSES)]
    assert values(date="ge2026-03-01T05:00:00+09:00") == [65, 66]
    assert values(**{"value-quantity": "lt62||/min"}) == [60, 61]
    assert values(code="2345-7") == []
    included = observation.Observation.where({"patient": someone.id}).include("subject")
    kinds = [each.resource_type for each in included.perform_resources_iter(smart.server)]
    assert (kinds.count("Observation"), kinds.count("Patient")) == (PULSES, 1)
    reverse = patient.Patient.where({"_id": someone.id})
    reverse = reverse.include("subject", observation.Observation, reverse=True)
    assert len(list(reverse.perform_resources_iter(smart.server))) == 1 + PULSES


def _admit_by_transaction(smart: client.FHIRClient, someone: patient.Patient) -> None:
    stay = encounter.Encounter(
        {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": {"reference": f"Patient/{someone.id}"},
        }
    )
    measured = _pulse(f"Patient/{someone.id}", 12, 91.50).as_json()
    measured["encounter"] = {"reference": "urn:uuid:e0000000-0000-4000-8000-000000000001"}
    sent = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": measured, "request": {"method": "POST", "url": "Observation"}},
            {
                "fullUrl": "urn:uuid:e0000000-0000-4000-8000-000000000001",
                "resource": stay.as_json(),
                "request": {"method": "POST", "url": "Encounter"},
            },
        ],
    }
    answer = bundle.Bundle(smart.server.post_json("", bundle.Bundle(sent).as_json()).json())
    assert [entry.response.status for entry in answer.entry] == ["201 Created", "201 Created"]
    found = observation.Observation.where({"encounter.status": "in-progress"}).perform_resources_iter(smart.server)
    assert [each.valueQuantity.value for each in found] == [91.5]


def _everything_and_end(smart: client.FHIRClient, someone: patient.Patient) -> None:
    whole = bundle.Bundle.read_from(f"Patient/{someone.id}/$everything", smart.server)
    assert len(whole.entry) == 1 + PULSES + 1 + 1
    assert whole.entry[0].resource.as_json()["name"] == someone.as_json()["name"]
    smart.server.session.headers.pop("Authorization")
    with pytest.raises(FHIRUnauthorizedException):
        patient.Patient.read(someone.id, smart.server)


def test_its_models_know_what_ours_say_of_versions() -> None:
    assert meta.Meta({"versionId": "1", "lastUpdated": "2026-03-01T00:00:00.123+09:00"}).versionId == "1"
