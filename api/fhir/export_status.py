"""How far an export is, its files, and its end: only for whoever asked for it.

hl7.org/fhir/uv/bulkdata/export.html#bulk-data-status-request, #bulk-data-output-file-request, #bulk-data-delete-request
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus
from uuid import UUID

from api.accesses import accessed
from api.fhir import outcome
from api.fhir.bundles import instant
from api.fhir.exchange import Answer, Call
from api.fhir.export import require_export
from api.fhir.export_request import Asked, reason_of
from api.fhir.outcome import Refusal, issue
from api.fhir.text import write
from domain.errors import NotFound
from store import export_files, exports
from store.audit import AuditAction
from store.database import Transaction
from store.export_files import FileKind
from store.exports import ExportState, Job

NDJSON = b"application/fhir+ndjson"

RETRY_AFTER = 2
"""Seconds until it is worth asking again."""


async def status(call: Call, tx: Transaction) -> Answer:
    """202 while it goes on, 200 with the manifest, 500 when it failed. Raises NotFound."""
    require_export(call)
    job = await _job(call, tx)
    if job.state is ExportState.FAILED:
        said = "the export failed; the log knows why, and nothing of it is given out"
        raise Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, issue("fatal", "exception", said))
    asked = Asked.model_validate_json(exports.request(tx, job))
    if job.state is ExportState.RUNNING:
        types = f"{asked.types.index(job.at_type)} of {len(asked.types)} types"
        progress = f"{job.resources} resources, {types}".encode()
        return Answer(HTTPStatus.ACCEPTED, headers=[(b"x-progress", progress), (b"retry-after", b"%d" % RETRY_AFTER)])
    headers = (
        [(b"expires", format_datetime(job.expires_at.astimezone(UTC), usegmt=True).encode())] if job.expires_at else []
    )
    return Answer(HTTPStatus.OK, await _manifest(call, tx, job, asked), headers=headers, media_type=b"application/json")


async def cancel(call: Call, tx: Transaction) -> Answer:
    """202: it stops, and its files are removed. Raises NotFound."""
    require_export(call)
    job = await _job(call, tx)
    await exports.cancel(tx, job.id)
    await accessed(tx, call.asker.caller, AuditAction.EXECUTE, "fhir/export-cancel", at=call.real)
    said = outcome.all_well("the export is cancelled; its files are removed")
    return Answer(HTTPStatus.ACCEPTED, write(said))


async def file(call: Call, tx: Transaction) -> Answer:
    """A file's text, in pieces as they were kept: one access, with everybody that it tells of. Raises NotFound."""
    require_export(call)
    reason = reason_of(call)
    job = await _job(call, tx)
    if job.state is not ExportState.COMPLETE:
        raise NotFound("the export is not complete")
    found = await export_files.file(tx, job.id, int(call.address.version))
    if found.kind is FileKind.OUTPUT:
        call.require("r", found.type)
    await accessed(
        tx,
        call.asker.caller,
        AuditAction.EXPORT,
        "fhir/export-file",
        at=call.real,
        reason=reason or Asked.model_validate_json(exports.request(tx, job)).reason or None,
        found=found.resources,
        patients=await export_files.patients(tx, job.id, found.number),
    )
    pieces = _pieces(call, job.id, found.number, found.pieces)
    return Answer(HTTPStatus.OK, media_type=NDJSON, stream=pieces, length=found.bytes)


async def _pieces(call: Call, job: UUID, number: int, count: int) -> AsyncIterator[bytes]:
    """A short transaction for each: a slow reader holds no connection to the database."""
    for each in range(1, count + 1):
        async with call.state.database.transaction(call.hospital) as tx:
            text = await export_files.piece(tx, job, number, each)
        yield text


async def _job(call: Call, tx: Transaction) -> Job:
    try:
        id_ = UUID(call.address.id)
    except ValueError:
        raise NotFound("no such export") from None
    return await exports.get(tx, id_, actor=call.asker.caller.actor, now=call.real)


async def _manifest(call: Call, tx: Transaction, job: Job, asked: Asked) -> bytes:
    listed: dict[FileKind, list[dict[str, object]]] = {kind: [] for kind in FileKind}
    for found in await export_files.files(tx, job.id):
        url = f"{call.base}/_export/{job.id}/{found.number}"
        listed[found.kind].append({"type": found.type, "url": url, "count": found.resources})
    said: dict[str, object] = {
        "transactionTime": instant(job.transaction_time),
        "request": asked.url,
        "requiresAccessToken": True,
        **{kind.value: files for kind, files in listed.items()},
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
