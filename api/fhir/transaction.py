"""transaction: all entries of a Bundle or none (hl7.org/fhir/R4/http.html#transaction).

The order of the entries means nothing: targets are found first, references to entries and conditions are resolved,
everything is written at once, and what is read is read after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from uuid import uuid4

from api.fhir import auditing, bundles, conditional, integrity, references, subscribing, versions
from api.fhir.checking import checked
from api.fhir.delete import refuse_owned
from api.fhir.entries import Entry, answered, entry_of, raw_entries, within
from api.fhir.exchange import Answer, Call
from api.fhir.interactions import INTERACTIONS, refuse_unseen_target
from api.fhir.kept import refuse_joined
from api.fhir.outcome import Refusal
from api.fhir.patch import patched
from api.fhir.reach import refuse_unseen, refuse_written
from api.fhir.standing import transaction_of
from api.fhir.text import write
from api.fhir.update import refuse_other, refuse_wrong_state
from api.fhir.veil import restored
from api.fhir.writes import told
from domain.errors import Invalid, MultipleMatches, NotFound, PhisError
from domain.ids import FHIR_ID, Reference
from rules.scopes import Letter
from store import outbox
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading, writing
from store.fhir.versions import Head, Version
from store.fhir.writing import Write

_WRITES: dict[str, Letter] = {"create": "c", "update": "u", "patch": "u", "delete": "d"}
_PAUSE = 50
"""Entries between two chances for others to be served."""


@dataclass(slots=True)
class _Plan:
    """An entry on its way: what it is about, and what it comes to."""

    entry: Entry
    call: Call
    ref: Reference | None = None
    exists: bool = False  # a conditional create that found its resource, or an earlier entry that makes it
    write: Write | None = None
    kept: Version | None = None


async def transaction(call: Call) -> Answer:
    """Raises Refusal naming the entry; then nothing has changed."""
    raw = raw_entries(call.sent())
    plans = [planned(call, one, index) for index, one in enumerate(raw)]
    async with transaction_of(call) as tx:
        await carried_out(tx, call, plans)
        entries = [await _answer(tx, call, plan) for plan in plans]
    return Answer(HTTPStatus.OK, bundles.bundle("transaction-response", entries, at=call.now))


async def carried_out(tx: Transaction, call: Call, plans: list[_Plan]) -> None:
    """Everything that the entries write is written. Raises Refusal naming the entry."""
    await _find_targets(tx, plans)
    await _resolve(tx, call, plans)
    await _prepare(tx, plans)
    await _write(tx, call, plans)


def planned(call: Call, raw: object, index: int) -> _Plan:
    """An entry read, and allowed by scopes and roles. Raises Refusal naming it."""
    with _said_of(f"Bundle.entry[{index}]"):
        entry = entry_of(raw, index, call.base)
        at = entry.address
        letter = _WRITES.get(at.interaction)
        if letter is not None:
            call.require(letter, at.type)
        if at.interaction in {"create", "update"}:
            if entry.resource is None:
                raise Invalid("the entry has no resource", expression=f"{entry.where}.resource")
            if entry.resource.get("resourceType") != at.type:
                raise Invalid("the resource has another type than the address", field="/resourceType")
        made = Call(call.state, call.asker, call.base, at, call.real, entry.params, entry.headers, call.preference)
        made.resource = entry.resource
        return _Plan(entry, made)


async def _find_targets(tx: Transaction, plans: list[_Plan]) -> None:
    """The reference that every write is about: given, found by a condition, or new."""
    await conditional.alone_with(tx, [named for plan in plans if (named := _condition(plan)) is not None])
    created: dict[str, Reference] = {}
    targets: set[Reference] = set()
    for plan in plans:
        with _said_of(plan.entry.where):
            match plan.entry.address.interaction:
                case "create":
                    await _find_created(tx, plan, created)
                case "update" | "patch" | "delete":
                    await _find_existing(tx, plan, created)
        if plan.ref is not None and not plan.exists:
            if plan.ref in targets:
                said = Invalid("two entries write the same resource", expression=f"{plan.entry.where}.request.url")
                raise within(said, plan.entry.where)
            targets.add(plan.ref)


def _condition(plan: _Plan) -> tuple[str, conditional.Pairs] | None:
    """The search that a write depends on."""
    at, where = plan.entry.address, plan.entry.where
    if at.interaction == "create" and (given := plan.entry.headers.get("if-none-exist")) is not None:
        with _said_of(where):
            return at.type, conditional.criteria_of(given, f"{where}.request.ifNoneExist")
    if at.interaction in {"update", "patch", "delete"} and not at.id:
        return at.type, plan.entry.params
    return None


async def _find_created(tx: Transaction, plan: _Plan, created: dict[str, Reference]) -> None:
    kind, named = plan.entry.address.type, _condition(plan)
    if named is None:
        plan.ref = Reference.to(kind, str(uuid4()))
        return
    field, key = f"{plan.entry.where}.request.ifNoneExist", str(conditional.named_by(named[1]))
    found = created.get(kind + key)
    if found is None:
        found = await conditional.the_one(tx, plan.call, kind, named[1], field, alone=False)
    plan.exists = found is not None
    plan.ref = created[kind + key] = found or Reference.to(kind, str(uuid4()))


async def _find_existing(tx: Transaction, plan: _Plan, created: dict[str, Reference]) -> None:
    at, own = plan.entry.address, (plan.entry.resource or {}).get("id")
    if at.id:
        plan.ref = Reference.to(at.type, at.id)
    else:
        field, key = f"{plan.entry.where}.request.url", at.type + str(conditional.named_by(plan.entry.params))
        plan.ref = await conditional.the_one(tx, plan.call, at.type, plan.entry.params, field, alone=False)
        if plan.ref is None and at.interaction == "update":
            if own is not None and FHIR_ID.fullmatch(str(own)):
                await refuse_other(plan.call, tx, Reference.to(at.type, str(own)))
            plan.ref = created.setdefault(key, Reference.to(at.type, str(own or uuid4())))
    if plan.ref is None and at.interaction == "patch":
        raise NotFound("nothing meets the criteria")
    if at.interaction == "update" and plan.ref is not None and plan.entry.resource is not None:
        if own not in {None, plan.ref.id} or (at.id and own is None):
            raise Invalid("the resource's id is not the id of the address", field="/id")
        plan.entry.resource["id"] = plan.ref.id


async def _resolve(tx: Transaction, call: Call, plans: list[_Plan]) -> None:
    """References to entries and conditions become references to what is kept."""
    known: dict[str, str] = {}
    for plan in plans:
        if plan.entry.full_url and plan.ref is not None and plan.entry.address.interaction != "delete":
            if plan.entry.full_url in known and known[plan.entry.full_url] != plan.ref:
                said = Invalid("two entries have this fullUrl", expression=f"{plan.entry.where}.fullUrl")
                raise within(said, plan.entry.where)
            known[plan.entry.full_url] = str(plan.ref)
    for number, plan in enumerate(plans):
        if plan.entry.resource is None:
            continue
        with _said_of(plan.entry.where):
            for condition in references.conditions_in(plan.entry.resource):
                if condition not in known:
                    place = references.place_of(plan.entry.resource, condition)
                    known[condition] = str(await _meant(tx, call, condition, plans, place))
            references.rewrite(plan.entry.resource, plan.entry.full_url, known)
        if number % _PAUSE == 0:
            await asyncio.sleep(0)


async def _meant(tx: Transaction, call: Call, condition: str, plans: list[_Plan], place: str) -> Reference:
    """What a conditional reference names: a kept resource, else one of the Bundle, by its identifier."""
    kind = condition.partition("?")[0]
    pairs = conditional.criteria_of(condition, place)
    found = await conditional.the_one(tx, call, kind, pairs, place, alone=False)
    if found is not None:
        return found
    made = [
        plan.ref
        for plan in plans
        if plan.ref is not None and plan.entry.address.type == kind and _identified(plan.entry, pairs)
    ]
    if len(made) != 1:
        if made:
            raise MultipleMatches("the condition of a reference names more than one entry", field=place)
        raise Invalid("the condition of a reference names nothing", field=place)
    return made[0]


def _identified(entry: Entry, pairs: list[tuple[str, str]]) -> bool:
    if [name for name, _ in pairs] != ["identifier"] or entry.resource is None:
        return False
    system, bar, value = pairs[0][1].rpartition("|")
    given = entry.resource.get("identifier", [])
    return any(
        isinstance(each, dict) and each.get("value") == value and (not bar or each.get("system", "") == system)
        for each in (given if isinstance(given, list) else [given])
    )


async def _prepare(tx: Transaction, plans: list[_Plan]) -> None:
    """What every entry writes, checked: content, versions, and state that a process owns."""
    # All at once and in one order: two transactions that meet the same resources do not wait for each other.
    changing = {"update", "patch", "delete"}
    existing = [plan.ref for plan in plans if plan.ref and plan.entry.address.interaction in changing]
    for plan in plans:
        if plan.ref is not None and (letter := _WRITES.get(plan.entry.address.interaction)) in {"u", "d"}:
            with _said_of(plan.entry.where):
                await refuse_unseen(plan.call, tx, [plan.ref], letter)
    heads = await reading.heads(tx, existing, lock=True) if existing else {}
    for number, plan in enumerate(plans):
        with _said_of(plan.entry.where):
            await _prepare_one(tx, plan, heads.get(plan.ref) if plan.ref else None)
        if number % _PAUSE == 0:
            await asyncio.sleep(0)


async def _prepare_one(tx: Transaction, plan: _Plan, head: Head | None) -> None:
    ref, resource = plan.ref, plan.entry.resource
    match plan.entry.address.interaction:
        case "create" if ref is not None and resource is not None and not plan.exists:
            await checked(resource, ref.resource_type)
            if (rights := plan.call.asker.rights) is not None:
                refuse_joined(ref, resource, rights.unchangeable(ref.resource_type))
            plan.write = Write(ref, resource, write(resource), 0)
        case "update" if ref is not None and resource is not None:
            await checked(resource, ref.resource_type)
            await refuse_wrong_state(tx, plan.call, ref, head, resource)
            plan.exists = head is not None and not head.deleted
            plan.write = Write(ref, resource, write(resource), head.version if head else 0)
        case "patch" if ref is not None:
            plan.call.address = replace(plan.entry.address, id=ref.id)
            plan.call.body = plan.entry.call(plan.call).body
            plan.write = await patched(tx, plan.call)
            plan.exists = True
        case "delete" if ref is not None:
            versions.refuse_stale(plan.call, ref, head)
            if head is not None and not head.deleted:
                refuse_owned(ref, head)
                plan.write = Write(ref, None, None, head.version)


async def _write(tx: Transaction, call: Call, plans: list[_Plan]) -> None:
    """Everything at once, with one audit row."""
    for plan in plans:
        if plan.write is not None:
            with _said_of(plan.entry.where):
                plan.write = await restored(tx, plan.write)
    writes = [plan.write for plan in plans if plan.write is not None]
    if not writes:
        return
    made = {version.reference: version for version in await writing.write(tx, writes, now=call.now)}
    for plan in plans:
        if plan.write is not None:
            plan.kept = made[plan.write.reference]
    placed = [(plan.entry.where, plan.write) for plan in plans if plan.write is not None]
    await integrity.refuse_broken(call, tx, placed)
    await subscribing.settle(tx, call, placed)
    kept = [each for each in writes if each.resource is not None]
    await refuse_written(call, tx, [each.reference for each in kept if not each.expected], "c")
    await refuse_written(call, tx, [each.reference for each in kept if each.expected], "u")
    await outbox.put_all(tx, outbox.RECORDS, [each.name for each in made.values()])
    await auditing.note(tx, call, AuditAction.EXECUTE, made.values())


async def _answer(tx: Transaction, call: Call, plan: _Plan) -> bytes:
    interaction = plan.entry.address.interaction
    if interaction not in _WRITES:
        with _said_of(plan.entry.where):
            read = plan.entry.call(call)
            await refuse_unseen_target(read, tx)
            return answered(await INTERACTIONS[interaction](read, tx), show=not plan.entry.head)
    if interaction == "delete":
        return answered(Answer(HTTPStatus.NO_CONTENT, etag=plan.kept.version if plan.kept else None), show=False)
    if plan.kept is None and plan.ref is not None:  # a conditional create that found its resource
        plan.kept = await reading.read(tx, plan.ref)
    assert plan.kept is not None  # noqa: S101 - every other write was kept
    status = HTTPStatus.OK if plan.exists else HTTPStatus.CREATED
    answer = told(plan.call, status, plan.kept, at=versions.location(call, plan.kept))
    return answered(answer, show=call.preference.wanted not in {None, "minimal"})


@contextmanager
def _said_of(where: str) -> Iterator[None]:
    """Whatever is refused in the block is said of this entry."""
    try:
        yield
    except (PhisError, Refusal) as failed:
        raise within(failed, where) from failed
