"""Instants and deadlines as a reader sees them: short in the line, exact on hover and for a screen reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from api.ui.words import Words

_SOON = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)


class Pressure(StrEnum):
    """How a deadline presses. Shown as icon, word and weight; the colour only repeats it."""

    LATE = "late"
    SOON = "soon"
    CALM = "calm"


@dataclass(frozen=True)
class Moment:
    """iso: for machines.  short: for the eye.  exact: date and time in words."""

    iso: str
    short: str
    exact: str


@dataclass(frozen=True)
class Due:
    pressure: Pressure
    text: str
    moment: Moment


def moment(words: Words, instant: datetime, now: datetime) -> Moment:
    return Moment(
        iso=instant.isoformat(timespec="seconds"), short=words.clock(instant, now), exact=words.exact(instant)
    )


def due(words: Words, instant: datetime, now: datetime) -> Due:
    """`12분 늦음`, `35분 남음`."""
    _ = words.gettext
    left = instant - now
    if left < timedelta():
        pressure = Pressure.LATE
        text = _("{span} late").format(span=words.span(-left)) if -left >= _MINUTE else _("just past")
    else:
        pressure = Pressure.SOON if left <= _SOON else Pressure.CALM
        text = _("{span} left").format(span=words.span(left)) if left >= _MINUTE else _("due now")
    return Due(pressure, text, moment(words, instant, now))
