"""A person's own account: who they are here, their second factor, and where they are signed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.caller import Caller
from api.ui.views.frame import role_names
from api.ui.views.times import Moment, moment
from api.ui.words import Words
from store.sessions import OwnSession

_PROGRAMS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Whale/", "Whale"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class SessionRow:
    """One browser that is signed in. own: this one."""

    name: str
    browser: str
    address: str
    started: Moment
    seen: Moment
    own: bool


@dataclass(frozen=True)
class OwnAccount:
    """before: when one was signed in before this session.  failed: what was tried in between, "" for nothing."""

    account: str
    person: str
    roles: str
    has_password: bool
    has_factor: bool
    must_have_factor: bool
    recovery_left: str
    before: Moment | None
    before_from: str
    failed: str
    sessions: tuple[SessionRow, ...]


def own_account(
    words: Words,
    caller: Caller,
    sessions: Sequence[OwnSession],
    *,
    now: datetime,
    has_password: bool,
    has_factor: bool,
    must_have_factor: bool,
    recovery_left: int,
) -> OwnAccount:
    left = words.ngettext("{count} recovery code is left.", "{count} recovery codes are left.", recovery_left).format(
        count=recovery_left
    )
    here = next((one for one in sessions if one.secret_hash == caller.session), None)
    failures = here.before_failed if here else 0
    failed = words.ngettext(
        "Since then {count} attempt with your account has failed. If it was not yours, tell the administrator.",
        "Since then {count} attempts with your account have failed. If they were not yours, tell the administrator.",
        failures,
    ).format(count=failures)
    return OwnAccount(
        account=caller.actor,
        person=caller.display.get(words.language.value, caller.actor),
        roles=role_names(words, caller.roles),
        has_password=has_password,
        has_factor=has_factor,
        must_have_factor=must_have_factor,
        recovery_left=left,
        before=moment(words, here.before_at, now) if here and here.before_at else None,
        before_from=(here.before_from if here else None) or words.gettext("unknown address"),
        failed=failed if failures else "",
        sessions=tuple(
            SessionRow(
                name=one.name,
                browser=browser_of(words, one.agent or ""),
                address=one.address or words.gettext("unknown address"),
                started=moment(words, one.started_at, now),
                seen=moment(words, one.seen_at, now),
                own=one.secret_hash == caller.session,
            )
            for one in sessions
        ),
    )


def browser_of(words: Words, agent: str) -> str:
    """A browser by a name that people know; what it says of itself is theirs to forge, so it decides nothing."""
    program = next((name for mark, name in _PROGRAMS if mark in agent), "")
    machine = next((name for mark, name in _MACHINES if mark in agent), "")
    return " · ".join(part for part in (program, machine) if part) or words.gettext("unknown browser")
