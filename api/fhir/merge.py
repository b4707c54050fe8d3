"""$merge: two records of one person become one (hl7.org/fhir/R5/patient-operation-merge.html; R4 lacks it).

One transaction: both patients, whatever refers to the one that ends, the tasks and stays that hang on it, a Provenance,
the audit. Nobody ever sees half of it. docs/adr/0016 says what follows and what stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import uuid4

from adapters.fhir.elements import instant, person
from api.fhir import auditing
from api.fhir.exchange import Answer, Call
from api.fhir.outcome import Refusal, error, issue, outcome
from api.fhir.parameters import answer, given, part
from api.fhir.persons import Named, named, not_there
from api.fhir.text import Json, write
from domain.admission import admission_id
from domain.errors import Forbidden, TooCostly
from domain.ids import Reference
from domain.journal import JournalEntry, JournalKey
from domain.merging import NEVER_REWRITTEN, labelled, provenance, redirected, refuse_result, replaced, resulting
from rules.access import Action, may
from store import beds, journal, outbox, worklist
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import conditions, reading, writing
from store.fhir.referring import referrers
from store.fhir.versions import Version
from store.fhir.writing import Write
from store.search.links import successors

MOST = 5000
"""Records that one merge rewrites. A larger one is refused; mostly the other direction has fewer."""

_BATCH = 500

_KNOWN = {
    "source-patient": "Reference",
    "source-patient-identifier": "Identifier*",
    "target-patient": "Reference",
    "target-patient-identifier": "Identifier*",
    "result-patient": "Patient",
    "preview": "boolean",
}


@dataclass
class _Merge:
    """A merge on its way: who, what is written, and what came about."""

    tx: Transaction
    call: Call
    source: Named
    target: Named
    wanted: Json | None
    kept: list[Version] = field(default_factory=list)


async def merge(call: Call, tx: Transaction) -> Answer:
    """200 with Parameters: `input`, `outcome`, `result`. Asked again, it says so and changes nothing.

    Raises Invalid, Forbidden, TooCostly, ActiveStayExists when both lie in the hospital; Refusal 422 for patients that
    cannot be merged as asked.
    """
    call.require("u", "Patient")
    roles = call.asker.caller.roles
    if roles and not may(roles, Action.MERGE_PATIENTS):
        raise Forbidden("the roles do not merge patients", action=Action.MERGE_PATIENTS)
    call.sent()  # a change is asked for in a body, never by a link
    asked = await given(call, _KNOWN, strict=True)  # a misspelt `preview` must not merge
    await conditions.alone_merging(tx)
    source = await named(tx, call, asked, "source-patient")
    target = await named(tx, call, asked, "target-patient")
    if source.reference == target.reference:
        raise _refused("business-rule", "source and target are the same patient", "source-patient")
    one = _Merge(tx, call, source, target, asked.part("result-patient"))
    if one.wanted is not None:
        refuse_result(one.wanted, target.reference, source.reference, [*source.identifiers, *target.identifiers])
    return await _done(one, preview=asked.flag("preview") is True)


async def merge_two(call: Call, tx: Transaction, source: Reference, target: Reference) -> None:
    """The same for two patients who are known by reference. Raises as `merge` does."""
    await conditions.alone_merging(tx)
    call.resource = {"resourceType": "Parameters"}
    await _done(_Merge(tx, call, Named(source, ()), Named(target, ()), None), preview=False)


async def _done(one: _Merge, *, preview: bool) -> Answer:
    source, target = one.source.reference, one.target.reference
    moving = await _locked(one)
    after = await successors(one.tx, {source, target})
    if after.get(source) == {target}:
        there = await reading.read(one.tx, target)
        await auditing.note(one.tx, one.call, AuditAction.READ, [there])
        return _answer(one.call, f"{source} was merged into {target} before; nothing has changed", there.body)
    for name, patient in (("source-patient", source), ("target-patient", target)):
        if patient in after:
            others = ", ".join(sorted(after[patient]))
            raise _refused("business-rule", f"{patient} is not in use any more: it was replaced by {others}", name)
    bodies = await reading.read_many(one.tx, [source, target])
    ends = replaced(bodies[source].body, target)
    stays = one.wanted or resulting(bodies[target].body, bodies[source].body, source)
    stays = labelled(stays, bodies[target].body, bodies[source].body)
    if preview:
        await auditing.note(one.tx, one.call, AuditAction.READ, list(bodies.values()))
        return _answer(one.call, f"preview: {len(moving)} records would move from {source} to {target}", stays)
    writes = [
        Write(source, ends, write(ends), bodies[source].version),
        Write(target, stays, write(stays), bodies[target].version),
    ]
    one.kept += await writing.write(one.tx, writes, now=one.call.now)
    await _move(one, moving)
    await _tell(one, [f"{each.reference}/_history/{each.version}" for each in bodies.values()])
    moved = sum(each.reference.resource_type not in NEVER_REWRITTEN for each in one.kept)
    result = next(each for each in one.kept if each.reference == target)
    return _answer(one.call, f"{source} was merged into {target}; {moved} records moved", result.body)


async def _locked(one: _Merge) -> list[Reference]:
    """The records that refer to the source. They, both patients and the tasks change by nobody else until the end.

    Tasks come first and records in one order, as everywhere. What is written to the source meanwhile is found by a
    second look; what comes after it is found by the links.
    """
    tx, source = one.tx, one.source.reference
    await worklist.of_patient(tx, source)
    found = set(await _referring(one))
    heads = await reading.heads(tx, [*found, source, one.target.reference], lock=True)
    for name, patient in (("source-patient", source), ("target-patient", one.target.reference)):
        if patient not in heads or heads[patient].deleted:
            raise not_there(patient, name)
    late = set(await _referring(one)) - found
    if late:
        await reading.heads(tx, late, lock=True)
    return sorted(found | late)


async def _referring(one: _Merge) -> list[Reference]:
    found = await referrers(one.tx, _names(one), limit=MOST + 1, without=NEVER_REWRITTEN)
    if len(found) > MOST:
        said = f"more than {MOST} records of {one.source.reference} would move; merge the other way, or in parts"
        raise TooCostly(said, limit=str(MOST))
    return found


def _names(one: _Merge) -> list[str]:
    """How records may refer to the source."""
    return [str(one.source.reference), f"{one.call.base}/{one.source.reference}"]


async def _move(one: _Merge, moving: list[Reference]) -> None:
    """New versions of the records that refer to the source; then its tasks and stays."""
    tx, target = one.tx, one.target.reference
    for start in range(0, len(moving), _BATCH):
        bodies = await reading.read_many(tx, moving[start : start + _BATCH])
        writes = [
            Write(each.reference, made, write(made), each.version)
            for each in bodies.values()
            if (made := redirected(each.body, _names(one), target)) is not None
        ]
        one.kept += await writing.write(tx, writes, now=one.call.now)
    await worklist.move(tx, one.source.reference, target)
    for stay in await beds.move_stays(tx, one.source.reference, target):
        told = {"source": str(one.source.reference), "target": str(target)}
        await journal.write(
            tx,
            workflow_id=admission_id(tx.hospital, stay),
            step=f"merge/{one.source.reference}/{one.kept[0].version}",
            subject=stay,
            patient=target,
            entries=[JournalEntry(key=JournalKey.PATIENTS_MERGED, params=told)],
            actor=one.call.asker.caller.actor,
            occurred_at=one.call.now,
            recorded_at=one.call.real,
        )


async def _tell(one: _Merge, past: list[str]) -> None:
    """Provenance, announcements, and one audit row with both patients."""
    made = provenance(
        one.target.reference,
        one.source.reference,
        [f"{each.reference}/_history/{each.version}" for each in one.kept],
        who=person(one.call.asker.caller.actor),
        recorded=instant(one.call.now),
        past=past,
    )
    ref = Reference.to("Provenance", str(uuid4()))
    one.kept += await writing.write(one.tx, [Write(ref, made, write(made), 0)], now=one.call.now)
    await outbox.put_all(one.tx, outbox.RECORDS, [each.name for each in one.kept])
    await auditing.note(one.tx, one.call, AuditAction.EXECUTE, one.kept)


def _answer(call: Call, said: str, result: Json) -> Answer:
    return answer(
        part("input", resource=call.sent()),
        part("outcome", resource=outcome([issue("information", "informational", said)])),
        part("result", resource=result),
    )


def _refused(code: str, said: str, name: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error(code, said, name))
