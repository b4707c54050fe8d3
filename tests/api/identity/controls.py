"""Controls of identity: the check of what each promises, and how to switch it off.

`test_controls.py` runs every check twice: as it is, and switched off, where the same check must fail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from api import deps
from api import passwords as passwords_module
from api.identity import devices, signing_in
from api.passwords import Passwords
from store import accounts, attempts, second_factors, sessions, sign_ins
from store.attempts import Attempt
from store.database import Transaction
from store.sessions import Session
from tests.api.identity import checks
from tests.api.identity.world import World

Check = Callable[[World], Awaitable[None]]


@dataclass(frozen=True)
class Control:
    """`off` takes the protection away."""

    name: str
    check: Check
    off: Callable[[pytest.MonkeyPatch], None]


def _constant(value: object) -> Callable[..., object]:
    return lambda *_, **__: value


def _soon(value: object) -> Callable[..., Awaitable[object]]:
    async def answer(*_: object, **__: object) -> object:
        return value

    return answer


def _reusable_link(m: pytest.MonkeyPatch) -> None:
    m.setattr(sign_ins, "use_link", sign_ins.account_of_link)
    m.setattr(accounts, "change_password", _soon(None))


def _any_password(m: pytest.MonkeyPatch) -> None:
    m.setattr(Passwords, "_verify", _constant(True))


def _endless_sessions(m: pytest.MonkeyPatch) -> None:
    real = sessions.session

    async def never_idle(tx: Transaction, secret_hash: bytes, now: datetime, **more: Any) -> Session:
        return await real(tx, secret_hash, now, idles=timedelta(days=99))

    m.setattr(accounts, "session", never_idle)


def _quick_refusal(m: pytest.MonkeyPatch) -> None:
    real = Passwords.verify

    async def quick(self: Passwords, password: str, hashed: str | None) -> bool:
        return hashed is not None and await real(self, password, hashed)

    m.setattr(Passwords, "verify", quick)


def _off(module: object, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(module, name, value)


_NO_COUNT = _off(attempts, "begin", _soon(Attempt()))
_NO_END = _off(accounts, "end_sessions", _soon(0))
_LONG = timedelta(days=9)

CONTROLS = [
    Control("guessing", checks.guessing_stops, _NO_COUNT),
    Control("restart", checks.a_restart_forgives_nothing, _NO_COUNT),
    Control("at-once", checks.a_hundred_at_once_are_counted, _off(attempts, "FREE", 1000)),
    Control("owner", checks.strangers_do_not_lock_the_owner_out, _off(devices, "known_device", _constant(None))),
    Control("everywhere", checks.an_attack_from_everywhere_leaves_one_free_attempt, _off(attempts, "MANY", 10**6)),
    Control(
        "second-factor",
        checks.a_password_alone_is_not_enough_for_a_second_factor,
        _off(signing_in, "missing", _constant(None)),
    ),
    Control("replay", checks.a_code_is_good_once, _off(second_factors, "accept", _soon(True))),
    Control("recovery", checks.a_recovery_code_is_good_once, _off(second_factors, "use_recovery_code", _soon(True))),
    Control("code-guessing", checks.codes_are_not_guessed, _NO_COUNT),
    Control(
        "roles",
        checks.a_powerful_role_sets_a_second_factor_up_first,
        _off(signing_in, "must_have_second_factor", _constant(False)),
    ),
    Control("weak", checks.a_chosen_password_is_not_a_common_one, _off(signing_in, "weakness", _constant(None))),
    Control("link-once", checks.a_set_up_link_works_once, _reusable_link),
    Control("link-day", checks.a_set_up_link_ends_after_a_day, _off(sign_ins, "LINK_LASTS", _LONG)),
    Control(
        "fixation",
        checks.a_session_begins_with_a_new_secret_and_ends_the_old,
        _off(signing_in, "_forget_cookies", _soon(None)),
    ),
    Control("closed", checks.a_closed_account_ends_its_sessions, _NO_END),
    Control("other-roles", checks.other_roles_end_the_sessions, _NO_END),
    Control("new-password", checks.a_new_password_ends_other_sessions, _NO_END),
    Control("present-password", checks.the_present_password_is_asked_for, _any_password),
    Control("no-password", checks.no_password_opens_an_account_without_one, _any_password),
    Control("limits", checks.a_session_ends_by_itself, _endless_sessions),
    Control("step-up", checks.far_reaching_things_ask_for_a_fresh_proof, _off(deps, "PROOF_LASTS", _LONG)),
    Control(
        "step-up-page",
        checks.a_page_asks_for_a_proof_and_opens_afterwards,
        _off(deps, "refuse_without_fresh_proof", _constant(None)),
    ),
    Control("timing", checks.unknown_accounts_cost_the_same, _quick_refusal),
    Control("flood", checks.a_flood_of_sign_ins_is_turned_away, _off(passwords_module, "_WAITING", 10**6)),
    Control("forgotten", checks.what_ended_is_forgotten, _off(sessions, "forget_expired", _soon(0))),
]
