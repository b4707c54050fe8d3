"""$export: all records, those of all patients, or those of a group, as files made in the background.

hl7.org/fhir/uv/bulkdata/export.html#bulk-data-kick-off-request. The request is kept as a row, and any server does it
(`api.fhir.exporting`); `api.fhir.export_status` tells how far it is and gives the files out.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from api.accesses import accessed
from api.deps import refuse_without_fresh_proof
from api.fhir import outcome
from api.fhir.auditing import query_of
from api.fhir.exchange import Answer, Call
from api.fhir.export_request import Asked, Given, Level, asked_of
from api.fhir.outcome import Refusal, error
from api.fhir.reach import reach, seen
from api.fhir.text import write
from domain.errors import Forbidden, Invalid, NotFound, TooCostly
from domain.ids import Reference
from rules.access import Action, may
from store import export_files, exports
from store.audit import AuditAction
from store.database import Transaction
from store.export_files import FileKind, Lines
from store.fhir import reading
from store.search import parse_query, searching

MOST_AT_ONCE = 3
"""Exports of one caller that are not finished."""

MOST_PATIENTS = 10_000
"""Patients of a group, or in a list."""

RETRY_AFTER = 30
"""Seconds after which a refused caller may ask again."""

_LEVELS: dict[str, Level] = {"": "system", "Patient": "patient", "Group": "group"}
_DEEPEST = 10


async def export(call: Call, tx: Transaction) -> Answer:
    """Keep the request and answer 202 with the address of its status.

    Raises Forbidden, Invalid, NotFound for a group, TooCostly, Refusal 400 without `Prefer: respond-async`, 429;
    ProofNeeded for somebody at a browser whose last proof is too old.
    """
    require_export(call)
    refuse_without_fresh_proof(call.state, call.asker.caller, Action.EXPORT_RECORDS)
    if not call.preference.asynchronous:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            error("required", "an export is asked for with Prefer: respond-async", "http.Prefer"),
        )
    given = Given(call)
    asked = asked_of(call, given, _LEVELS[call.address.type])
    asked = asked.model_copy(update={"patients": await _patients(call, tx, given)})
    if asked.since is not None:
        asked = asked.model_copy(update={"seen": await exports.snapshot_at(tx, asked.since)})
    if await exports.running(tx, call.asker.caller.actor) >= MOST_AT_ONCE:
        raise Refusal(
            HTTPStatus.TOO_MANY_REQUESTS,
            error("throttled", f"{MOST_AT_ONCE} exports of yours are not finished"),
            headers=[(b"retry-after", b"%d" % RETRY_AFTER)],
        )
    id_ = await exports.ask(
        tx,
        actor=call.asker.caller.actor,
        asked=asked.model_dump_json().encode(),
        transaction_time=transaction_time(call),
        now=call.real,
        first_type=asked.types[0],
    )
    await _tell_what_is_left_out(tx, id_, given)
    await _note(call, tx, asked)
    said = write(outcome.all_well("the export is kept and goes on by itself; Content-Location says how far it is"))
    where = f"{call.base}/_export/{id_}".encode()
    return Answer(HTTPStatus.ACCEPTED, said, headers=[(b"content-location", where)])


def require_export(call: Call) -> None:
    """Raises Forbidden unless the caller may take records out: a system by its scopes, a person by a role."""
    roles = call.asker.caller.roles
    if roles and not may(roles, Action.EXPORT_RECORDS):
        raise Forbidden("no role of yours may export records", action=Action.EXPORT_RECORDS.value)


def transaction_time(call: Call) -> datetime:
    """The instant that the export shows, to the millisecond that the manifest says."""
    now = call.now
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


async def _patients(call: Call, tx: Transaction, given: Given) -> tuple[Reference, ...] | None:
    """Whose records are asked for; None for everybody's. Raises Invalid, NotFound, TooCostly."""
    at, listed = call.address, _listed(call, given)
    if at.type != "Group":
        if listed is not None:
            found = await reading.read_many(tx, listed)
            reached = set(await seen(call, tx, listed))
            if any(each not in found or found[each].deleted or each not in reached for each in listed):
                raise Invalid("a patient of the list is not known", field="patient")
        return listed
    call.require("r", "Group")
    members = await _members(call, tx, at.id)
    if listed is None:
        return tuple(sorted(members))
    if not members.issuperset(listed):
        raise Invalid("a patient of the list is not in the group", field="patient")
    return listed


def _listed(call: Call, given: Given) -> tuple[Reference, ...] | None:
    texts = given.repeated("patient")
    if not texts:
        return None
    if call.resource is None or not call.address.type:
        raise Invalid("patients are named in the body of a POST, for a group or for patients", field="patient")
    try:
        refs = tuple(sorted({Reference(text.removeprefix(f"{call.base}/")) for text in texts}))
    except Invalid:
        raise Invalid("a patient is named as Patient/id", field="patient") from None
    if any(each.resource_type != "Patient" for each in refs):
        raise Invalid("a patient is named as Patient/id", field="patient")
    if len(refs) > MOST_PATIENTS:
        raise TooCostly("too many patients in a list", limit=str(MOST_PATIENTS))
    return refs


async def _members(call: Call, tx: Transaction, id_: str) -> set[Reference]:
    """Present members of a group and of the groups in it. Raises NotFound, Invalid, TooCostly."""
    waiting, seen, members = {Reference.to("Group", id_)}, set[Reference](), set[Reference]()
    for _ in range(_DEEPEST):
        seen |= waiting
        ids = ",".join(sorted(each.id for each in waiting))
        query = parse_query("Group", [("_id", ids), ("_count", "1000")], strict=True, base=call.base)
        page = await searching.search(tx, query, scope=await reach(call, tx))
        if not members and len(seen) == 1 and not page.matches:
            raise NotFound("no such group", reference=Reference.to("Group", id_))
        named: set[Reference] = set()
        for group in page.matches:
            if group.body.get("actual") is not True:
                raise Invalid("the group describes members and lists none", field="Group.actual")
            for each in group.body.get("member", []):
                said = str(each.get("entity", {}).get("reference", "")).removeprefix(f"{call.base}/")
                if not each.get("inactive") and said.startswith(("Patient/", "Group/")):
                    named.add(Reference("/".join(said.split("/")[:2])))
        members |= {each for each in named if each.resource_type == "Patient"}
        waiting = {each for each in named if each.resource_type == "Group"} - seen
        if len(members) > MOST_PATIENTS or len(waiting) > 1000:
            raise TooCostly("the group has too many members", limit=str(MOST_PATIENTS))
        if not waiting:
            return members
    raise TooCostly("groups stand in groups too deep", limit=str(_DEEPEST))


async def _tell_what_is_left_out(tx: Transaction, job: UUID, given: Given) -> None:
    if given.ignored:
        issues = [outcome.issue("warning", "not-supported", sentence) for sentence in given.ignored]
        text = write(outcome.outcome(issues)) + b"\n"
        await export_files.append(tx, job, Lines(FileKind.ERROR, "OperationOutcome", text, 1))


async def _note(call: Call, tx: Transaction, asked: Asked) -> None:
    """The request; who is in a file is noted with each download."""
    group = [Reference.to("Group", call.address.id)] if call.address.id else []
    await accessed(
        tx,
        call.asker.caller,
        AuditAction.EXECUTE,
        "fhir/export",
        at=call.real,
        entities=group,
        patients=asked.patients or (),
        reason=asked.reason or None,
        query=query_of(call),
    )
