"""What a notification says: a resource or nothing, or of a topic a Bundle that begins with the subscription's status.

hl7.org/fhir/uv/subscriptions-backport/notifications.html, release 1.1, as R4 says it (Parameters in a history Bundle).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import uuid4

from api.fhir import bundles
from api.fhir.mentions import patients_of
from api.fhir.parameters import part, parts
from api.fhir.subscription import STATUS_PROFILE, Asked
from api.fhir.text import Json, write
from store.fhir.versions import Version
from store.outbox import Place

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
Method = Literal["POST", "PUT"]

_MEDIA_TYPE = "application/fhir+json; charset=utf-8"


@dataclass(frozen=True)
class Event:
    """A version that is told of, and where its change stands. number: events since the start, this one included."""

    at: Place
    version: Version
    number: int


@dataclass(frozen=True)
class Message:
    method: Method
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Told:
    """The subscription that a notification belongs to. base: our address of the hospital.  status: its present one."""

    id: str
    base: str
    asked: Asked
    status: str
    events: int


def plain(told: Told, event: Event) -> Message:
    """Of criteria: an empty POST, or with a payload an update beneath the endpoint (subscription-channel-type)."""
    asked = told.asked
    headers = dict(asked.headers)
    if not asked.payload:
        return Message("POST", asked.endpoint, headers, b"")
    url = f"{asked.endpoint.rstrip('/')}/{event.version.reference}"
    return Message("PUT", url, headers | {"Content-Type": _MEDIA_TYPE}, event.version.text)


def topical(told: Told, kind: Kind, events: Sequence[Event], at: datetime) -> Message:
    """Of a topic: handshake, heartbeat, or events."""
    headers = dict(told.asked.headers) | {"Content-Type": _MEDIA_TYPE}
    return Message("POST", told.asked.endpoint, headers, bundle(told, kind, events, at))


def status(told: Told, kind: Kind, events: Sequence[Event] = (), *, at: datetime, error: str = "") -> Json:
    """The status as a Parameters resource."""
    since = events[-1].number if events and kind != "query-event" else told.events
    listed = [
        part("subscription", valueReference={"reference": f"{told.base}/Subscription/{told.id}"}),
        part("topic", valueCanonical=told.asked.topic) if told.asked.topic else None,
        part("status", valueCode=told.status),
        part("type", valueCode=kind),
        part("events-since-subscription-start", valueString=str(since)),
        *(_event(told, each, at) for each in events),
        part("error", valueCodeableConcept={"text": error}) if error else None,
    ]
    return {
        "resourceType": "Parameters",
        "id": str(uuid4()),
        "meta": {"profile": [STATUS_PROFILE]},
        "parameter": [each for each in listed if each is not None],
    }


def _event(told: Told, event: Event, at: datetime) -> Json:
    shown = told.asked.content != "empty"
    about = {"reference": f"{told.base}/{event.version.reference}"}
    patients = sorted(patients_of([event.version]) - {event.version.reference}) if shown else []
    return parts(
        "notification-event",
        part("event-number", valueString=str(event.number)),
        part("timestamp", valueInstant=bundles.instant(event.version.last_updated or at)),
        part("focus", valueReference=about) if shown else None,
        *(part("additional-context", valueReference={"reference": f"{told.base}/{each}"}) for each in patients),
    )


def bundle(told: Told, kind: Kind, events: Sequence[Event], at: datetime) -> bytes:
    """The Bundle that tells of events, or answers a question for them."""
    said = status(told, kind, events, at=at)
    asking = {"method": "GET", "url": f"{told.base}/Subscription/{told.id}/$status"}
    entries = [
        bundles.entry(
            full_url=f"urn:uuid:{said['id']}", resource=write(said), request=asking, response={"status": "200"}
        )
    ]
    if told.asked.content != "empty":
        latest = {each.version.reference: each.version for each in events}
        entries += [_entry(told, each) for each in latest.values()]
    head = write({"resourceType": "Bundle", "id": str(uuid4()), "type": "history", "timestamp": bundles.instant(at)})
    return b"".join((head[:-1], b',"entry":[', b",".join(entries), b"]}"))


def _entry(told: Told, version: Version) -> bytes:
    new = version.version == 1
    return bundles.entry(
        full_url=f"{told.base}/{version.reference}",
        resource=version.text if told.asked.content == "full-resource" else b"",
        request={
            "method": "POST" if new else "PUT",
            "url": version.reference.resource_type if new else str(version.reference),
        },
        response={"status": "201" if new else "200"},
    )
