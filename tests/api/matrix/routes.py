"""The matrix of screens and commands: every route × every role × whose record × what is wrong with the request.

What is expected comes from the published policy of each route (docs/http.md) and the table of who may do what
(`rules/access.py`), not from the routes themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx

from api import app
from domain.reach import Reach
from domain.roles import Role
from rules.access import Action, reach_of, rights, roles_for
from tests.api.matrix.world import STAR, Targets, World, normal
from tests.desk import a_key

PAGE = Path(__file__).parents[3] / "docs" / "http.md"
_SECTION = re.compile(r"^### `(GET|POST|PUT|DELETE|PATCH) (/[^`]*)`$(.*?)(?=^###? |\Z)", re.MULTILINE | re.DOTALL)
_POLICY = re.compile(r"\*Policy\*: (?:`([a-z-]+)`|(public))")


class Whose(StrEnum):
    OWN = "own"
    OTHER = "other"
    NOBODY = "nobody"
    """The caller is not signed in."""


class Wrong(StrEnum):
    NOTHING = "nothing"
    NO_TOKEN = "no-csrf"
    FOREIGN = "foreign-origin"
    UNKNOWN = "unknown-field"
    SERVERS = "server-owned-field"


class Case(NamedTuple):
    route: tuple[str, str]
    role: Role
    whose: Whose
    wrong: Wrong


@cache
def policies() -> Mapping[tuple[str, str], Action | None]:
    """By method and path the action that the page names; None for what is public. A section without one fails."""
    found: dict[tuple[str, str], Action | None] = {}
    for method, path, text in _SECTION.findall(PAGE.read_text(encoding="utf-8")):
        named = _POLICY.search(text)
        assert named is not None, f"{method} {path} says no policy"
        found[method, path] = Action(named[1]) if named[1] else None
    return found


def routes() -> list[tuple[str, str]]:
    """As they are served now: a new one appears by itself."""
    return [(method, re.sub(r":\w+}", "}", path)) for method, path in app.routes()]


@cache
def names_something(route: tuple[str, str]) -> bool:
    """Whether a request can be about somebody else's: by its address or by its body."""
    now = datetime.now(UTC)
    one, two = (Targets(*([text] * 6), UUID(int=number), UUID(int=number), text) for number, text in enumerate("ab"))
    first, second = _fields(route, one, now), _fields(route, two, now)
    differ = any(first[name] != second[name] for name in first.keys() - {"key"})
    return differ or _address(route, one) != _address(route, two)


def cases() -> Iterator[Case]:
    for route in routes():
        reads = route[0] == "GET"
        for whose in Whose:
            if whose is Whose.OTHER and not names_something(route):
                continue
            for wrong in Wrong:
                if (reads or route == ("POST", "/auth/token")) and wrong is not Wrong.NOTHING:
                    continue  # neither changes anything in a session; and OAuth ignores fields that it does not know
                yield from (Case(route, role, whose, wrong) for role in Role)


_STREAM = ("GET", "/events")
"""Whoever may listen would listen for ever: the test of the stream has it."""

_SIGN_IN = ("POST", "/signin")
"""Its page lists the hospitals: that one exists is no secret, and everything else about it is."""

_READY = ("GET", "/readyz")
"""503 while nobody works, as here."""

_OWNED_BY_SERVER = ("hospital", "actor", "state", "received_at", "status", "version")


