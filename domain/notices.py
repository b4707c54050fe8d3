"""Messages to people on duty: how they are reached, in which order, and what counts as reached.

A message says that something waits and where; never about whom. A person is reached when the message was delivered and
the person acknowledged it; everything less lets a ladder climb on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from domain.duty import ZONE
from domain.worklist import Priority


class ChannelKind(StrEnum):
    """Pager and SMS are sent by machine; a telephone is for people who call."""

    PAGER = "pager"
    SMS = "sms"
    TELEPHONE = "telephone"

    @property
    def by_machine(self) -> bool:
        return self is not ChannelKind.TELEPHONE


class NoticeKind(StrEnum):
    """What a message is about; its sentence stands with the screens. The comment names its parameters."""

    BED_OVERDUE = "bed-overdue"  # place, due
    LICENCE_ENDS = "licence-ends"  # day, an instant
    TRIAL = "trial"  # none: somebody tries whether the channel works


class NoticeState(StrEnum):
    """waiting → sent → delivered → acknowledged; or unreached, when no channel is left, or withdrawn before it went."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    UNREACHED = "unreached"
    WITHDRAWN = "withdrawn"

    @property
    def open(self) -> bool:
        return self in {NoticeState.WAITING, NoticeState.SENT, NoticeState.DELIVERED}


class GatewayState(StrEnum):
    """What a gateway says of a message."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REPLIED = "replied"  # the person answered it, which acknowledges
    FAILED = "failed"
    UNKNOWN = "unknown"  # it has no such message: it lost it


PATIENCE = {Priority.STAT: timedelta(minutes=2), Priority.ASAP: timedelta(minutes=3)}
USUAL_PATIENCE = timedelta(minutes=5)
"""How long a channel may be silent before the next one is tried. General practice, no published guideline [K]."""

WATCHED = timedelta(hours=1)
"""How long a message is sent again, and asked after; later nobody needs it."""


def patience(urgency: Priority) -> timedelta:
    return PATIENCE.get(urgency, USUAL_PATIENCE)


@dataclass(frozen=True)
class Channel:
    """A way to reach somebody, without its address. quiet_from, quiet_until: wall clock; None for never quiet."""

    id: UUID
    kind: ChannelKind
    rank: int
    quiet_from: time | None = None
    quiet_until: time | None = None

    def quiet_to(self, moment: datetime) -> datetime | None:
        """The end of the quiet hours that `moment` lies in; None outside of them."""
        if self.quiet_from is None or self.quiet_until is None or self.quiet_from == self.quiet_until:
            return None
        local = moment.astimezone(ZONE)
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            since = datetime.combine(day, self.quiet_from, ZONE)
            until = datetime.combine(day, self.quiet_until, ZONE)
            if until <= since:
                until += timedelta(days=1)
            if since <= local < until:
                return until
        return None


@dataclass(frozen=True)
class Next:
    """What to do for a message: use `channel`, wait until `at`, or neither: no way is left."""

    channel: Channel | None = None
    at: datetime | None = None


def next_channel(channels: Sequence[Channel], tried: Collection[UUID], urgency: Priority, moment: datetime) -> Next:
    """The first channel by rank that was not tried and is not quiet; else when the first quiet one is open again.

    Stat knows no quiet hours.
    """
    left = [
        each
        for each in sorted(channels, key=lambda each: (each.rank, each.id))
        if each.kind.by_machine and each.id not in tried
    ]
    if urgency is Priority.STAT:
        return Next(left[0] if left else None)
    quiet: list[datetime] = []
    for each in left:
        until = each.quiet_to(moment)
        if until is None:
            return Next(each)
        quiet.append(until)
    return Next(at=min(quiet)) if quiet else Next()


def message_id(notice: UUID, channel: UUID) -> UUID:
    """How a gateway knows the message on a channel: the same whenever it is sent again."""
    return uuid5(notice, str(channel))
