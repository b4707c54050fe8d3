"""The matrix of FHIR: every interaction and operation × type × role × whose record × what is wrong with the request.

Addresses come from the table of interactions and the register of operations; what is expected, from the policy table:
what letter of which type an interaction needs is written here once, as the specification of the interface.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, cast

import httpx

from api.fhir.operations import OPERATIONS
from api.fhir.routing import address_of
from api.fhir.server import _PERFORM
from domain import fhir
from domain.reach import Reach
from domain.roles import Role
from rules.access import Action, rights, roles_for
from rules.scopes import Letter
from tests.api.matrix.bodies import message, parameters
from tests.api.matrix.world import AWAY, HERE, KINDS, SPARE, STAR, Targets, World, normal


class Whose(StrEnum):
    OWN = "own"
    AWAY = "out-of-reach"
    """Of the own hospital, about somebody on no ward."""
    LABELLED = "labelled"
    """Of the own hospital, on the ward, sensitive, and nobody has said why."""
    OTHER = "other"
    ADDRESS = "other-address"
    NOBODY = "nobody"


class Wrong(StrEnum):
    NOTHING = "nothing"
    NO_TOKEN = "no-csrf"
    FOREIGN = "foreign-origin"
    UNKNOWN = "unknown-element"


class Endpoint(NamedTuple):
    """`what`: an interaction, or `$` and an operation, with the type it is asked of; no type: of the system."""

    what: str
    kind: str
    method: str
    path: str


class Case(NamedTuple):
    endpoint: Endpoint
    role: Role
    whose: Whose
    wrong: Wrong


_TEMPLATES: dict[str, tuple[tuple[str, str], ...]] = {
    "read": (("GET", "{kind}/{id}"), ("HEAD", "{kind}/{id}")),
    "vread": (("GET", "{kind}/{id}/_history/1"),),
    "create": (("POST", "{kind}"),),
    "update": (("PUT", "{kind}/{id}"), ("PUT", "{kind}?_id={id}")),
    "patch": (("PATCH", "{kind}/{id}"), ("PATCH", "{kind}?_id={id}")),
    "delete": (("DELETE", "{kind}/{id}"), ("DELETE", "{kind}?_id={id}")),
    "history-instance": (("GET", "{kind}/{id}/_history"),),
    "history-type": (("GET", "{kind}/_history"),),
    "search-type": (("GET", "{kind}"), ("POST", "{kind}/_search"), ("GET", "{kind}?_id={id}&_total=accurate")),
    "search-compartment": (("GET", "Patient/{patient}/{kind}"), ("POST", "Patient/{patient}/{kind}/_search")),
    "history-system": (("GET", "_history"),),
    "search-system": (("GET", ""), ("POST", "_search"), ("GET", "?_type={kinds}")),
    "capabilities": (("GET", "metadata"),),
    "batch": (("POST", ""),),
    "process-message": (("POST", "$process-message"),),
    "read-audit": (("GET", "AuditEvent/{audit}"),),
    "search-audit": (("GET", "AuditEvent"), ("POST", "AuditEvent/_search"), ("GET", "Patient/{patient}/AuditEvent")),
    "export-status": (("GET", "_export/{export}"),),
    "export-cancel": (("DELETE", "_export/{export}"),),
    "export-file": (("GET", "_export/{export}/1"),),
}

_OF_TYPES = frozenset(
    {"read", "vread", "create", "update", "patch", "delete", "history-instance", "history-type", "search-type"}
    | {"search-compartment"}
)
_LETTERS: dict[str, Letter] = {
    "read": "r", "vread": "r", "history-instance": "r", "create": "c", "update": "u", "patch": "u", "delete": "d",
    "search-type": "s", "history-type": "s", "search-compartment": "s", "read-audit": "r", "search-audit": "s",
    "process-message": "c",
}  # fmt: skip

_OF_SYSTEM = {"read-audit": "AuditEvent", "search-audit": "AuditEvent", "process-message": "MessageHeader"}
"""The type whose letter is asked for where the address has none."""

_OPERATIONS: dict[str, tuple[Letter, str] | Action | None] = {
    "validate": None,
    "everything": ("r", ""),
    "lookup": ("r", "CodeSystem"),
    "validate-code": None,
    "subsumes": ("r", "CodeSystem"),
    "expand": ("r", "ValueSet"),
    "translate": ("r", "ConceptMap"),
    "match": ("s", "Patient"),
    "merge": Action.MERGE_PATIENTS,
    "status": ("r", "Subscription"),
    "export": Action.EXPORT_RECORDS,
    "events": ("r", "Subscription"),
}
"""What an operation needs: a letter of a type ("" the one of the address), or an action."""


def interactions() -> set[str]:
    return set(_PERFORM) - {"operation"}


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Everything that the interface answers. An interaction or operation without a line above fails here."""
    missing = (interactions() - _TEMPLATES.keys()) | (set(OPERATIONS) - set(_OPERATIONS))
    assert not missing, f"the matrix does not know {sorted(missing)}"
    return tuple(_endpoints())


