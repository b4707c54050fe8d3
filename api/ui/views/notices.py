"""What messages to people say: that something waits and where. Never about whom."""

from __future__ import annotations

from datetime import datetime

from api.refusals import N_
from api.ui.views.names import Names
from api.ui.words import Words
from domain.notices import NoticeKind, NoticeState
from store.people.notices import Notice

_SENTENCES: dict[NoticeKind, str] = {
    NoticeKind.BED_OVERDUE: N_(
        "{place}: a bed should have been assigned by {due}. Please open P-HIS and take it over."
    ),
    NoticeKind.LICENCE_ENDS: N_("Your licence ends on {day}. Please hand in the renewal."),
    NoticeKind.TRIAL: N_("This is a trial. Please acknowledge it in P-HIS."),
}


def notice_text(words: Words, notice: Notice, names: Names, now: datetime) -> str:
    shown = {name: _shown(words, name, value, names, now) for name, value in notice.params.items()}
    return words.gettext(_SENTENCES[notice.kind]).format_map(_Forgiving(shown))


def state_name(words: Words, state: NoticeState) -> str:
    _ = words.gettext
    return {
        NoticeState.WAITING: _("on its way"),
        NoticeState.SENT: _("sent"),
        NoticeState.DELIVERED: _("delivered"),
        NoticeState.ACKNOWLEDGED: _("acknowledged"),
        NoticeState.UNREACHED: _("reached nobody"),
        NoticeState.WITHDRAWN: _("withdrawn"),
    }[state]


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _shown(words: Words, name: str, value: str, names: Names, now: datetime) -> str:
    match name:
        case "place":
            return names.place(value)
        case "due":
            return words.clock(datetime.fromisoformat(value), now)
        case "day":
            return words.day(datetime.fromisoformat(value))
        case _:
            return value
