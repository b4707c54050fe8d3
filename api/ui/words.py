"""Sentences in the reader's language, and times as people say them.

English is the source and stands in `_()`; Korean is complete in `locale/ko`. Dates are shown in the hospital's zone.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime

from domain.errors import Misconfigured

LOCALES = Path(__file__).parent / "locale"
ZONE = ZoneInfo("Asia/Seoul")

_MINUTE = timedelta(minutes=1)


class Language(StrEnum):
    """Languages that every sentence exists in. The first is what a reader gets who asks for none of them."""

    KO = "ko"
    EN = "en"


def preferred(accept_language: str) -> Language:
    """The best language for an Accept-Language header (RFC 9110, 12.5.4)."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            quality = 0.0
        wishes.append((-quality, place, tag.strip().lower().partition("-")[0]))
    for quality, _, tag in sorted(wishes):
        if quality < 0 and tag in set(Language):
            return Language(tag)
    return Language.KO


@dataclass(frozen=True)
class Words:
    """One language's sentences and formats."""

    language: Language
    catalog: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        return self.catalog.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        return self.catalog.ngettext(singular, plural, count)

    @property
    def locale(self) -> Locale:
        return Locale.parse("ko_KR" if self.language is Language.KO else "en_GB")

    def exact(self, instant: datetime) -> str:
        """Date, weekday and time: `10월 3일 (금) 14:05`, `Fri 3 Oct 14:05`."""
        pattern = "M월 d일 (E) HH:mm" if self.language is Language.KO else "EEE d MMM HH:mm"
        return format_datetime(instant, pattern, tzinfo=ZONE, locale=self.locale)

    def clock(self, instant: datetime, now: datetime) -> str:
        """The time alone for today, with its date otherwise."""
        if instant.astimezone(ZONE).date() == now.astimezone(ZONE).date():
            return format_datetime(instant, "HH:mm", tzinfo=ZONE, locale=self.locale)
        return self.exact(instant)

    def day(self, instant: datetime) -> str:
        """`2025년 10월 3일 금요일`, `Friday 3 October 2025`."""
        pattern = "y년 M월 d일 EEEE" if self.language is Language.KO else "EEEE d MMMM y"
        return format_date(instant.astimezone(ZONE).date(), pattern, locale=self.locale)

    def short_day(self, day: date) -> str:
        """`11월 24일 (화)`, `Tue 24 Nov`."""
        return format_date(day, "M월 d일 (E)" if self.language is Language.KO else "EEE d MMM", locale=self.locale)

    def weekday(self, day: date) -> str:
        """`월요일`, `Monday`."""
        return format_date(day, "EEEE", locale=self.locale)

    def span(self, length: timedelta) -> str:
        """A length of time in the units people use for it: `12분`, `2시간 5분`, `3일 4시간`."""
        _ = self.gettext
        minutes = max(0, length // _MINUTE)
        hours, rest = divmod(minutes, 60)
        days, hours_of_day = divmod(hours, 24)
        if days:
            return (
                _("{days} d {hours} h").format(days=days, hours=hours_of_day)
                if hours_of_day
                else _("{days} d").format(days=days)
            )
        if hours:
            return (
                _("{hours} h {minutes} min").format(hours=hours, minutes=rest)
                if rest
                else _("{hours} h").format(hours=hours)
            )
        return _("{minutes} min").format(minutes=rest)

    def ago(self, instant: datetime, now: datetime) -> str:
        _ = self.gettext
        if now - instant < _MINUTE:
            return _("just now")
        return _("{span} ago").format(span=self.span(now - instant))


@cache
def words(language: Language) -> Words:
    """The words of a language. Raises Misconfigured when the translations were not compiled."""
    if language is Language.EN:
        return Words(language, gettext.NullTranslations())
    try:
        return Words(language, gettext.translation("messages", LOCALES, [language.value]))
    except FileNotFoundError:
        raise Misconfigured(
            f"the {language.value} translations are not compiled; run `make setup`, which compiles them"
        ) from None
