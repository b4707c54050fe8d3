"""Who acts for whom, and the form that lends roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.caller import Caller
from api.ui.views.frame import role_name, role_names
from api.ui.views.stays import Choice
from api.ui.views.times import Moment, moment
from api.ui.words import ZONE, Language, Words
from domain.roles import Role
from store.accounts import Account
from store.care.delegations import Delegation

_SHIFT = timedelta(hours=8)


@dataclass(frozen=True)
class Typed:
    """What was typed. until: a wall clock of the hospital, `2026-11-23T18:00`."""

    taker: str = ""
    roles: frozenset[str] = frozenset()
    until: str = ""


@dataclass(frozen=True)
class Row:
    """colleague: the other one.  giver: their account, for acting.  active: this session acts on it now."""

    id: str
    colleague: str
    giver: str
    roles: str
    since: Moment
    until: Moment
    runs: bool
    active: bool


@dataclass(frozen=True)
class DelegationsView:
    key: str
    given: tuple[Row, ...]
    taken: tuple[Row, ...]
    colleagues: tuple[Choice, ...]
    roles: tuple[Choice, ...]
    typed: Typed
    errors: Mapping[str, str] = field(default_factory=dict)


def delegations_view(
    words: Words,
    caller: Caller,
    running: Sequence[Delegation],
    known: Sequence[Account],
    *,
    now: datetime,
    key: str,
    typed: Typed,
    wrong: set[str],
) -> DelegationsView:
    _ = words.gettext
    names = {each.name: each.display_ko if words.language is Language.KO else each.display_en for each in known}
    own = next((each.roles for each in known if each.name == caller.actor), frozenset[Role]())

    def row(each: Delegation, other: str) -> Row:
        return Row(
            id=str(each.id),
            colleague=names.get(other, other),
            giver=each.giver,
            roles=role_names(words, each.roles),
            since=moment(words, each.since, now),
            until=moment(words, each.until, now),
            runs=each.since <= now,
            active=caller.on_behalf_of == each.giver,
        )

    sentences = {
        "taker": _("Choose a colleague."),
        "roles": _("Choose at least one role."),
        "until": _("Give a day and a time that are still to come."),
    }
    default = (now + _SHIFT).astimezone(ZONE).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    return DelegationsView(
        key=key,
        given=tuple(row(each, each.taker) for each in running if each.giver == caller.actor),
        taken=tuple(row(each, each.giver) for each in running if each.taker == caller.actor),
        colleagues=tuple(
            Choice(each.name, names[each.name]) for each in known if not each.disabled and each.name != caller.actor
        ),
        roles=tuple(Choice(role.value, role_name(words, role)) for role in Role if role in own),
        typed=typed if typed.until else Typed(typed.taker, typed.roles, default.isoformat(timespec="minutes")),
        errors={name: sentences[name] for name in sorted(wrong) if name in sentences},
    )
