"""Subscriptions by topic (hl7.org/fhir/uv/subscriptions-backport, release 1.1)."""

from __future__ import annotations

import httpx
import pytest

from adapters.fhir.validation import check
from api.fhir.notifying import Notifier
from store import subscription_events
from tests.api.fhir.conftest import Connect, Json, issue_of, patient
from tests.api.fhir.receiver import Receiver
from tests.api.fhir.subscriptions.subscribing import (
    Present,
    asking,
    begun,
    encounter,
    event,
    put,
    status_of,
    told,
    topical,
)
from tests.desk import Desk

pytestmark = pytest.mark.sockets

_FIVE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
DISCHARGED = "http://example.org/topics/discharged"


async def test_a_topic_begins_with_a_handshake_and_tells_of_the_change_that_it_is_about(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    topic = "urn:phis:topic:encounter-end"
    where = await begun(fhir, notifier, topical(receiver, topic, "Encounter?patient=Patient/p1"))
    (handshake,) = receiver.got
    assert (handshake.method, handshake.path) == ("POST", "/hook")
    assert event(handshake.json, "type") == ["handshake"]
    assert event(handshake.json, "status") == ["requested"]
    for status in ("in-progress", "finished", "finished"):
        await put(fhir, encounter("e1", status))
        await put(fhir, encounter("e2", status, who="p2"))
    await told(notifier)
    _, notification = receiver.got
    body = notification.json
    assert [each for each in check(body) if each.severity == "error"] == []
    assert (body["type"], event(body, "type"), event(body, "topic")) == ("history", ["event-notification"], [topic])
    (parts,) = event(body, "notification-event")
    named = {each["name"]: each for each in parts}
    assert named["event-number"]["valueString"] == "1"
    assert named["focus"]["valueReference"]["reference"].endswith("/Encounter/e1")
    assert named["additional-context"]["valueReference"]["reference"].endswith("/Patient/p1")
    assert [entry["request"]["url"] for entry in body["entry"][1:]] == ["Encounter/e1"]
    assert all("resource" not in entry for entry in body["entry"][1:])
    for path in (f"{where}/$status", f"Subscription/$status?id={where.partition('/')[2]}&status=active"):
        (said,) = (await fhir.get(path)).json()["entry"]
        values = {each["name"]: each for each in said["resource"]["parameter"]}
        assert values["events-since-subscription-start"]["valueString"] == "1"
        assert (values["type"]["valueCode"], values["status"]["valueCode"]) == ("query-status", "active")
    assert (await fhir.get("Subscription/unknown/$status")).status_code == 404


@pytest.mark.parametrize(("content", "shown"), [("empty", 0), ("id-only", 2), ("full-resource", 2)])
async def test_a_notification_holds_as_much_as_was_asked_for_and_as_many_events(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, content: str, shown: int
) -> None:
    topic = "urn:phis:topic:patient-change"
    await begun(fhir, notifier, topical(receiver, topic, content=content, max_count=2))
    for id_ in ("p1", "p2", "p3"):
        await put(fhir, patient(id=id_))
    await told(notifier)
    first, second = (got.json for got in receiver.got[1:])
    assert len(first["entry"]) == 1 + shown
    assert all(("resource" in each) is (content == "full-resource") for each in first["entry"][1:])
    assert [len(event(body, "notification-event")) for body in (first, second)] == [2, 1]
    assert event(second, "events-since-subscription-start") == ["3"]
    assert (b"Patient/p1" in receiver.got[1].body) is (content != "empty")


async def test_a_refused_handshake_is_an_error(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, present: Present
) -> None:
    receiver.status = 404
    answer = await fhir.post("Subscription", json=topical(receiver, "urn:phis:topic:patient-change"))
    for _ in range(5):
        await told(notifier)
        present.later(minutes=1)
    assert len(receiver.got) == 5
    where = f"Subscription/{answer.json()['id']}"
    assert await status_of(fhir, where) == ("error", "the receiver: it answers 404")


async def test_a_heartbeat_comes_when_nothing_else_does(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, present: Present
) -> None:
    await begun(fhir, notifier, topical(receiver, "urn:phis:topic:patient-change", heartbeat_period=60))
    for seconds, kinds in ((59, []), (2, ["heartbeat"]), (59, []), (2, ["heartbeat"])):
        receiver.got = []
        present.later(seconds=seconds)
        await told(notifier)
        assert [event(got.json, "type") for got in receiver.got] == [[kind] for kind in kinds]


def topic_of_ones_own(**trigger: str) -> Json:
    parts = [
        {"url": "resource", "valueUri": "http://hl7.org/fhir/StructureDefinition/Encounter"},
        {"url": "supportedInteraction", "valueCode": "update"},
    ]
    parts += [{"url": name, "valueString": value} for name, value in trigger.items()]
    return {
        "resourceType": "Basic",
        "id": "discharged",
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
        "extension": [
            {"url": f"{_FIVE}.url", "valueUri": DISCHARGED},
            {"url": f"{_FIVE}.resourceTrigger", "extension": parts},
            {"url": f"{_FIVE}.canFilterBy", "extension": [{"url": "filterParameter", "valueString": "patient"}]},
        ],
    }


async def test_a_hospital_keeps_topics_of_its_own(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    expression = "%previous.status = 'in-progress' and %current.status = 'finished'"
    await put(fhir, topic_of_ones_own(fhirPathCriteria=expression))
    await begun(fhir, notifier, topical(receiver, DISCHARGED, "patient=Patient/p1"))
    for status in ("planned", "in-progress", "finished"):
        await put(fhir, encounter("e1", status))
        await put(fhir, encounter(f"new-{status}", status))
    await told(notifier)
    (got,) = receiver.got[1:]
    assert [each["request"]["url"] for each in got.json["entry"][1:]] == ["Encounter/e1"]


@pytest.mark.parametrize(
    ("trigger", "filters", "said"),
    [
        ({"fhirPathCriteria": "%current.status ="}, "", "FHIRPath"),
        ({}, "status=finished", "filtered by patient"),
        ({}, "Observation?patient=Patient/p1", "does not tell of Observation"),
    ],
)
async def test_a_topic_that_cannot_be_told_of_is_refused_when_it_is_asked_for(
    fhir: httpx.AsyncClient, receiver: Receiver, trigger: Json, filters: str, said: str
) -> None:
    await put(fhir, topic_of_ones_own(**trigger))
    answer = await fhir.post("Subscription", json=topical(receiver, DISCHARGED, *filter(None, [filters])))
    assert answer.status_code == 422
    assert issue_of(answer)["expression"][0].startswith("Subscription.criteria")
    assert said in issue_of(answer)["diagnostics"]


def numbered(answer: httpx.Response) -> list[tuple[str, str]]:
    """Number and focus of each event in an answer of $events."""
    assert answer.status_code == 200, answer.text
    found = []
    for parts in event(answer.json(), "notification-event"):
        named = {each["name"]: each for each in parts}
        focus = named["focus"]["valueReference"]["reference"] if "focus" in named else ""
        found.append((named["event-number"]["valueString"], focus.rpartition("/")[2]))
    return found


async def test_who_missed_events_asks_for_them_by_number(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    where = await begun(fhir, notifier, topical(receiver, "urn:phis:topic:encounter-end"))
    for number in (1, 2, 3):
        await put(fhir, encounter(f"e{number}", "in-progress"))
        await put(fhir, encounter(f"e{number}", "finished"))
    await told(notifier)
    answer = await fhir.get(f"{where}/$events?eventsSinceNumber=2")
    assert numbered(answer) == [("2", "e2"), ("3", "e3")]
    body = answer.json()
    assert [each for each in check(body) if each.severity == "error"] == []
    assert (event(body, "type"), event(body, "events-since-subscription-start")) == (["query-event"], ["3"])
    assert all("resource" not in entry for entry in body["entry"][1:])
    assert numbered(await fhir.get(f"{where}/$events?eventsUntilNumber=1")) == [("1", "e1")]
    whole = {"resourceType": "Parameters", "parameter": [{"name": "content", "valueCode": "full-resource"}]}
    answer = await fhir.post(f"{where}/$events", json=whole)
    assert [each["resource"]["status"] for each in answer.json()["entry"][1:]] == ["finished"] * 3
    assert numbered(await fhir.get(f"{where}/$events?content=empty&eventsSinceNumber=3")) == [("3", "")]
    for wrong in ("eventsSinceNumber=x", "eventsUntilNumber=-1", "content=all"):
        refused = await fhir.get(f"{where}/$events?{wrong}")
        assert (refused.status_code, issue_of(refused)["expression"]) == (400, [wrong.partition("=")[0]])


async def test_events_are_read_with_the_rights_of_whoever_asks_for_them(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, connect: Connect, *, desk: Desk, present: Present
) -> None:
    where = await begun(fhir, notifier, topical(receiver, "urn:phis:topic:encounter-end"))
    await put(fhir, encounter("e1", "in-progress"))
    await put(fhir, encounter("e1", "finished"))
    await told(notifier)
    narrow = await connect("system/Subscription.rs")
    assert numbered(await narrow.get(f"{where}/$events")) == []
    assert (await (await connect("system/Encounter.rs")).get(f"{where}/$events")).status_code == 403
    assert (await fhir.get("Subscription/none/$events")).status_code == 404
    async with desk.state.database.system() as system:
        assert await subscription_events.forget_old(system, present() + subscription_events.KEPT) == 1
    assert numbered(await fhir.get(f"{where}/$events")) == []


async def test_what_did_not_arrive_can_be_asked_for_and_a_new_beginning_counts_anew(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    asked = topical(receiver, "urn:phis:topic:encounter-end")
    where = await begun(fhir, notifier, asked)
    receiver.status = 500
    await put(fhir, encounter("e1", "in-progress"))
    await put(fhir, encounter("e1", "finished"))
    await told(notifier)
    answer = await fhir.get(f"{where}/$events")
    assert (numbered(answer), event(answer.json(), "events-since-subscription-start")) == ([("1", "e1")], ["0"])
    id_ = where.partition("/")[2]
    for status in ("off", "requested"):
        answer = await fhir.put(where, json=asked | {"id": id_, "status": status})
        assert answer.status_code == 200, answer.text
    assert numbered(await fhir.get(f"{where}/$events")) == []


async def test_a_subscription_by_criteria_numbers_no_events(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    where = await begun(fhir, notifier, asking(receiver, "Encounter?status=finished"))
    answer = await fhir.get(f"{where}/$events")
    assert (answer.status_code, issue_of(answer)["code"]) == (422, "not-supported")
