"""Master data as tables: CSV in, tried first, and out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import StringConstraints

from adapters.csv import reading, writing
from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.setup.keeping import Author, Change, Set, content_of
from api.commands.setup.shapes import When, Words, instant
from api.commands.shapes import Body, Instant, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.setup import rows
from domain.setup.kinds import Kind
from domain.setup.places import HOSPITAL
from domain.setup.rows import RowError
from rules.access import Action
from store.audit import AuditAction
from store.database import Transaction
from store.setup import entries

router = APIRouter(prefix="/commands/setup", tags=["set-up"])

_MOST_ERRORS = 500


class _Csv(Response):
    media_type = "text/csv"


class Table(Body):
    """`csv`: the whole file.  dry_run: look only.  since: from when rows without `valid_from` apply; else from now."""

    csv: Annotated[str, StringConstraints(min_length=1, max_length=4_000_000, strip_whitespace=False)]
    dry_run: bool = True
    since: When | None = None
    reason: Words
    back_dated: bool = False


@router.get("/tables/{kind}", response_class=_Csv)
async def export_table(
    kind: Kind,
    state: State,
    caller: Annotated[Caller, allow(Action.READ_SETUP)],
    at: Instant | None = None,
) -> Response:
    """What applies at an instant as CSV, as the import reads it. Cells that look like formulas are made harmless."""
    async with state.database.transaction(caller.hospital) as tx:
        present_time = await present(tx, state)
        found = await entries.at(tx, kind, at or present_time.now)
        await accessed(tx, caller, AuditAction.EXPORT, f"setup/{kind}", at=present_time.real, found=len(found))
    table: list[Sequence[str]] = [rows.columns(kind)]
    for one in found:
        frame = rows.frame_of(one.since, one.until, one.basis, one.source)
        table += rows.written(kind, one.code, content_of(one), frame)
    headers = {"Content-Disposition": f'attachment; filename="{kind}.csv"', "Cache-Control": "no-store"}
    return _Csv("\ufeff" + writing.table(table), headers=headers)


_WRONG_ROWS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.UNPROCESSABLE_ENTITY: {
        "description": "Rows that are wrong: nothing was taken; or a refusal (RFC 9457)",
        "content": {"application/json": {"schema": {"type": "object", "required": ["code", "errors"]}}},
    }
}


@router.post("/tables/{kind}", responses=_WRONG_ROWS)
async def import_table(
    kind: Kind,
    body: Table,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WRITE_SETUP)],
) -> JSONResponse:
    """Try a table, or take it: every row or none. What the table does not name stays as it is."""
    return answer(await submit_table(state, caller, key, kind, body))


async def submit_table(state: AppState, caller: Caller, key: str, kind: Kind, body: Table) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        setup = await Set.taken(tx, at.now)
        changes, errors = _read(kind, body.csv, instant(body.since) or at.now)
        fresh = [change for change in changes if not setup.says_already(change)]
        refused = setup.refusals(fresh, backdated=body.back_dated)
        errors = sorted(
            [*errors, *(RowError(one.change.row, one.change.code, one.field, one.reason) for one in refused)],
            key=lambda error: error.row,
        )
        report = _report(kind, setup, changes, fresh, errors)
        if errors and not body.dry_run:
            return Planned.answered(HTTPStatus.UNPROCESSABLE_ENTITY, {"code": "invalid-rows", **report})
        if fresh and not body.dry_run:
            await setup.keep(fresh, Author(caller.actor, body.reason), backdated=body.back_dated)
            report["taken"] = True
        action = AuditAction.READ if body.dry_run else AuditAction.UPDATE
        await accessed(tx, caller, action, f"setup-table/{kind}", at=at.real, found=len(fresh))
        return Planned.answered(HTTPStatus.OK, report)

    content = {"kind": kind.value, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command="import-setup", body=content, plan=plan)


def _read(kind: Kind, csv: str, since: datetime) -> tuple[list[Change], list[RowError]]:
    """The changes that a table asks for, and its errors. Raises Invalid for what is no table at all."""
    head, lines = reading.read(csv)
    if errors := rows.unknown(kind, head):
        return [], errors
    wanted, wrong = rows.read(kind, [(line.number, line.cells) for line in lines])
    changes = [
        Change(kind, one.code, one.content, one.since or since, one.until, one.basis, one.source, row=one.row)
        for one in wanted
    ]
    wrong += [
        RowError(one.row, one.code, "code", f"a hospital has one entry of itself, {HOSPITAL}")
        for one in wanted
        if kind is Kind.HOSPITAL and one.code != HOSPITAL
    ]
    return changes, wrong


def _report(
    kind: Kind, setup: Set, changes: Sequence[Change], fresh: Sequence[Change], errors: Sequence[RowError]
) -> dict[str, Any]:
    new = sum(not setup.versions(kind, change.code) for change in fresh)
    return {
        "kind": kind.value,
        "new": new,
        "changed": len(fresh) - new,
        "same": len(changes) - len(fresh),
        "taken": False,
        "errors": [
            {"row": error.row, "code": error.code, "field": error.field, "reason": error.reason}
            for error in errors[:_MOST_ERRORS]
        ],
        "errors_found": len(errors),
    }