def _endpoints() -> Iterator[Endpoint]:
    types = sorted(fhir.resource_types() - {"AuditEvent"})
    for what, templates in _TEMPLATES.items():
        for method, path in templates:
            for kind in types if what in _OF_TYPES else [""]:
                yield Endpoint(what, kind, method, path)
    for name, operation in OPERATIONS.items():
        for kind in ["", *types]:
            for id_, path in (("", "{kind}/"), ("x", "{kind}/{id}/")):
                if (kind or not id_) and operation.stands(kind, id_):
                    for method in ["POST"] if operation.changes else ["GET", "POST"]:
                        yield Endpoint(f"${name}", kind, method, f"{path}${name}".lstrip("/") if kind else f"${name}")


_NAMING = {"$merge", "process-message"}
"""What names a patient in its body."""


def about_kept(endpoint: Endpoint) -> bool:
    return endpoint.kind in KINDS or not endpoint.kind


def cases(chosen: tuple[Endpoint, ...]) -> Iterator[Case]:
    for endpoint in chosen:
        named = "{id}" in endpoint.path or "{patient}" in endpoint.path or endpoint.what in _NAMING
        changes = endpoint.method not in {"GET", "HEAD"}
        for whose in Whose:
            if whose in {Whose.OTHER, Whose.AWAY, Whose.LABELLED} and not (named and about_kept(endpoint)):
                continue
            for wrong in Wrong:
                if wrong is not Wrong.NOTHING and not (changes and whose is Whose.OWN):
                    continue
                if wrong is Wrong.UNKNOWN and endpoint.what not in {"create", "update"}:
                    continue
                # Who is not signed in has no role; and of a type of which nothing is kept one is enough where the
                # request is refused before anybody looks at roles.
                plain = whose is Whose.OWN and wrong in {Wrong.NOTHING, Wrong.UNKNOWN}
                alone = whose is Whose.NOBODY or not (plain or about_kept(endpoint))
                yield from (Case(endpoint, role, whose, wrong) for role in ([Role.NURSE] if alone else Role))


_SHOWN = {Whose.AWAY: AWAY, Whose.LABELLED: STAR}


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None


