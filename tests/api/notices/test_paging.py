"""Messages over real HTTP to the gateway's simulator: delivered, replied, silent, wrong, late, lost, and down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
import uvicorn

from adapters.notify.gateway import Gateway
from adapters.notify.mapping import Letter
from api.paging import Pager
from api.state import AppState
from domain.errors import Conflict, Invalid, NotFound
from domain.notices import ChannelKind, NoticeKind, NoticeState
from domain.worklist import Priority
from runtime.ports import free_port
from runtime.simulators.notify import Behaviour, PagerGateway
from store import accounts
from store.database import Database
from store.people import alarms, contacts, notices
from store.people.notices import Notice
from tests.desk import Desk

PAGER, PHONE = "01000000001", "01000000002"
NAME = "kim@x"
TOKEN = "a-token-of-the-gateway"


@asynccontextmanager
async def served(gateway: PagerGateway, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(gateway.application(), port=port, log_level="error", lifespan="off"))
    with suppress(asyncio.CancelledError):
        running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it in no other way
        await asyncio.sleep(0)
    try:
        yield
    finally:
        server.should_exit = True
        await running


@dataclass
class Room:
    """A hospital with one clock that both sides read: nobody waits for real time."""

    desk: Desk
    gateway: PagerGateway
    port: int
    state: AppState
    at: list[datetime]

    @property
    def database(self) -> Database:
        return self.state.database

    async def channel(self, kind: ChannelKind, address: str, rank: int, quiet: tuple[time, time] | None = None) -> UUID:
        id_ = uuid4()
        async with self.database.transaction(self.desk.hospital) as tx:
            await contacts.add(
                tx, id_, account=NAME, kind=kind, address=address, rank=rank, by=NAME, now=self.at[0],
                quiet_from=quiet[0] if quiet else None, quiet_until=quiet[1] if quiet else None,
            )  # fmt: skip
        return id_

    async def send(self, urgency: Priority = Priority.STAT, step: str = "call/1") -> None:
        async with self.database.transaction(self.desk.hospital) as tx:
            await notices.send(
                tx, source="p", step=step, to=[NAME], kind=NoticeKind.BED_OVERDUE, urgency=urgency,
                params={"place": self.desk.ward, "due": self.at[0].isoformat()}, now=self.at[0], real=self.at[0],
            )  # fmt: skip

    async def after(self, seconds: float = 0) -> Notice:
        """Time passes, and every server does what is due."""
        self.at[0] += timedelta(seconds=seconds)
        pager = Pager(self.state)
        while await pager.turn():
            pass
        async with self.database.transaction(self.desk.hospital) as tx:
            return (await notices.to(tx, NAME))[0]

    async def events(self) -> list[str]:
        async with self.database.transaction(self.desk.hospital) as tx:
            (one,) = await notices.to(tx, NAME)
            return [each.what for each in (await notices.events(tx, [one.id]))[one.id]]

    async def alarms(self) -> set[str]:
        async with self.database.transaction(self.desk.hospital) as tx:
            return {each.kind for each in await alarms.standing(tx)}

    def numbers(self) -> list[str]:
        return [str(each.body["to"]) for each in self.gateway.kept.values()]


@pytest.fixture
async def room(desk: Desk, now: datetime) -> Room:
    at = [now]
    port = free_port()
    gateway = PagerGateway(TOKEN, lambda: at[0].timestamp())  # noqa: PLW0108  # the element changes
    state = replace(desk.state, gateway=Gateway(f"http://127.0.0.1:{port}", TOKEN), now=lambda: at[0])
    async with desk.state.database.transaction(desk.hospital) as tx:
        await accounts.create_account(tx, name=NAME, display_ko="김", display_en="Kim", roles=[], password_hash="x")
    return Room(desk, gateway, port, state, at)


async def test_a_message_is_delivered_and_a_reply_acknowledges_it(room: Room) -> None:
    await room.channel(ChannelKind.PAGER, "010-0000-0001", 1)
    async with served(room.gateway, room.port):
        await room.send()
        assert (await room.after()).state is NoticeState.SENT
        assert (await room.after(1)).state is NoticeState.SENT  # nobody asks before three seconds are over
        found = await room.after(3)
    assert (found.state, found.acknowledged_how) == (NoticeState.ACKNOWLEDGED, "reply")
    ((sent),) = room.gateway.kept.values()
    assert sent.body["to"] == PAGER
    assert sent.body["text"].startswith("[한빛대학교병원] 7병동")
    assert sent.body["stat"] is True


async def test_delivered_is_not_acknowledged_and_the_screen_acknowledges(room: Room) -> None:
    room.gateway.default = Behaviour.DELIVERED
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    async with served(room.gateway, room.port):
        await room.send()
        await room.after()
        found = await room.after(4)
        assert (found.state, found.acknowledged_at) == (NoticeState.DELIVERED, None)
        async with room.database.transaction(room.desk.hospital) as tx:
            with pytest.raises(NotFound):
                await notices.acknowledge(tx, found.id, account="other@x", how="screen", now=room.at[0])
        async with room.database.transaction(room.desk.hospital) as tx:
            first = await notices.acknowledge(tx, found.id, account=NAME, how="screen", now=room.at[0])
            later = await notices.acknowledge(
                tx, found.id, account=NAME, how="reply", now=room.at[0] + timedelta(hours=1)
            )
        assert first.acknowledged_at == later.acknowledged_at
        assert (await room.after(10)).state is NoticeState.ACKNOWLEDGED
    assert await room.events() == ["sent", "delivered", "acknowledged"]


async def test_silence_brings_the_next_channel_and_what_is_late_still_counts(room: Room) -> None:
    room.gateway.numbers = {PAGER: Behaviour.LATE, PHONE: Behaviour.SILENCE}
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    await room.channel(ChannelKind.SMS, PHONE, 2)
    async with served(room.gateway, room.port):
        await room.send()
        await room.after()
        await room.after(110)
        assert room.numbers() == [PAGER]
        await room.after(15)
        assert room.numbers() == [PAGER, PHONE]
        found = await room.after(300)  # 425 s: the pager's message arrives late
    assert found.state is NoticeState.DELIVERED
    assert await room.events() == ["sent", "sent", "delivered"]


async def test_a_wrong_number_is_left_at_once(room: Room) -> None:
    room.gateway.numbers = {PAGER: Behaviour.WRONG_NUMBER, PHONE: Behaviour.RECEIPT}
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    await room.channel(ChannelKind.SMS, PHONE, 2)
    async with served(room.gateway, room.port):
        await room.send()
        await room.after()
        await room.after(4)
        found = await room.after(4)
    assert found.state is NoticeState.ACKNOWLEDGED
    assert await room.events() == ["sent", "wrong-number", "sent", "acknowledged"]


async def test_whom_no_channel_reaches_raises_an_alarm(room: Room) -> None:
    room.gateway.default = Behaviour.WRONG_NUMBER
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    async with served(room.gateway, room.port):
        await room.send()
        await room.after()
        found = await room.after(4)
    assert found.state is NoticeState.UNREACHED
    assert await room.alarms() == {alarms.UNREACHED}


async def test_who_has_no_channel_raises_another(room: Room) -> None:
    await room.channel(ChannelKind.TELEPHONE, PHONE, 1)  # for people who call
    await room.send()
    assert (await room.after()).state is NoticeState.UNREACHED
    assert await room.alarms() == {alarms.NO_CONTACT}


async def test_silence_everywhere_ends_after_an_hour(room: Room) -> None:
    room.gateway.default = Behaviour.SILENCE
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    async with served(room.gateway, room.port):
        await room.send()
        await room.after()
        assert (await room.after(3500)).state is NoticeState.SENT
        assert (await room.after(200)).state is NoticeState.UNREACHED


async def test_a_gateway_that_is_down_is_asked_again_and_gets_the_message_once(room: Room) -> None:
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    await room.send()
    assert (await room.after()).state is NoticeState.WAITING
    found = await room.after(1)
    assert found.attempts == 2
    async with served(room.gateway, room.port):
        await room.after(30)
        found = await room.after(4)
    assert found.state is NoticeState.ACKNOWLEDGED
    assert len(room.gateway.kept) == 1


async def test_a_server_that_dies_after_sending_sends_the_same_message_again(room: Room) -> None:
    """The gateway has it, our commit never came: under its id it is one message."""
    channel = await room.channel(ChannelKind.PAGER, PAGER, 1)
    async with served(room.gateway, room.port):
        await room.send()
        await room.after()
        (sent,) = room.gateway.kept.values()
        async with room.database.transaction(room.desk.hospital) as tx:
            (one,) = await notices.to(tx, NAME)
            again = next(iter(await contacts.of(tx, NAME)))
        assert again.id == channel
        id_ = next(iter(room.gateway.kept))
        letter = Letter(room.desk.hospital, ChannelKind.PAGER, PAGER, str(sent.body["text"]), True)
        await room.state.gateway.put(UUID(id_), letter)
    assert one.state is NoticeState.SENT
    assert [each.puts for each in room.gateway.kept.values()] == [2]


async def test_what_the_gateway_lost_is_sent_again(room: Room) -> None:
    room.gateway.default = Behaviour.DELIVERED
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    async with served(room.gateway, room.port):
        await room.send()
        await room.after()
        room.gateway.kept.clear()
        await room.after(4)
        assert len(room.gateway.kept) == 1
        assert (await room.after(4)).state is NoticeState.DELIVERED


async def test_quiet_hours_hold_a_routine_message_back_and_stat_goes_through(room: Room) -> None:
    room.at[0] = room.at[0].replace(hour=18, minute=0)  # 03:00 in Seoul
    await room.channel(ChannelKind.PAGER, PAGER, 1, (time(22), time(7)))
    async with served(room.gateway, room.port):
        await room.send(Priority.ROUTINE)
        assert (await room.after(60)).state is NoticeState.WAITING
        assert room.numbers() == []
        await room.send(Priority.STAT, "call/2")
        await room.after()
        assert room.numbers() == [PAGER]


async def test_a_message_whose_bed_was_found_is_not_sent(room: Room) -> None:
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    await room.send()
    async with room.database.transaction(room.desk.hospital) as tx:
        assert await notices.withdraw(tx, "p", room.at[0]) == 1
    async with served(room.gateway, room.port):
        assert (await room.after(5)).state is NoticeState.WITHDRAWN
    assert room.numbers() == []


async def test_sending_twice_from_one_step_is_one_message(room: Room) -> None:
    await room.send()
    await room.send()
    async with room.database.transaction(room.desk.hospital) as tx:
        assert len(await notices.to(tx, NAME)) == 1
        assert await notices.unanswered(tx, NAME) == 1


async def test_another_token_reaches_nothing(room: Room) -> None:
    await room.channel(ChannelKind.PAGER, PAGER, 1)
    stranger = replace(room.state, gateway=Gateway(f"http://127.0.0.1:{room.port}", "guessed"))
    async with served(room.gateway, room.port):
        await room.send()
        await Pager(stranger).turn()
    assert room.gateway.kept == {}


async def test_numbers_lie_sealed_and_are_checked(room: Room) -> None:
    channel = await room.channel(ChannelKind.PAGER, "+82 10-0000-0001", 1)
    async with room.database.transaction(room.desk.hospital) as tx:
        row = await tx.one("select address from contact where id = %s", [channel])
        assert row is not None
        assert b"1000000001" not in bytes(row["address"])
        (one,) = await contacts.of(tx, NAME)
        assert (one.address, one.masked) == ("+821000000001", "…01")
        assert "0000" not in repr(one)
    for wrong in ("", "12", "call me", "0" * 16):
        with pytest.raises(Invalid):
            await room.channel(ChannelKind.SMS, wrong, 1)
    for rank in range(2, 7):
        await room.channel(ChannelKind.SMS, PHONE, rank)
    with pytest.raises(Conflict):
        await room.channel(ChannelKind.SMS, PHONE, 7)