def _fields(route: tuple[str, str], of: Targets, now: datetime) -> dict[str, Any]:
    """A body as the route wants it; forms and commands name things alike. Unknown routes get none."""
    until = (now + timedelta(hours=3)).isoformat()
    path, form = route[1], not route[1].startswith("/commands")
    born = {"name": "Kim", "birth_date": "1980-02-29", "gender": "male"}
    bodies: dict[str, dict[str, Any]] = {
        "/commands/admissions": {"patient": {"reference": f"Patient/{of.patient}"}, "ward": of.ward},
        "/commands/admissions/{encounter_id}/cancel": {"reason": "no-longer-needed"},
        "/commands/patients": born | {"name": "김새임"},
        "/commands/patients/search": {"text": "김"},
        "/commands/patients/{patient_id}/correct": born | {"version": 1},
        "/commands/patients/merges": {
            "source": f"Patient/{of.patient}",
            "target": f"Patient/{of.patient}",
            "reason": "document-seen",
        },
        "/commands/patients/merges/{merge_id}/decide": {"decision": "refuse"},
        "/commands/break-glass": {"patient": f"Patient/{of.patient}", "reason": "other", "words": "ten signs and more"},
        "/commands/break-glass/{use_id}/review": {"verdict": "justified"},
        "/commands/resident-numbers": {"patient": f"Patient/{of.patient}", "reason": "ten signs and more"},
        "/commands/purposes": {"patient": f"Patient/{of.patient}", "purpose": "TREAT"},
        "/commands/delegations": {"taker": f"nurse@{of.hospital}", "roles": ["cashier"], "until": until},
        "/commands/acting": {"for": f"cashier@{of.hospital}"},
        "/commands/worklist/{task_id}/claim": {"revision": 1},
        "/commands/worklist/{task_id}/release": {"revision": 1},
        "/commands/worklist/{task_id}/start": {"revision": 1},
        "/commands/worklist/{task_id}/delegate": {"revision": 1, "to": f"nurse@{of.hospital}"},
        "/commands/worklist/{task_id}/return": {"revision": 1},
        "/commands/worklist/{task_id}/reassign": {"revision": 1, "to": f"nurse@{of.hospital}", "reason": "absent"},
        "/commands/worklist/{task_id}/forward": {"revision": 1, "roles": ["cashier"]},
        "/commands/worklist/{task_id}/comment": {"text": "seen"},
        "/commands/worklist/{task_id}/attach": {"reference": f"Patient/{of.patient}"},
        "/commands/worklist/{task_id}/snooze": {"until": until},
        "/commands/worklist/next": {"filter": {"late": True}},
        "/commands/worklist/bulk": {"action": "claim", "items": [{"task": "Task/any", "revision": 1}]},
        "/commands/worklist/filters/{name}": {"filter": {}},
        "/commands/worklist/{task_id}/complete": {"revision": 1, "bed": of.bed},
        "/signin": {"hospital": of.hospital, "account": "nurse", "password": "wrong-horse-1", "next": "/"},
        "/signin/code": {"code": "123456"},
        "/signin/password": {"password": "long-enough-horse-1"},
        "/signin/second-factor": {"code": "123456"},
        "/setup/{secret}": {"password": "long-enough-horse-1"},
        "/language": {"language": "en"},
        "/step-up": {"proof": "wrong-horse-1"},
        "/account/password": {"present": "wrong-horse-1", "password": "long-enough-horse-1"},
        "/account/second-factor": {"code": "123456"},
        "/account/delegations": {"taker": f"nurse@{of.hospital}", "role": "cashier", "until": until[:16]},
        "/account/acting": {"for": f"cashier@{of.hospital}"},
        "/admissions/new": born | {"ward": of.ward, "priority": "routine"},
        "/setup/{kind}": {"key": a_key(), "csv": "code", "act": "try"},
        "/patients": {"resident_number": "800214-2000005"},
        "/patients/new": born | {"name": "김새임"},
        "/patients/merges/{merge_id}/decide": {"decision": "refuse"},
        "/patients/{patient_id}/correct": born | {"version": "1"},
        "/patients/{patient_id}/merge": {"other": "00000001", "reason": "document-seen"},
        "/patients/{patient_id}/glass": {"reason": "other", "words": "ten signs and more"},
        "/patients/{patient_id}/purpose": {"purpose": "TREAT"},
        "/break-glass/{use_id}/review": {"verdict": "justified"},
        "/worklist/{task_id}/claim": {"revision": "1"},
        "/worklist/{task_id}/release": {"revision": "1"},
        "/worklist/{task_id}/complete": {"revision": "1", "bed": of.bed},
        "/stays/{encounter_id}/cancel": {"reason": "no-longer-needed"},
        "/commands/accounts": {
            "name": "made-here",
            "display_ko": "Kim",
            "display_en": "Kim",
            "roles": ["nurse"],
        },
        "/commands/accounts/{account}/roles": {"reason": "asked for", "roles": ["nurse"]},
        "/admin/accounts/new": {
            "name": "made-here",
            "display_ko": "Kim",
            "display_en": "Kim",
            "role": "nurse",
        },
        "/admin/accounts/{account}/roles": {"reason": "asked for", "role": "nurse"},
        "/commands/duties": {"position": "ward-supervisor", "account": f"charge-nurse@{of.hospital}", "place": of.ward}
        | {"since": now.isoformat(), "until": until},
        "/commands/absences": {"account": f"nurse@{of.hospital}", "since": now.isoformat(), "until": until}
        | {"reason": "leave"},
        "/commands/duty-needs": {"position": "attending", "place": of.ward, "days": "all", "starts": "08:00"}
        | {"ends": "18:00", "since": "2026-11-01"},
        "/commands/holidays": {"day": "2026-11-27", "ko": "Kim", "en": "Kim"},
        "/commands/business-weeks": {"since": "2026-11-01", "weekdays": [1, 2, 3]},
        "/commands/people/{account}/licences": {"licences": []},
        "/commands/contacts": {"kind": "sms", "address": "01000000000"},
        "/rosters": {"position": "ward-supervisor", "account": f"charge-nurse@{of.hospital}", "place": of.ward}
        | {"since_day": "2026-11-24", "starts": "08:00", "ends": "18:00"},
        "/rosters/needs": {
            "position": "attending",
            "place": of.ward,
            "days": "all",
            "starts": "08:00",
            "ends": "18:00",
        },
        "/calendar": {"day": "2026-11-28", "ko": "Kim", "en": "Kim"},
        "/calendar/week": {"weekday": "1"},
        "/people/{account}/absences": {"since": until[:16], "until": (now + timedelta(days=1)).isoformat()[:16]}
        | {"reason": "leave"},
        "/calls/contacts": {"kind": "sms", "address": "01000000000"},
        "/auth/token": {"grant_type": "client_credentials", "scope": "system/*.rs"},
    }
    if "/accounts/{account}/" in path and not path.endswith("/link"):
        bodies.setdefault(path, {"reason": "asked for"})
    fields = bodies.get(path, {}) if route[0] != "GET" else {}
    keyed = ("/admissions", "/stays", "/patients", "/break-glass", "/account/delegations", "/account/acting", "/admin")
    keyed += ("/rosters", "/calendar", "/people", "/calls")
    if (
        form
        and path != "/patients"
        and (path.startswith(keyed) or path.endswith("/complete"))
        and not path.endswith("/link")
    ):
        fields = fields | {"key": a_key()}
    return fields


