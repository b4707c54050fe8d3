"""The screens of accounts: who may sign in, one account with what can be done to it, and a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from api.caller import Caller
from api.commands.accounts import Kept
from api.ui.views.account import browser_of
from api.ui.views.frame import role_name, role_names
from api.ui.views.stays import Choice
from api.ui.views.times import Moment, moment
from api.ui.words import Language, Words
from domain.roles import Role
from store.accounts import Account
from store.sessions import OwnSession


@dataclass(frozen=True)
class AccountRow:
    """tone: of the tag that says how the account stands; empty for an open one."""

    href: str
    account: str
    person: str
    roles: str
    factor: str
    has_factor: bool
    state: str
    tone: str


@dataclass(frozen=True)
class Place:
    browser: str
    address: str
    seen: Moment


@dataclass(frozen=True)
class Typed:
    """What was typed into a form, and what is wrong beside its fields. form: which one of the page."""

    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountView:
    """own: nobody changes their own account here.  may_change: auditors look only."""

    row: AccountRow
    key: str
    closed: bool
    own: bool
    may_change: bool
    external: str
    places: tuple[Place, ...]
    roles: tuple[Choice, ...]
    held: frozenset[str]
    typed: Typed

    def of(self, form: str) -> Typed:
        """What a form of the page shows: what was typed into it, else nothing."""
        return self.typed if self.typed.form == form else Typed()

    @property
    def chosen(self) -> frozenset[str]:
        """Boxes that are checked: as they were typed, else as the account has them."""
        return self.typed.roles if self.typed.form == "roles" else self.held


@dataclass(frozen=True)
class NewAccountView:
    key: str
    hospital: str
    roles: tuple[Choice, ...]
    typed: Typed

    @property
    def values(self) -> Mapping[str, str]:
        return self.typed.values

    @property
    def errors(self) -> Mapping[str, str]:
        return self.typed.errors


def account_rows(words: Words, found: Sequence[Kept]) -> tuple[AccountRow, ...]:
    """Open accounts first, each part by name."""
    return tuple(account_row(words, each) for each in sorted(found, key=lambda kept: kept.account.disabled))


def account_row(words: Words, kept: Kept) -> AccountRow:
    _ = words.gettext
    one = kept.account
    state, tone = "", ""
    if one.disabled:
        state, tone = _("closed"), "calm"
    elif kept.held_up:
        state, tone = _("somebody waits after failures"), "soon"
    elif not one.password_hash and not one.external:
        state, tone = _("no password yet"), "info"
    return AccountRow(
        href=f"/admin/accounts/{quote(one.name, safe='@')}",
        account=one.name,
        person=person_of(words, one),
        roles=role_names(words, one.roles),
        factor=_("set up") if kept.second_factor else _("none"),
        has_factor=kept.second_factor,
        state=state,
        tone=tone,
    )


def account_view(
    words: Words,
    caller: Caller,
    kept: Kept,
    sessions: Sequence[OwnSession],
    *,
    now: datetime,
    key: str,
    may_change: bool,
    typed: Typed,
) -> AccountView:
    own = kept.account.name in {caller.actor, caller.on_behalf_of}
    return AccountView(
        row=account_row(words, kept),
        key=key,
        closed=kept.account.disabled,
        own=own,
        may_change=may_change and not own,
        external=kept.account.external or "",
        places=tuple(
            Place(
                browser_of(words, one.agent or ""),
                one.address or words.gettext("unknown address"),
                moment(words, one.seen_at, now),
            )
            for one in sessions
        ),
        roles=_roles(words),
        held=frozenset(kept.account.roles),
        typed=typed,
    )


def new_account_view(words: Words, hospital: str, *, key: str, typed: Typed) -> NewAccountView:
    return NewAccountView(key, hospital, _roles(words), typed)


def field_error(words: Words, name: str) -> str:
    """What a field of these forms needs."""
    _ = words.gettext
    return {
        "name": _("Use small letters, digits, '-', '_' and '.'; it must not be taken."),
        "display_ko": _("Enter the name that colleagues see, at most 100 letters."),
        "display_en": _("Enter the name that colleagues see, at most 100 letters."),
        "external": _("Another account has this name at the sign-on, or it is too long."),
        "roles": _("Choose at least one role."),
        "reason": _("Say why, in 3 to 500 signs."),
    }.get(name, _("This cannot be accepted."))


def person_of(words: Words, account: Account) -> str:
    return account.display_ko if words.language is Language.KO else account.display_en


def _roles(words: Words) -> tuple[Choice, ...]:
    return tuple(Choice(role.value, role_name(words, role)) for role in Role)
