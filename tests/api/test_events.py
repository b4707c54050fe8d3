"""Browsers hear that something changed, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from api.caller import Caller
from api.events import EventHub
from api.ui.routes.events import stream
from domain.roles import Role
from store import accounts
from tests.desk import Desk

RETRY = "retry: 3000\n\n"
RETRY_SOON = "retry: 500\n\n"


@pytest.fixture
async def listener(desk: Desk, now: datetime) -> Caller:
    async with desk.state.database.transaction(desk.hospital) as tx:
        token = await accounts.issue_token(tx, "screen", [Role.NURSE], "", now + timedelta(hours=1))
    hashed = accounts.secret_hash(token)
    return Caller(desk.hospital, "screen", frozenset({Role.NURSE}), {}, {}, None, hashed)


@pytest.fixture
async def heard(desk: Desk, listener: Caller) -> AsyncIterator[AsyncIterator[str]]:
    opened = stream(desk.state, listener)
    assert await anext(opened) == RETRY
    yield opened
    await opened.aclose()


async def test_a_topic_is_told_once_however_often_it_changed(desk: Desk, heard: AsyncIterator[str]) -> None:
    for topic in ("worklist", "journal", "worklist"):
        desk.state.events.publish(desk.hospital, topic)
    assert await anext(heard) == "event: changed\ndata: journal\n\n"
    assert await anext(heard) == "event: changed\ndata: worklist\n\n"


async def test_another_hospitals_change_is_not_told(desk: Desk, heard: AsyncIterator[str], other_hospital: str) -> None:
    desk.state.events.publish(other_hospital, "worklist")
    desk.state.events.publish(desk.hospital, "journal")
    assert await anext(heard) == "event: changed\ndata: journal\n\n"


async def test_streams_end_first_when_the_server_stops(desk: Desk, heard: AsyncIterator[str], listener: Caller) -> None:
    desk.state.events.close()
    assert [told async for told in heard] == [RETRY_SOON]
    assert [told async for told in stream(desk.state, listener)] == [RETRY, RETRY_SOON]
    assert desk.state.events.listening == 0


async def test_a_session_that_ended_hears_nothing_more(desk: Desk, listener: Caller) -> None:
    ended = Caller(listener.hospital, "gone", listener.roles, {}, {}, None, b"unknown", "csrf")
    opened = stream(desk.state, ended)
    assert await anext(opened) == RETRY
    desk.state.events.publish(desk.hospital, "worklist")
    assert [told async for told in opened] == []


async def test_a_right_that_was_taken_ends_the_stream(desk: Desk, listener: Caller) -> None:
    more = Caller(listener.hospital, "screen", frozenset({Role.NURSE, Role.AUDITOR}), {}, {}, None, listener.session)
    opened = stream(desk.state, more)
    assert await anext(opened) == RETRY
    desk.state.events.publish(desk.hospital, "worklist")
    assert [told async for told in opened] == []


async def test_a_quiet_subscription_gives_nothing_after_its_patience() -> None:
    with EventHub().listen("hanbit") as ear:
        assert await ear.topics(0.001) == []
