"""Bringing messages to people: every server looks for messages with something to do, and goes on where another stopped.

A turn asks the gateway after what was sent, notes what it says, and sends on the next channel where one failed or was
silent for too long. Calls are made outside of transactions; a message has the same id whenever it is sent again. No
number and no text of a message stands in a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from adapters.notify.mapping import Letter, Told
from api.present import Present, present
from api.turns import Turns
from api.ui.views.names import Names
from api.ui.views.notices import notice_text
from api.ui.views.people import place_name
from api.ui.words import Language, words
from domain.errors import Forbidden, NotFound, PhisError, Unavailable
from domain.ids import Reference
from domain.notices import (
    WATCHED,
    ChannelKind,
    GatewayState,
    NoticeState,
    message_id,
    next_channel,
    patience,
)
from domain.worklist import Priority
from store import hospitals, records
from store.database import Transaction
from store.people import alarms, contacts, notices
from store.people.contacts import Contact
from store.people.notices import Leased, Notice

log = structlog.get_logger(__name__)

_ASKS = timedelta(seconds=3)
"""How often the gateway is asked after a message."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
_AT_ONCE = 8


@dataclass(frozen=True)
class _Known:
    """A message with its channels. sent: when each was used, hospital time.  over: channels that failed."""

    notice: Notice
    at: Present
    contacts: dict[UUID, Contact]
    sent: dict[UUID, datetime]
    over: frozenset[UUID]
    delivered: frozenset[UUID]

    @property
    def live(self) -> list[UUID]:
        return [each for each in self.sent if each not in self.over]


