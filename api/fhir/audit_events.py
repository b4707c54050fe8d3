"""AuditEvent: read and search over the audit's own rows; nobody writes it but the house (hl7.org/fhir/R4/auditevent).

For the role auditor, and for programs whose scope names AuditEvent: `*` does not open the audit. Looking at it is
itself an access.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from api.accesses import accessed, request_id
from api.fhir import auditing, bundles, outcome
from api.fhir.audit_shape import ACCOUNT, INTERACTIONS, audit_event, id_of, numbers_of
from api.fhir.exchange import Answer, Call
from api.fhir.text import Json, write
from domain.errors import Forbidden, Invalid, NotFound
from domain.ids import Reference
from rules.scopes import Letter
from store import audit, audit_search
from store.audit import AuditAction, AuditLine
from store.audit_search import Kind, Search, Wanted
from store.database import Transaction
from store.search.instants import span

LARGEST_PAGE = 500
_PAGE = 50
_BARE = frozenset({"_count", "_sort", "_cursor", "_total", "_format", "_pretty", "_summary"})
_PARAMETERS = {
    "_id": "token",
    "action": "token",
    "address": "string",
    "agent": "reference",
    "agent-role": "token",
    "altid": "token",
    "date": "date",
    "entity": "reference",
    "outcome": "token",
    "patient": "reference",
    "subtype": "token",
    "type": "token",
}


async def read(call: Call, tx: Transaction) -> Answer:
    """Raises NotFound."""
    _require(call, "r")
    numbers = numbers_of(call.address.id)
    line = await audit_search.get(tx, *numbers) if numbers else None
    if line is None:
        raise NotFound("no such resource", reference=Reference.to("AuditEvent", call.address.id))
    await _note(tx, call, AuditAction.READ, [line])
    return Answer(HTTPStatus.OK, write(_shown(call, tx, line)), last_modified=line.recorded_at)


async def search(call: Call, tx: Transaction) -> Answer:
    """A page, newest first unless `_sort=date`. Raises Invalid naming the parameter."""
    _require(call, "s")
    pairs, ignored = _understood(call)
    wish = _search(call, pairs)
    given = dict(pairs)
    if given.get("_summary") == "count":
        found: tuple[list[AuditLine], bool] = [], False
    else:
        found = await audit_search.find(tx, wish, call.real)
    lines, more = found
    total = None
    if given.get("_total") in {"accurate", "estimate"} or given.get("_summary") == "count":
        total = await audit_search.count(tx, wish)
    elif wish.after is None and not more:
        total = len(lines)
    await _note(tx, call, AuditAction.QUERY, lines)
    links = [bundles.self_link(call, pairs)]
    if more:
        links.append(bundles.next_link(call, pairs, _cursor(lines[-1])))
    entries = [
        bundles.entry(
            full_url=f"{call.base}/AuditEvent/{id_of(line)}",
            resource=write(_shown(call, tx, line)),
            search={"mode": "match"},
        )
        for line in lines
    ]
    if ignored:
        issues = [outcome.issue("warning", "not-supported", f"{name} is ignored", f"http.{name}") for name in ignored]
        entries.append(bundles.entry(resource=write(outcome.outcome(issues)), search={"mode": "outcome"}))
    return Answer(HTTPStatus.OK, bundles.bundle("searchset", entries, at=call.now, links=links, total=total))


def capabilities() -> Json:
    """What the CapabilityStatement says of AuditEvent."""
    return {
        "type": "AuditEvent",
        "profile": "http://hl7.org/fhir/StructureDefinition/AuditEvent",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "readHistory": False,
        "updateCreate": False,
        "searchParam": [{"name": name, "type": kind} for name, kind in _PARAMETERS.items()],
        "documentation": "Rendered from the audit's own rows; written by the server only. For auditors.",
    }


def _require(call: Call, letter: Letter) -> None:
    """Raises Forbidden unless the policy lets the caller's roles, or the scope of a program without roles names it."""
    call.require(letter, "AuditEvent")
    asker = call.asker
    if not asker.caller.roles and letter not in asker.grants.by_type.get("AuditEvent", ()):
        raise Forbidden("the audit is for auditors", action=f"AuditEvent.{letter}")


def _shown(call: Call, tx: Transaction, line: AuditLine) -> Json:
    return audit_event(line, audit.said_of(tx, line), call.hospital)


async def _note(tx: Transaction, call: Call, action: AuditAction, lines: Sequence[AuditLine]) -> None:
    query = action is AuditAction.QUERY
    await accessed(
        tx,
        call.asker.caller,
        action,
        f"fhir/{call.address.interaction}",
        at=call.real,
        entities=[] if query else [Reference.to("AuditEvent", id_of(line)) for line in lines],
        patients={patient for line in lines for patient in line.patients},
        request=request_id(call.headers.get("x-request-id")),
        query=auditing.query_of(call) if query else None,
        found=len(lines) if query else None,
    )


