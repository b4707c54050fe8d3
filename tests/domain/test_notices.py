"""Which channel comes next: by rank, never twice, and within quiet hours for stat only."""

from __future__ import annotations

from datetime import UTC, datetime, time
from uuid import UUID

import pytest

from adapters.notify.mapping import Told, told
from domain.notices import Channel, ChannelKind, GatewayState, Next, message_id, next_channel, patience
from domain.worklist import Priority

NIGHT = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # 03:00 in Seoul
MORNING = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)  # 07:00
PAGER = Channel(UUID(int=1), ChannelKind.PAGER, 1)
SMS = Channel(UUID(int=2), ChannelKind.SMS, 2)
CALL = Channel(UUID(int=3), ChannelKind.TELEPHONE, 0)
QUIET = Channel(UUID(int=4), ChannelKind.SMS, 1, time(22), time(7))


def test_channels_are_tried_by_rank_and_a_telephone_is_for_people() -> None:
    assert next_channel([SMS, PAGER, CALL], [], Priority.ROUTINE, NIGHT) == Next(PAGER)
    assert next_channel([SMS, PAGER, CALL], [PAGER.id], Priority.ROUTINE, NIGHT) == Next(SMS)
    assert next_channel([SMS, PAGER, CALL], [PAGER.id, SMS.id], Priority.ROUTINE, NIGHT) == Next()


@pytest.mark.parametrize("urgency", list(Priority))
def test_quiet_hours_hold_back_everything_but_stat(urgency: Priority) -> None:
    expected = Next(QUIET) if urgency is Priority.STAT else Next(at=MORNING)
    assert next_channel([QUIET], [], urgency, NIGHT) == expected


def test_quiet_hours_end_on_the_minute_and_another_channel_goes_before_waiting() -> None:
    assert next_channel([QUIET], [], Priority.ROUTINE, MORNING) == Next(QUIET)
    assert next_channel([QUIET, SMS], [], Priority.ROUTINE, NIGHT) == Next(SMS)


def test_quiet_hours_that_do_not_cross_midnight() -> None:
    noon = Channel(UUID(int=5), ChannelKind.SMS, 1, time(12), time(13))
    at = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)  # 12:30
    assert noon.quiet_to(at) == datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    assert noon.quiet_to(NIGHT) is None


def test_stat_is_the_least_patient() -> None:
    assert patience(Priority.STAT) < patience(Priority.ASAP) < patience(Priority.URGENT) == patience(Priority.ROUTINE)


def test_a_message_keeps_its_id_on_a_channel_and_has_another_on_the_next() -> None:
    notice = UUID(int=9)
    assert message_id(notice, PAGER.id) == message_id(notice, PAGER.id)
    assert message_id(notice, PAGER.id) != message_id(notice, SMS.id)


@pytest.mark.parametrize("answer", [None, [], "delivered", {}, {"state": "eaten"}, {"state": 7}])
def test_an_answer_that_nobody_understands_is_unknown(answer: object) -> None:
    assert told(answer) == Told(GatewayState.UNKNOWN)


def test_a_failure_says_why_in_our_words() -> None:
    assert told({"state": "failed", "reason": "wrong-number"}) == Told(GatewayState.FAILED, "wrong-number")
    assert told({"state": "failed", "reason": "<script>"}) == Told(GatewayState.FAILED, "failed")