@dataclass
class Pager(Turns[Leased]):
    """Takes turns at the messages of all hospitals."""

    at_once = _AT_ONCE
    what = "messages"

    async def _lease(self) -> Leased | None:
        async with self.state.database.system() as tx:
            return await notices.lease(tx, self.state.now())

    async def _turn(self, leased: Leased) -> None:
        try:
            known = await self._look(leased)
            if known is None:
                return
            answers = await self._ask(known)
            to = await self._note(leased, answers)
            if to is not None:
                await self._send(leased, *to)
        except PhisError as later:  # the database is away: the lease runs out, and any server goes on
            self._waits(later)
        except Exception:
            log.exception("a message failed", hospital=leased.hospital)  # its lease runs out, and it is tried again

    async def _look(self, leased: Leased) -> _Known | None:
        async with self.state.database.transaction(leased.hospital) as tx:
            return await self._known(tx, leased)

    async def _known(self, tx: Transaction, leased: Leased) -> _Known | None:
        notice = await notices.hold(tx, leased)
        if notice is None:
            return None
        at = await present(tx, self.state)
        if not notice.state.open:
            await notices.become(tx, notice, notice.state, now=at.now, again=None, contact=notice.contact)
            return None
        ways = {each.id: each for each in await contacts.of(tx, notice.account)}
        told = (await notices.events(tx, [notice.id]))[notice.id]
        sent = {each.contact: each.at for each in told if each.what == "sent" and each.contact}
        lost = {each.contact for each in told if each.what in _ENDS and each.contact}
        came = {each.contact for each in told if each.what == "delivered" and each.contact}
        return _Known(notice, at, ways, sent, frozenset(lost), frozenset(came))

    async def _ask(self, known: _Known) -> Mapping[UUID, Told]:
        """What the gateway says of each channel; nothing of one that it does not answer for."""
        found: dict[UUID, Told] = {}
        for channel in known.live:
            try:
                found[channel] = await self.state.gateway.state(message_id(known.notice.id, channel))
            except (Unavailable, Forbidden) as silent:
                log.info("gateway silent", reason=silent.code)
        return found

    async def _note(self, leased: Leased, answers: Mapping[UUID, Told]) -> tuple[_Known, Contact, Letter] | None:
        """Write down what was heard, and say what is to be sent now, if anything."""
        async with self.state.database.transaction(leased.hospital) as tx:
            known = await self._known(tx, leased)
            if known is None:
                return None
            notice, now = known.notice, known.at.now
            lost = set(known.over)
            delivered = bool(known.delivered)
            for channel, told in answers.items():
                if told.state is GatewayState.REPLIED:
                    await notices.acknowledge(tx, notice.id, account=notice.account, how="reply", now=now)
                    return None
                if told.state is GatewayState.DELIVERED and channel not in known.delivered:
                    delivered = True
                    await notices.note(tx, notice.id, "delivered", channel, now)
                if told.state is GatewayState.FAILED:
                    lost.add(channel)
                    await notices.note(tx, notice.id, told.reason, channel, now)
                if told.state is GatewayState.UNKNOWN and channel in known.contacts:
                    # The gateway lost it: the same message once more.
                    again = known.contacts[channel]
                    return known, again, await self._letter(tx, known, again.kind, now)
            return await self._go_on(tx, known, frozenset(lost), delivered=delivered)

    async def _go_on(
        self, tx: Transaction, known: _Known, lost: frozenset[UUID], *, delivered: bool
    ) -> tuple[_Known, Contact, Letter] | None:
        notice, now = known.notice, known.at.now
        soon = known.at.real + _ASKS
        live = [each for each in known.sent if each not in lost]
        if now - notice.made_at > WATCHED:
            await self._end(tx, known, NoticeState.DELIVERED if delivered else NoticeState.UNREACHED)
            return None
        state, again = NoticeState.DELIVERED if delivered else NoticeState.SENT, soon
        patient = any(now - known.sent[each] < patience(notice.urgency) for each in live)
        if not delivered and not patient:
            channels = [each.channel for each in known.contacts.values()]
            then = next_channel(channels, known.sent.keys(), notice.urgency, now)
            if then.channel is not None:
                letter = await self._letter(tx, known, then.channel.kind, now)
                return known, known.contacts[then.channel.id], letter
            if then.at is None and not live:
                await self._end(tx, known, NoticeState.UNREACHED)
                return None
            if then.at is not None:
                again = max(known.at.clock.real(then.at), soon)
            state = NoticeState.SENT if live else notice.state  # silent so far: what is late still counts
        await notices.become(tx, notice, state, now=now, again=again, contact=notice.contact)
        return None

    async def _end(self, tx: Transaction, known: _Known, state: NoticeState) -> None:
        """No channel is left, or nobody needs it any more."""
        notice, now = known.notice, known.at.now
        if state is NoticeState.UNREACHED:
            usable = any(each.kind.by_machine for each in known.contacts.values())
            kind = alarms.UNREACHED if usable else alarms.NO_CONTACT
            await alarms.set_off(tx, kind, notice.account, now)
        await notices.become(tx, notice, state, now=now, again=None, what=state.value, contact=notice.contact)

    async def _letter(self, tx: Transaction, known: _Known, kind: ChannelKind, now: datetime) -> Letter:
        ours = words(Language.KO)
        place = known.notice.params.get("place", "")
        names = Names()
        if place:
            try:
                names = Names(places={place: place_name(ours, (await records.read(tx, Reference(place))).body)})
            except NotFound:
                names = Names()
        hospital = await hospitals.get(tx, tx.hospital)
        text = f"[{hospital.name_ko}] {notice_text(ours, known.notice, names, now)}"
        return Letter(tx.hospital, kind, "", text, known.notice.urgency is Priority.STAT)

    async def _send(self, leased: Leased, known: _Known, contact: Contact, letter: Letter) -> None:
        sent = Letter(letter.hospital, letter.kind, contact.address, letter.text, letter.stat)
        failed = False
        try:
            await self.state.gateway.put(message_id(known.notice.id, contact.id), sent)
        except (Unavailable, Forbidden) as later:
            failed = True
            log.warning("gateway refuses", reason=later.code, hospital=leased.hospital)
        async with self.state.database.transaction(leased.hospital) as tx:
            notice = await notices.hold(tx, leased)
            if notice is None:  # acknowledged or withdrawn while it was on its way
                if not failed:
                    at = await present(tx, self.state)
                    await notices.note(tx, leased.id, "sent", contact.id, at.now)
                return
            at = await present(tx, self.state)
            if failed:
                pause = min(_FIRST_PAUSE * 2 ** min(notice.attempts, 8), _LONGEST_PAUSE)
                await notices.become(
                    tx,
                    notice,
                    notice.state,
                    now=at.now,
                    again=at.real + pause,
                    contact=notice.contact,
                    attempts=notice.attempts + 1,
                )
                return
            await notices.become(
                tx, notice, NoticeState.SENT, now=at.now, again=at.real + _ASKS, what="sent", contact=contact.id
            )


_ENDS = frozenset({"wrong-number", "switched-off", "refused", "expired", "failed"})
"""What ends a channel for a message."""