def _understood(call: Call) -> tuple[list[tuple[str, str]], list[str]]:
    """Parameters that we know, and the names of those that are ignored. Raises Invalid where those are refused."""
    pairs, ignored = [], []
    for name, value in call.params:
        if name.partition(":")[0] in _PARAMETERS or name in _BARE:
            pairs.append((name, value))
        else:
            ignored.append(name[:64])
    if ignored and call.preference.strict:
        raise Invalid(f"the audit is not searched by {ignored[0]}", field=ignored[0])
    return pairs, ignored


def _search(call: Call, pairs: Sequence[tuple[str, str]]) -> Search:
    since: list[datetime] = []
    until: list[datetime] = []
    wanted: list[Wanted] = []
    kinds: list[list[Kind]] = []
    if call.address.compartment:
        wanted.append(_of_compartment(call))
    for given, value in pairs:
        name, _, modifier = given.partition(":")
        if name in _BARE:
            continue
        if modifier not in {"", "identifier"} or (modifier and name != "agent"):
            raise Invalid(f"{name[:64]} has no such modifier here", field=name[:64])
        values = [one for one in value.split(",") if one]
        if not values:
            raise Invalid(f"{name} has no value", field=name)
        if name == "date":
            _limit(values, since, until)
        elif name == "type":
            codes = [_code(one) for one in values]
            kinds.append([kind for kind in Kind if kind.value in codes])
        else:
            wanted.append(_wanted(name, values))
    given_ = dict(pairs)
    sort = given_.get("_sort", "-date")
    if sort not in {"date", "-date"}:
        raise Invalid("the audit is sorted by date or -date", field="_sort")
    return Search(
        max(since, default=None),
        min(until, default=None),
        wanted,
        kinds,
        sort == "-date",
        _after(given_["_cursor"]) if "_cursor" in given_ else None,
        _count(given_.get("_count")),
    )


def _of_compartment(call: Call) -> Wanted:
    if call.address.compartment != "Patient":
        return Wanted("entities", [f"{call.address.compartment}/{call.address.id}"])
    return Wanted("patients", [f"Patient/{call.address.id}"])


def _wanted(name: str, values: Sequence[str]) -> Wanted:  # noqa: PLR0911  (a table)
    match name:
        case "patient":
            return Wanted("patients", [one if "/" in one else f"Patient/{one}" for one in values])
        case "entity":
            return Wanted("entities", values)
        case "agent" | "altid":
            return Wanted("actor", [one.removeprefix(f"{ACCOUNT}|") for one in values])
        case "agent-role":
            return Wanted("roles", [_code(one) for one in values])
        case "action":
            codes = {_code(one) for one in values}
            return Wanted("action", [each.value for each in AuditAction if each.fhir in codes])
        case "outcome":
            outcomes = {"0": "allowed", "4": "denied"}
            return Wanted("outcome", [outcomes[code] for one in values if (code := _code(one)) in outcomes])
        case "subtype":
            return Wanted("subtype", _details([_code(one) for one in values]))
        case "address":
            return Wanted("address", values)
        case _:
            return Wanted("id", [str(numbers[1]) for one in values if (numbers := numbers_of(one))])


def _details(codes: Sequence[str]) -> list[str]:
    """Details and actions that a subtype stands for."""
    actions = {"110122": "login", "110123": "logout", "110127": "break-glass"}
    ours = [name for name, code in INTERACTIONS.items() if code in codes]
    return [*codes, *(f"fhir/{code}" for code in [*codes, *ours]), *(actions[one] for one in codes if one in actions)]


def _code(value: str) -> str:
    return value.rpartition("|")[2]


def _limit(values: Sequence[str], since: list[datetime], until: list[datetime]) -> None:
    """A date's limits, hl7.org/fhir/R4/search.html#date."""
    if len(values) > 1:
        raise Invalid("the audit takes one date a parameter; give two for a range", field="date")
    prefix, text = (values[0][:2], values[0][2:]) if values[0][:1].isalpha() else ("eq", values[0])
    found = span(text)
    if found is None or prefix not in {"eq", "ge", "gt", "le", "lt", "sa", "eb"}:
        raise Invalid("a date reads like ge2026-11-23 or 2026-11-23T08:30:00+09:00", field="date")
    low, high = found
    if prefix in {"eq", "ge"}:
        since.append(low)
    if prefix in {"gt", "sa"}:
        since.append(high)
    if prefix in {"eq", "le"}:
        until.append(high)
    if prefix in {"lt", "eb"}:
        until.append(low)


def _count(given: str | None) -> int:
    if given is None:
        return _PAGE
    if not (given.isascii() and given.isdecimal()):
        raise Invalid("_count is a number", field="_count")
    return max(1, min(int(given[:9]), LARGEST_PAGE))


def _cursor(line: AuditLine) -> str:
    return f"{line.recorded_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{line.xid}-{line.id}"


def _after(cursor: str) -> tuple[datetime, int, int]:
    at, _, numbers = cursor.partition("-")
    found = numbers_of(numbers)
    try:
        recorded = datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        found = None
    if found is None:
        raise Invalid("this is no page of a search of the audit", field="_cursor")
    return recorded, *found
