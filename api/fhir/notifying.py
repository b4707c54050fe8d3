"""Telling subscribers what changed: every server looks for subscriptions with something to do, and goes on where
another one stopped.

What is told is what a search with the criteria finds among the changed records, with the rights that whoever asked has
at that moment. A notification is sent outside of any transaction: its audit row is committed before, its place after.
So each arrives at least once, and in order; a receiver that does not answer keeps nobody else waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from api.accesses import accessed
from api.caller import Caller
from api.fhir import notifications
from api.fhir.exchange import Address, Asker, Call
from api.fhir.mentions import patients_of
from api.fhir.notifications import Event, Message, Told
from api.fhir.outcome import Refusal
from api.fhir.subscribing import topic_named
from api.fhir.subscription import asked_of
from api.fhir.subscription_events import Serving, events_among
from api.fhir.text import Json, parse, write
from api.turns import Turns
from domain.clock import HospitalClock
from domain.errors import Forbidden, Invalid, PhisError, StaleRevision, Unavailable
from domain.ids import Reference
from rules.scopes import Grants, grants
from store import clocks, outbox, subscription_events, subscriptions
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading, writing
from store.fhir.writing import Write
from store.subscriptions import Delivery, Leased, SubscriptionState

log = structlog.get_logger(__name__)

_CHANGES = 200
"""Changes that a turn looks at."""

_AT_ONCE = 16
"""Subscriptions that a server serves at the same time: one that waits for its receiver takes one of these places."""

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=5)
MOST_FAILURES = 20
"""In a row, with growing pauses: more than an hour. Then the subscription is in error."""

_MOST_HANDSHAKES = 5


@dataclass
class Notifier(Turns[Leased]):
    """Takes turns at the subscriptions of all hospitals."""

    at_once = _AT_ONCE
    what = "subscriptions"

    async def _lease(self) -> Leased | None:
        async with self.state.database.system() as tx:
            return await subscriptions.lease(tx, self.state.now())

    async def _turn(self, leased: Leased) -> None:
        try:
            try:
                await self._serve(leased)
            except Unavailable:
                raise
            except Exception as broken:
                # Whatever it was: it is tried again later, and told in the record in the end, but never ends the loop.
                code = getattr(broken, "code", "")
                log.exception("subscription failed", reason=code, hospital=leased.hospital)
                await self._failed(leased, f"something went wrong on our side {code}".strip(), MOST_FAILURES)
            async with self.state.database.system() as tx:
                await subscriptions.release(tx, leased, self.state.now())
        except PhisError as later:  # the database is away: the lease runs out, and any server goes on
            self._waits(later)

    async def _serve(self, leased: Leased) -> None:
        async with self.state.database.transaction(leased.hospital) as tx:
            serving = await self._served(tx, leased)
            if serving is None:
                return
            now = self.state.now()
            if serving.row.state is SubscriptionState.REQUESTED and serving.topic is None:
                await _become(tx, leased, serving.call, SubscriptionState.ACTIVE, "")
                return
        if serving.row.state is SubscriptionState.REQUESTED:
            await self._shake_hands(serving, now)
        elif serving.row.heartbeat_at is not None and serving.row.heartbeat_at <= now:
            message = notifications.topical(serving.told, "heartbeat", (), now)
            if await self._sent(serving, message, ()):
                async with self.state.database.transaction(leased.hospital) as tx:
                    await subscriptions.advance(tx, leased, serving.row.at, heartbeat_at=_next_heartbeat(serving, now))
        else:
            await self._tell(serving)

    async def _served(self, tx: Transaction, leased: Leased) -> Serving | None:
        """What is to be served, or None when it is nobody's or has ended; then its record says so."""
        ref = Reference.to("Subscription", leased.id)
        # The record first, as a client who changes it does.
        head = (await reading.heads(tx, [ref], lock=True)).get(ref)
        row = await subscriptions.hold(tx, leased, self.state.now())
        if row is None:
            return None
        if head is None or head.deleted:
            await subscriptions.become(tx, leased.id, SubscriptionState.OFF)
            return None
        call = await self._call(tx, leased.hospital, row)
        if call is None:
            nobody = self._as(row, leased.hospital, Grants(), await clocks.clock_of(tx))
            said = "whoever asked for it may not ask any more"
            await _become(tx, leased, nobody, SubscriptionState.OFF, said)
            return None
        if row.ends_at is not None and row.ends_at <= self.state.now():
            await _become(tx, leased, call, SubscriptionState.OFF, "")
            return None
        try:
            asked = asked_of((await reading.read(tx, ref)).body)
            topic = await topic_named(tx, asked.topic) if asked.topic else None
        except Refusal as unfit:
            await _become(tx, leased, call, SubscriptionState.ERROR, str(unfit))
            return None
        return Serving(leased, Told(leased.id, row.base, asked, row.state, row.events), call, row, topic)

    async def _call(self, tx: Transaction, hospital: str, row: Delivery) -> Call | None:
        """Who asked, with what they may now; None for somebody who may not ask any more."""
        scope = await subscriptions.standing(tx, row, self.state.now())
        if scope is None:
            return None
        allowed = Grants({kind: frozenset(letters) for kind, letters in row.letters.items()})
        if scope:
            allowed = allowed.within(grants(scope, frozenset()))
        return self._as(row, hospital, allowed, await clocks.clock_of(tx))

    def _as(self, row: Delivery, hospital: str, allowed: Grants, clock: HospitalClock) -> Call:
        caller = Caller(hospital, row.actor, frozenset(), {}, {}, None, b"")
        at = Address("notification", "Subscription", row.id)
        return Call(self.state, Asker(caller, allowed, clock), row.base, at, self.state.now())

    async def _shake_hands(self, serving: Serving, now: datetime) -> None:
        message = notifications.topical(serving.told, "handshake", (), now)
        if await self._sent(serving, message, (), most=_MOST_HANDSHAKES):
            async with self.state.database.transaction(serving.leased.hospital) as tx:
                ref = Reference.to("Subscription", serving.leased.id)
                await reading.heads(tx, [ref], lock=True)
                if await subscriptions.hold(tx, serving.leased, now) is not None:
                    beat = _next_heartbeat(serving, now)
                    await _become(tx, serving.leased, serving.call, SubscriptionState.ACTIVE, "", heartbeat_at=beat)

    async def _tell(self, serving: Serving) -> None:
        """Everything among the next changes that the subscription is about, one notification after another."""
        hospital = serving.leased.hospital
        try:
            async with self.state.database.transaction(hospital) as tx:
                changes, seen = await outbox.records_after(tx, serving.row.at, _CHANGES)
                events = await events_among(tx, serving, changes)
                if not events:
                    await subscriptions.advance(tx, serving.leased, seen)
                    return
        except (Invalid, Forbidden, Refusal) as unfit:
            await self._end(serving, str(unfit))
            return
        count = serving.told.asked.count if serving.topic is not None else 1
        for start in range(0, len(events), count):
            group = events[start : start + count]
            now = self.state.now()
            if serving.topic is None:
                message = notifications.plain(serving.told, group[0])
            else:
                message = notifications.topical(serving.told, "event-notification", group, serving.call.now)
            if not await self._sent(serving, message, group):
                return
            async with self.state.database.transaction(hospital) as tx:
                last = start + len(group) == len(events)
                await subscriptions.advance(
                    tx,
                    serving.leased,
                    seen if last else group[-1].at,
                    events=len(group),
                    heartbeat_at=_next_heartbeat(serving, now),
                )

    async def _sent(
        self, serving: Serving, message: Message, events: Sequence[Event], *, most: int = MOST_FAILURES
    ) -> bool:
        """Send it, with its audit row before; False when it did not arrive or the subscription is somebody else's."""
        now = self.state.now()
        async with self.state.database.transaction(serving.leased.hospital) as tx:
            if await subscriptions.hold(tx, serving.leased, now) is None:
                return False
            if events:
                await _note(tx, serving, events, now)
        try:
            await self.state.outgoing.send(
                message.method, message.url, message.body, message.headers, seconds=serving.told.asked.timeout
            )
        except (Unavailable, Forbidden) as wrong:
            await self._failed(serving.leased, f"the receiver: {wrong}", most, serving.call)
            return False
        return True

    async def _failed(self, leased: Leased, said: str, most: int, call: Call | None = None) -> None:
        """Later again, with growing pauses; after `most` times the record says why nothing more is told."""
        now = self.state.now()
        async with self.state.database.transaction(leased.hospital) as tx:
            ref = Reference.to("Subscription", leased.id)
            await reading.heads(tx, [ref], lock=True)
            row = await subscriptions.hold(tx, leased, now)
            if row is None:
                return
            pause = min(_FIRST_PAUSE * 2 ** min(row.attempts, 16), _LONGEST_PAUSE)
            if await subscriptions.failed(tx, leased, now + pause) >= most:
                call = call or self._as(row, leased.hospital, Grants(), await clocks.clock_of(tx))
                await _become(tx, leased, call, SubscriptionState.ERROR, said)
                log.warning("subscription given up", hospital=leased.hospital, attempt=most)

    async def _end(self, serving: Serving, said: str) -> None:
        leased = serving.leased
        async with self.state.database.transaction(leased.hospital) as tx:
            await reading.heads(tx, [Reference.to("Subscription", leased.id)], lock=True)
            if await subscriptions.hold(tx, leased, self.state.now()) is not None:
                await _become(tx, leased, serving.call, SubscriptionState.ERROR, said)


