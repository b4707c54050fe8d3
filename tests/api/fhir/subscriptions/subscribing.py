"""Subscriptions as their clients ask for them, and the time that the server sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from api.fhir.notifying import Notifier
from tests.api.fhir.conftest import Json
from tests.api.fhir.receiver import Receiver
from tests.store.values import settled

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"


@dataclass
class Present:
    """The time that the server sees; it goes on when a test says so."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)


async def told(notifier: Notifier) -> None:
    """Everything that is due is done, also what other tests' open transactions hold back."""
    while True:
        await settled(notifier.state.database, "subscribing")
        if not await notifier.turn():
            return


def asking(receiver: Receiver, criteria: str, **channel: Any) -> Json:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": criteria,
        "channel": {"type": "rest-hook", "endpoint": receiver.hook, "payload": "application/fhir+json"} | channel,
    }


def topical(receiver: Receiver, topic: str, *filters: str, content: str = "id-only", **extensions: int) -> Json:
    asked = asking(receiver, topic)
    asked["meta"] = {"profile": [f"{_BACKPORT}/backport-subscription"]}
    asked["channel"]["_payload"] = {
        "extension": [{"url": f"{_BACKPORT}/backport-payload-content", "valueCode": content}]
    }
    if filters:
        asked["_criteria"] = {
            "extension": [{"url": f"{_BACKPORT}/backport-filter-criteria", "valueString": each} for each in filters]
        }
    if extensions:
        asked["channel"]["extension"] = [
            {"url": f"{_BACKPORT}/backport-{name.replace('_', '-')}", "valueUnsignedInt": value}
            for name, value in extensions.items()
        ]
    return asked


def encounter(id_: str, status: str, who: str = "p1") -> Json:
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{who}"},
    }


async def put(fhir: httpx.AsyncClient, resource: Json) -> None:
    answer = await fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.is_success, answer.text


async def begun(fhir: httpx.AsyncClient, notifier: Notifier, asked: Json) -> str:
    """The address of a subscription that is active."""
    answer = await fhir.post("Subscription", json=asked)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "requested"
    await told(notifier)
    where = f"Subscription/{answer.json()['id']}"
    assert (await fhir.get(where)).json()["status"] == "active"
    return where


async def status_of(fhir: httpx.AsyncClient, where: str) -> tuple[str, str]:
    said = (await fhir.get(where)).json()
    return said["status"], said.get("error", "")


def event(body: Json, name: str) -> list[Any]:
    """The values of a parameter of the status that begins a notification."""
    (status,) = [each["resource"] for each in body["entry"][:1]]
    return [
        value for each in status["parameter"] if each["name"] == name for key, value in each.items() if key != "name"
    ]