def _address(route: tuple[str, str], of: Targets) -> str:
    values = {
        "encounter_id": of.encounter, "task_id": of.task, "patient_id": of.patient, "use_id": of.use, "key": of.key,
        "delegation_id": of.delegation, "hospital": of.hospital, "secret": f"{of.hospital}.{'a' * 43}",
        "name": of.use.hex[:16], "account": f"leaver@{of.hospital}",
    }  # fmt: skip
    # What a new route names and has no line above gets an id that each hospital has for something else.
    path = route[1].replace("/setup/{kind}", "/setup/place") if route[1].startswith("/setup") else route[1]
    return re.sub(r"{(\w+)}", lambda match: str(values.get(match[1], of.use)), path)


async def ask(world: World, case: Case, of: Targets) -> httpx.Response:
    """The request of a case, about the records of `of`. Answers come as programs hear them, also where screens ask."""
    method, path = case.route
    headers = {"Accept": "application/json", "Accept-Language": "en", "X-Real-Ip": "127.0.0.1"}
    fields = _fields(case.route, of, world.desk.state.now())
    if case.wrong is Wrong.FOREIGN:
        headers |= {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    if case.wrong is Wrong.UNKNOWN:
        fields = fields | {"nobody_knows_this": "1"}
    if case.wrong is Wrong.SERVERS:
        fields = fields | {name: "1" for name in _OWNED_BY_SERVER if name not in fields}
    if case.whose is not Whose.NOBODY:
        session = await world.session(case.role)
        headers["Cookie"] = f"phis={session.cookie}"
        if method != "GET" and case.wrong is not Wrong.NO_TOKEN:
            headers["X-CSRF-Token"] = session.csrf
    if method == "GET":
        return await world.client.get(_address(case.route, of), headers=headers)
    if path.startswith("/commands"):
        headers["Idempotency-Key"] = a_key()
        return await world.client.request(method, _address(case.route, of), json=fields, headers=headers)
    if path.startswith("/account"):
        world.forget(case.role)
    return await world.client.request(method, _address(case.route, of), data=fields, headers=headers)


async def fault(world: World, case: Case) -> str:  # noqa: PLR0911  (one for each way to be wrong)
    """What is wrong with the answer to a case; empty when it is as the policy says."""
    if case.route == _STREAM and not _refusal(case):
        return ""
    of = world.other if case.whose is Whose.OTHER else world.own
    answer = await ask(world, case, of)
    told = [mark for mark in _unseen(case, world) if mark in answer.text or mark in str(answer.headers)]
    if told:
        return f"tells {told}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 500 and case.route != _READY:
        return f"fails: {answer.status_code} {answer.text[:300]}"
    if wanted := _refusal(case):
        if answer.status_code not in wanted:
            return f"answers {answer.status_code} instead of {sorted(wanted)}: {answer.text[:300]}"
        return ""
    if answer.status_code in {401, 403} and not _beyond(case):
        return f"refuses what the policy allows: {answer.status_code} {answer.text[:300]}"
    if case.whose is Whose.OTHER and case.route != _SIGN_IN:
        twin = await ask(world, case, world.never)
        if normal(answer, of) != normal(twin, world.never):
            return f"differs from what never was: {normal(answer, of)} and {normal(twin, world.never)}"
    return ""


def _refusal(case: Case) -> set[int]:
    """Statuses that the policy asks for; empty where the route itself decides."""
    action, changes = policies()[case.route], case.route[0] != "GET"
    if action is None:
        return {403} if changes and case.wrong is Wrong.FOREIGN else _refused_fields(case)
    if case.whose is Whose.NOBODY:
        return {401}
    if changes and case.wrong in {Wrong.NO_TOKEN, Wrong.FOREIGN}:
        return {403}
    if case.role not in roles_for(action):
        return {403}
    return _refused_fields(case)


def _refused_fields(case: Case) -> set[int]:
    """422 for a field that nobody knows. A route that takes no body looks at none: commands end without one."""
    if case.wrong not in {Wrong.UNKNOWN, Wrong.SERVERS}:
        return set()
    return set() if case.route[1].startswith("/commands") and not takes_body(case.route) else {422}


def takes_body(route: tuple[str, str]) -> bool:
    return route[1] not in {
        "/commands/delegations/{delegation_id}/end",
        "/commands/duties/{duty_id}/end",
        "/commands/absences/{absence_id}/end",
        "/commands/duty-needs/{need_id}/end",
        "/commands/holidays/{holiday_id}/end",
        "/commands/notices/{notice_id}/acknowledge",
        "/commands/contacts/{contact_id}/end",
        "/commands/rules/disablements/{disablement_id}/lift",
        "/commands/rules/notices/{notice_id}/seen",
        "/commands/accounts/{account}/link",
        "/commands/setup/entries/{kind}/{code}/versions/{version}/approve",
    }


def _beyond(case: Case) -> bool:
    """Whether the table lets a role only so far, so that a route may refuse a patient or a task."""
    action = policies()[case.route]
    if action is None:
        return True  # the proof is asked for by the route: a password, a link, the cookie of a sign-in under way
    if action is Action.REVIEW_BREAK_GLASS or case.route[1] == "/step-up":
        return True  # one's own use; a wrong proof
    if case.route == ("POST", "/patients") and rights(frozenset({case.role})).masked:
        return True  # looked for by a resident number, by who sees them masked
    return reach_of([case.role], action) is not Reach.HOSPITAL


def _unseen(case: Case, world: World) -> list[str]:
    """Marks that must stand in no answer: the other hospital's, and for who is refused the own one's too."""
    marks = [world.other.mark]
    if _refusal(case) & {401, 403}:
        marks.append(world.own.mark)
    marks.append(f"{world.own.mark}-{STAR.upper()}")
    return marks


__all__ = ["UUID", "Case", "Whose", "Wrong", "cases", "fault", "policies", "routes"]