async def _become(
    tx: Transaction,
    leased: Leased,
    call: Call,
    state: SubscriptionState,
    said: str,
    *,
    heartbeat_at: datetime | None = None,
) -> None:
    """The record and its row say the new state; `said` is why, where something is wrong."""
    ref = Reference.to("Subscription", leased.id)
    before = await reading.read(tx, ref)
    await subscriptions.become(tx, leased.id, state, heartbeat_at=heartbeat_at)
    if before.deleted:
        return
    after: Json = parse(before.text)
    after["status"] = state.value
    after.pop("error", None)
    if said:
        after["error"] = said
    with suppress(StaleRevision):
        (kept,) = await writing.write(tx, [Write(ref, after, write(after), before.version)], now=call.now)
        await outbox.put(tx, outbox.RECORDS, kept.name)


async def _note(tx: Transaction, serving: Serving, events: Sequence[Event], now: datetime) -> None:
    """One audit row a notification, with its patients; and a topic's events under their numbers."""
    versions = [each.version for each in events]
    if serving.topic is not None:
        told = [(each.number, str(each.version.name)) for each in events]
        await subscription_events.keep(tx, serving.leased.id, told, now)
    await accessed(
        tx,
        serving.call.asker.caller,
        AuditAction.READ,
        "fhir/notification",
        at=now,
        entities=[Reference.to("Subscription", serving.leased.id), *(each.reference for each in versions)],
        patients=patients_of(versions),
    )


def _next_heartbeat(serving: Serving, now: datetime) -> datetime | None:
    seconds = serving.told.asked.heartbeat
    return now + timedelta(seconds=seconds) if seconds else None
