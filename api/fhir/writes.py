"""What every write has in common: kept, noted, announced in one transaction, and told as the client prefers."""

from __future__ import annotations

from api.fhir import auditing, outcome, subscribing, versions
from api.fhir.exchange import Answer, Call
from api.fhir.integrity import refuse_broken
from api.fhir.reach import refuse_unseen, refuse_written
from api.fhir.text import Json, write
from api.fhir.veil import restored, veiled
from domain.errors import NotFound
from domain.ids import Reference
from rules.scopes import Letter
from store import outbox
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading, writing
from store.fhir.versions import Version
from store.fhir.writing import Write


async def keep(tx: Transaction, call: Call, one: Write, action: AuditAction) -> Version:
    """The version that a write makes, with its audit row and its announcement."""
    letter: Letter = "d" if one.resource is None else "u" if one.expected else "c"
    if one.expected:
        await refuse_unseen(call, tx, [one.reference], letter)
    one = await restored(tx, one)
    (kept,) = await writing.write(tx, [one], now=call.now)
    await refuse_broken(call, tx, [("", one)])
    if one.resource is not None:
        await refuse_written(call, tx, [kept.reference], letter)
    if one.reference.resource_type == subscribing.KIND:
        await subscribing.settle(tx, call, [("", one)])
    await outbox.put(tx, outbox.RECORDS, kept.name)
    await auditing.note(tx, call, action, [kept])
    return kept


async def current_body(tx: Transaction, ref: Reference) -> Json:
    """What a resource says now. Raises NotFound for one that was never there or is gone."""
    found = await reading.read(tx, ref)
    if found.deleted:
        raise NotFound("no such resource", reference=ref)
    return found.body


def told(call: Call, status: int, kept: Version, *, at: str | None = None) -> Answer:
    """The answer to a write: nothing, the resource or an OperationOutcome, as Prefer says (http.html#ops)."""
    wanted = call.preference.wanted
    if wanted == "minimal":
        body = b""
    elif wanted == "OperationOutcome":
        body = write(outcome.all_well(f"{kept.reference} is kept as version {kept.version}"))
    else:
        body = veiled(call, kept).text
    return versions.answer(status, kept, body, at=at)