def _request(world: World, case: Case, of: Targets, address: str, credential: dict[str, str]) -> _Request:
    at = case.endpoint
    which = SPARE if at.method in {"PUT", "PATCH", "DELETE"} and case.whose is Whose.OWN else HERE
    which = _SHOWN.get(case.whose, which)
    id_, kind = of.id(at.kind or "Patient", which), at.kind
    values = {
        "kind": kind, "id": id_, "patient": of.id("Patient", which), "kinds": ",".join(KINDS), "audit": "1-1",
        "export": str(of.use),
    }  # fmt: skip
    path = at.path.format(**values)
    headers = {"Accept": "application/fhir+json", **credential}
    content: bytes | None = None
    if at.method in {"POST", "PUT", "PATCH"}:
        content, headers["Content-Type"] = _content(case, of, id_, which)
    if at.what == "$export":
        headers["Prefer"] = "respond-async"
    if case.wrong is Wrong.FOREIGN:
        headers |= {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    return _Request(at.method, f"/fhir/{address}/{path}".rstrip("/"), headers, content)


def _content(case: Case, of: Targets, id_: str, which: str) -> tuple[bytes, str]:
    at, json_type = case.endpoint, "application/fhir+json"
    patient = f"Patient/{of.id('Patient', which)}"
    if at.path.endswith("_search"):
        return b"_summary=false", "application/x-www-form-urlencoded"
    if at.method == "PATCH":
        return json.dumps([{"op": "test", "path": "/id", "value": id_}]).encode(), "application/json-patch+json"
    body: dict[str, Any]
    if at.what == "batch":
        urls = [f"Patient/{of.id('Patient', each)}" for each in (HERE, AWAY, STAR)]
        urls += ["Observation", f"Observation/{of.id('Observation', AWAY)}/_history", f"{patient}/$everything"]
        entries = [{"request": {"method": "GET", "url": url}} for url in urls]
        body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    elif at.what == "process-message":
        body = message(patient)
    elif at.what.startswith("$"):
        body = parameters(at.what, of, patient)
    else:
        body = {"resourceType": at.kind, "id": id_, "meta": {"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z"}}
        if at.kind == "Observation":
            # No mark: whoever may write sees what they wrote, and that is no leak.
            body |= {"status": "final", "code": {"text": "asked"}, "subject": {"reference": patient}}
        if case.wrong is Wrong.UNKNOWN:
            body["nobodyKnowsThis"] = "1"
    return json.dumps(body).encode(), json_type


async def _ask(world: World, case: Case, of: Targets, address: str) -> httpx.Response:
    credential: dict[str, str] = {}
    if case.wrong is not Wrong.NOTHING and case.whose is not Whose.NOBODY:
        session = await world.session(case.role)
        credential = {"Cookie": f"phis={session.cookie}"}
        if case.wrong is not Wrong.NO_TOKEN:
            credential["X-CSRF-Token"] = session.csrf
    elif case.whose is not Whose.NOBODY:
        credential = {"Authorization": f"Bearer {world.tokens[case.role]}"}
    one = _request(world, case, of, address, credential)
    return await world.client.request(one.method, one.url, headers=one.headers, content=one.content)


async def fault(world: World, case: Case) -> str:
    """What is wrong with the answer to a case; empty when it is as the policy says."""
    of = world.other if case.whose in {Whose.OTHER, Whose.ADDRESS} else world.own
    address = world.other.hospital if case.whose is Whose.ADDRESS else world.own.hospital
    answer = await _ask(world, case, of, address)
    text = _without_question(answer.text + str(answer.headers), case)
    if told := [mark for mark in _unseen(case, world) if mark in text]:
        return f"tells {told}: {answer.status_code} {answer.text[:400]}"
    if answer.status_code >= 500:
        return f"fails: {answer.status_code} {answer.text[:300]}"
    wanted = _wanted(case)
    if wanted and answer.status_code not in wanted:
        return f"answers {answer.status_code} instead of {sorted(wanted)}: {answer.text[:300]}"
    if case.whose in {Whose.OTHER, Whose.ADDRESS} and case.endpoint.what != "capabilities":
        at = world.never.hospital if case.whose is Whose.ADDRESS else address
        twin = await _ask(world, case, world.never, at)
        if normal(answer, of) != normal(twin, world.never):
            return f"differs from what never was: {normal(answer, of)} and {normal(twin, world.never)}"
    return ""


def _without_question(text: str, case: Case) -> str:
    """A page's link to itself and the echo of an operation's input repeat what was asked."""
    return text.replace('"FARMARK-HERE"', "") if case.endpoint.what in {"$match", "$merge"} else text


def _reach(case: Case) -> Reach | None:
    """How far the table lets the role go; None where it asks for no right."""
    at, what = case.endpoint, case.endpoint.what
    if what.startswith("$"):
        need = _OPERATIONS[what[1:]]
        if need is None:
            return None
        if isinstance(need, Action):
            return Reach.HOSPITAL if case.role in roles_for(need) else Reach.NONE
        letter, kind = need[0], need[1] or at.kind
    elif what in {"export-status", "export-cancel", "export-file"}:
        return Reach.HOSPITAL if case.role in roles_for(Action.EXPORT_RECORDS) else Reach.NONE
    elif what in _LETTERS:
        letter, kind = _LETTERS[what], at.kind or _OF_SYSTEM[what]
    else:
        return None
    return rights(frozenset({case.role})).reach(letter, kind)


def _wanted(case: Case) -> set[int]:  # noqa: PLR0911  (a table)
    """Statuses that the policy asks for; empty where the content decides."""
    at = case.endpoint
    if at.what == "capabilities":
        return {200}
    if case.whose is Whose.NOBODY:
        return {401}
    if case.wrong in {Wrong.NO_TOKEN, Wrong.FOREIGN}:
        return {403}
    if case.whose is Whose.ADDRESS:
        return {404}
    found = _reach(case)
    if found is None:
        return set()
    if found is Reach.NONE:
        # What is out of reach for all that somebody may do with it may be as missing as what never was.
        return {403, 404} if at.what.startswith("$") else {403}
    if case.wrong is Wrong.UNKNOWN:
        return {400, 403, 404, 422}
    one = at.what in {"read", "vread", "history-instance"} and at.kind in KINDS
    if not one:
        refuses = found < Reach.HOSPITAL or _keeps_elements(case)
        return {200, 201, 202, 204, 400, 404, 409, 410, 412, 422} | ({403} if refuses else set())
    if case.whose in {Whose.OTHER, Whose.LABELLED}:
        return {404}
    if case.whose is Whose.AWAY and found < Reach.HOSPITAL:
        return {404}
    return {200} if found in {Reach.HOSPITAL, Reach.WARD, Reach.CARE} else {200, 404}


def _keeps_elements(case: Case) -> bool:
    """Whether an update, which leaves everything out here, would take away what the role does not change."""
    kept = case.whose is Whose.LABELLED or rights(frozenset({case.role})).kept.get(case.endpoint.kind)
    return case.endpoint.what == "update" and bool(kept)


def _unseen(case: Case, world: World) -> list[str]:
    """Marks that must stand in no answer: this role does not see what has them."""
    marks = [world.other.mark, f"{world.own.mark}-{STAR.upper()}"]
    if case.whose in {Whose.NOBODY, Whose.ADDRESS} or case.wrong in {Wrong.NO_TOKEN, Wrong.FOREIGN}:
        return [*marks, f"{world.own.mark}-"]
    held = rights(frozenset({case.role}))
    # Identities of all patients are open to some who see nothing else: the widest reach says what may be shown at all.
    widest = max((held.reach(cast("Letter", letter), kind) for kind in KINDS for letter in "rsu"), default=Reach.NONE)
    if widest < Reach.HOSPITAL:
        marks.append(f"{world.own.mark}-{AWAY.upper()}")
    if widest is Reach.NONE:
        marks.append(f"{world.own.mark}-")
    own = case.endpoint.kind
    if case.endpoint.what in {"read", "vread", "history-instance", "search-type", "history-type"} and own in KINDS:
        reached = max(held.reach("r", own), held.reach("s", own))
        if reached < Reach.HOSPITAL:
            marks.append(f"{world.own.mark}-{AWAY.upper()}")
        if reached is Reach.NONE:
            marks.append(f"{world.own.mark}-")
    return marks


def stands_where_it_says(endpoint: Endpoint) -> bool:
    """Whether the router names the interaction of an endpoint's address."""
    path = endpoint.path.format_map(defaultdict(lambda: "1-1", kind=endpoint.kind, kinds="Patient")).partition("?")[0]
    found = address_of(endpoint.method, [part for part in path.split("/") if part])
    return (f"${found.operation}" if found.operation else found.interaction) == endpoint.what
