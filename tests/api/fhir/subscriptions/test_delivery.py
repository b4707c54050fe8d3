"""Subscriptions: what is told to whom, in which order, and what happens when nobody listens.

hl7.org/fhir/R4/subscription.html.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.outgoing import Outgoing
from api.fhir.notifying import MOST_FAILURES, Notifier
from api.state import AppState
from domain.ids import Reference
from domain.roles import Role
from store import audit, clients, outbox, records
from tests.api.fhir.conftest import Connect, Json, issue_of, observation, patient
from tests.api.fhir.receiver import Receiver
from tests.api.fhir.subscriptions.subscribing import (
    Present,
    asking,
    begun,
    encounter,
    put,
    status_of,
    told,
)
from tests.desk import Desk
from tests.store.values import settled
from tests.waiting import until

pytestmark = pytest.mark.sockets


async def test_what_meets_the_criteria_is_sent_with_its_digits_and_nothing_else_is(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    await begun(fhir, notifier, asking(receiver, "Observation?patient=Patient/p1", header=["X-Key: secret"]))
    text = json.dumps(observation("Patient/p1", id="o1", valueQuantity={"value": 0})).replace("0}", "72.50}")
    await fhir.put("Observation/o1", content=text, headers={"Content-Type": "application/fhir+json"})
    await put(fhir, observation("Patient/p2", id="o2"))
    await put(fhir, patient(id="p1"))
    await told(notifier)
    (got,) = receiver.got
    assert (got.method, got.path, got.headers["x-key"]) == ("PUT", "/hook/Observation/o1", "secret")
    assert got.headers["content-type"].startswith("application/fhir+json")
    assert b'"value": 72.50' in got.body
    await fhir.delete("Observation/o1")
    await told(notifier)
    assert len(receiver.got) == 1


async def test_without_a_payload_the_receiver_is_only_told_that_there_is_something(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    asked = asking(receiver, "Patient")
    del asked["channel"]["payload"]
    await begun(fhir, notifier, asked)
    await put(fhir, patient(id="p1"))
    await told(notifier)
    assert [(got.method, got.path, got.body) for got in receiver.got] == [("POST", "/hook", b"")]


async def test_each_change_is_told_once_in_its_order_also_those_of_a_transaction(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    await begun(fhir, notifier, asking(receiver, "Patient?gender=female"))
    entries = [
        {"resource": patient(id=f"p{n:03}"), "request": {"method": "PUT", "url": f"Patient/p{n:03}"}} for n in range(5)
    ]
    answer = await fhir.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 200
    for n in range(5, 8):
        await put(fhir, patient(id=f"p{n:03}"))
    await told(notifier)
    assert [got.path for got in receiver.got[5:]] == [f"/hook/Patient/p{n:03}" for n in range(5, 8)]
    assert sorted(got.path for got in receiver.got[:5]) == [f"/hook/Patient/p{n:03}" for n in range(5)]
    await told(notifier)
    assert len(receiver.got) == 8


async def test_what_a_process_writes_is_told_too(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, desk: Desk, now: datetime
) -> None:
    await begun(fhir, notifier, asking(receiver, "Encounter?status=planned"))
    async with desk.state.database.transaction(desk.hospital) as tx:
        made = await records.create(tx, encounter("e1", "planned"), now=now)
        await records.update(tx, made.body | {"priority": {"text": "soon"}}, if_match=1, now=now)
    await told(notifier)
    assert [got.path for got in receiver.got] == ["/hook/Encounter/e1"] * 2
    assert receiver.got[-1].json["priority"] == {"text": "soon"}


async def test_a_receiver_that_does_not_answer_is_asked_again_and_misses_nothing(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, present: Present
) -> None:
    where = await begun(fhir, notifier, asking(receiver, "Patient"))
    for status in (500, 0, 302):
        receiver.status = status
        await put(fhir, patient(id="p1"))
        await told(notifier)
        present.later(minutes=5)
    assert {got.path for got in receiver.got} == {"/hook/Patient/p1"}
    assert await status_of(fhir, where) == ("active", "")
    receiver.status, receiver.got = 204, []
    await put(fhir, patient(id="p2"))
    await told(notifier)
    assert [got.path for got in receiver.got] == ["/hook/Patient/p1"] * 3 + ["/hook/Patient/p2"]


async def test_pauses_grow_and_in_the_end_the_record_says_why_nothing_more_comes(
    registered: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, present: Present, desk: Desk
) -> None:
    where = await begun(registered, notifier, asking(receiver, "Encounter"))
    receiver.status = 503
    async with desk.state.database.transaction(desk.hospital) as tx:
        await records.create(tx, encounter("e1", "planned"), now=present.at)
    await told(notifier)
    pauses = []
    for _ in range(1, MOST_FAILURES):
        tried, began = len(receiver.got), present.at
        for seconds in (1, 1, 2, 4, 8, 16, 32, 64, 128, 44):
            present.later(seconds=seconds)
            await told(notifier)
            if len(receiver.got) > tried:
                break
        pauses.append((present.at - began).total_seconds())
    assert len(receiver.got) == MOST_FAILURES
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256] + [300] * 10
    async with desk.state.database.transaction(desk.hospital) as tx:
        body = (await records.read(tx, Reference(where))).body
    assert (body["status"], body["error"]) == ("error", "the receiver: it answers 503")
    present.later(hours=1)
    await told(notifier)
    assert len(receiver.got) == MOST_FAILURES


async def test_asked_again_after_an_error_it_goes_on_from_there(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver
) -> None:
    where = await begun(fhir, notifier, asking(receiver, "Patient"))
    asked = (await fhir.get(where)).json()
    assert issue_of(await fhir.put(where, json=asked))["expression"] == ["Subscription.status"]
    for status, more in (("off", 0), ("requested", 1)):
        await put(fhir, asked | {"status": status})
        await told(notifier)
        await put(fhir, patient(id=f"when-{status}"))
        await told(notifier)
        assert len(receiver.got) == more
    assert (await fhir.delete(where)).status_code == 204
    await put(fhir, patient(id="p3"))
    await told(notifier)
    assert len(receiver.got) == 1


async def test_a_subscription_ends_at_its_time(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, present: Present
) -> None:
    end = (present.at + timedelta(minutes=10)).isoformat()
    where = await begun(fhir, notifier, asking(receiver, "Patient") | {"end": end})
    present.later(minutes=11)
    await put(fhir, patient(id="p1"))
    await told(notifier)
    assert (receiver.got, await status_of(fhir, where)) == ([], ("off", ""))


async def test_it_shows_what_its_client_may_see_at_that_moment(
    registered: httpx.AsyncClient, fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, desk: Desk
) -> None:
    refused = await registered.post("Subscription", json=asking(receiver, "Patient"))
    assert refused.status_code == 403
    where = await begun(registered, notifier, asking(receiver, "Encounter"))
    await put(fhir, encounter("e1", "planned"))
    await told(notifier)
    assert len(receiver.got) == 1
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.disable(tx, f"{desk.hospital}.reader")
    await put(fhir, encounter("e2", "planned"))
    await told(notifier)
    assert len(receiver.got) == 1
    assert await status_of(fhir, where) == ("off", "whoever asked for it may not ask any more")


async def test_a_token_without_a_registered_client_ends_its_subscriptions_with_itself(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, present: Present
) -> None:
    await begun(fhir, notifier, asking(receiver, "Patient"))
    await put(fhir, patient(id="p1"))
    present.later(hours=2)
    await told(notifier)
    assert receiver.got == []


async def test_people_ask_for_no_notifications(connect: Connect, receiver: Receiver, desk: Desk) -> None:
    person = await connect("", Role.PHYSICIAN, label=f"kim@{desk.hospital}")
    assert (await person.post("Subscription", json=asking(receiver, "Patient"))).status_code == 403


async def test_each_notification_is_an_access_of_the_client_with_its_patients(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, desk: Desk
) -> None:
    where = await begun(fhir, notifier, asking(receiver, "Observation"))
    await put(fhir, observation("Patient/p1", id="o1"))
    await told(notifier)
    async with desk.state.database.transaction(desk.hospital) as tx:
        (line,) = [each for each in await audit.read(tx) if each.detail == "fhir/notification"]
    assert (line.actor, line.patients) == ("client", ("Patient/p1",))
    assert set(line.entities) == {"Observation/o1", where}


async def test_a_server_that_dies_after_sending_tells_it_once_more_and_forgets_nothing(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, present: Present, state: AppState
) -> None:
    await begun(fhir, notifier, asking(receiver, "Patient"))
    await put(fhir, patient(id="p1"))

    class Dying(Outgoing):
        async def send(self, *arguments: Any, **more: Any) -> None:
            await super().send(*arguments, **more)
            raise KeyboardInterrupt

    await settled(state.database, "subscribing")
    with pytest.raises(KeyboardInterrupt):
        await Notifier(replace(state, outgoing=Dying([receiver.origin]))).turn()
    await put(fhir, patient(id="p2"))
    await told(notifier)
    assert len(receiver.got) == 1, "the lease of the dead server still holds"
    present.later(minutes=2)
    await told(notifier)
    assert [got.path[-2:] for got in receiver.got] == ["p1", "p1", "p2"]


async def test_the_relay_keeps_what_a_subscription_has_not_seen(
    fhir: httpx.AsyncClient, notifier: Notifier, receiver: Receiver, desk: Desk, present: Present
) -> None:
    now, state = present.at, desk.state
    where = await begun(fhir, notifier, asking(receiver, "Patient"))
    await put(fhir, patient(id="p1"))

    async def kept() -> set[str]:
        async with state.database.system() as tx:
            await outbox.forget(tx, now + timedelta(days=9))
        await settled(state.database, desk.hospital)
        async with state.database.transaction(desk.hospital) as own:
            changes = await outbox.changes_since(own, 0, [outbox.RECORDS])
        return {each.subject for each in changes if each.subject.startswith("Patient/")}

    async with state.database.system() as tx:
        await tx.execute("update outbox set delivered_at = %s where hospital = %s", [now, desk.hospital])
    assert await kept() == {"Patient/p1/_history/1"}
    await fhir.delete(where)
    assert await kept() == set()


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"status": "active"}, "status"),
        ({"status": "error"}, "status"),
        ({"criteria": "everything"}, "criteria"),
        ({"criteria": "Unheard?code=1"}, "criteria"),
        ({"criteria": "Patient?unheard-of=1"}, "criteria"),
        ({"criteria": "Patient?birthdate=when"}, "criteria"),
        ({"criteria": "Patient?_include=*"}, "criteria"),
        ({"criteria": "http://example.org/unknown-topic"}, "criteria"),
        ({"end": "2001-01-01T00:00:00Z"}, "end"),
        ({"channel": {"type": "email"}}, "channel.type"),
        ({"channel": {"endpoint": None}}, "channel.endpoint"),
        ({"channel": {"endpoint": "http://169.254.169.254/latest"}}, "channel.endpoint"),
        ({"channel": {"endpoint": "https://elsewhere.example/"}}, "channel.endpoint"),
        ({"channel": {"payload": "application/fhir+xml"}}, "channel.payload"),
        ({"channel": {"header": ["Host: elsewhere"]}}, "channel.header[0]"),
        ({"channel": {"header": ["no header"]}}, "channel.header[0]"),
    ],
)
async def test_what_cannot_be_served_is_refused_with_its_place(
    fhir: httpx.AsyncClient, receiver: Receiver, changed: Json, where: str
) -> None:
    asked = asking(receiver, "Patient")
    asked["channel"] |= changed.pop("channel", {})
    asked["channel"] = {name: value for name, value in asked["channel"].items() if value is not None}
    answer = await fhir.post("Subscription", json=asked | changed)
    assert answer.status_code == 422, answer.text
    assert issue_of(answer)["expression"] == [f"Subscription.{where}"]
    assert (await fhir.get("Subscription?_summary=count")).json()["total"] == 0


async def test_the_notifier_finds_work_by_itself_and_one_that_hangs_keeps_nobody_waiting(
    fhir: httpx.AsyncClient, receiver: Receiver, notifier: Notifier, state: AppState
) -> None:
    never = asyncio.Event()

    class Hanging(Outgoing):
        async def send(self, method: Any, url: str, *arguments: Any, **more: Any) -> None:
            if "/slow" in url:
                await never.wait()
            await super().send(method, url, *arguments, **more)

    await begun(fhir, notifier, asking(receiver, "Patient", endpoint=f"{receiver.origin}/slow"))
    await begun(fhir, notifier, asking(receiver, "Patient"))
    running = asyncio.create_task(
        Notifier(replace(state, outgoing=Hanging([receiver.origin]))).keep(every=timedelta(milliseconds=5))
    )
    await put(fhir, patient(id="p1"))

    async def arrived() -> list[str] | None:
        return [got.path for got in receiver.got] or None

    assert await until(arrived) == ["/hook/Patient/p1"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
