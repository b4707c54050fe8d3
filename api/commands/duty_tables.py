"""Rosters as tables: read, tried whole, and entered whole or not at all."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import StringConstraints, ValidationError

from adapters.csv.reading import Row, read
from api.caller import Caller
from api.commands.dispatch import Outcome
from api.commands.duty import Keeper, NewDuty, carried_out
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey
from api.present import Present, present
from api.state import AppState, State
from domain.errors import Conflict, Invalid
from store.database import Transaction
from store.people import rosters

router = APIRouter(prefix="/commands", tags=["duty"])

COLUMNS = ("position", "place", "account", "since", "until")
MOST = 500
"""Rows at once: a month of a hospital's wards is entered ward by ward."""


class Table(Body):
    """`csv`: with the columns position, place (empty for the whole hospital), account, since, until.

    `dry_run`: only say what is wrong; nothing is entered.
    """

    csv: Annotated[str, StringConstraints(min_length=1, max_length=400_000)]
    dry_run: bool = True


class _Tried(Exception):  # no error: it takes back what was tried
    """Ends the transaction of a trial."""


@router.post("/duties/import")
async def import_duties(body: Table, key: IdempotencyKey, state: State, caller: Keeper) -> JSONResponse:
    """Enter a table of duties: all rows, or none and what is wrong with each."""
    rows = _rows(body.csv)
    wrong = await tried(state, caller, rows)
    if wrong or body.dry_run:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong and not body.dry_run else HTTPStatus.OK
        return JSONResponse({"rows": len(rows), "entered": 0, "wrong": wrong}, status)
    return answer(await submit_rows(state, caller, key, rows))


async def tried(state: AppState, caller: Caller, rows: list[Row]) -> list[dict[str, Any]]:
    """What is wrong, row by row, were they entered now one after another; everything is taken back."""
    wrong: list[dict[str, Any]] = []
    try:
        async with state.database.transaction(caller.hospital) as tx:
            at = await present(tx, state)
            for row in rows:
                try:
                    await _enter(tx, row, UUID(int=0), caller, at)
                except (Invalid, Conflict) as refused:
                    field = refused.params.get("field", "").strip("/")
                    wrong.append({"row": row.number, "field": field, "reason": str(refused)})
            raise _Tried  # noqa: TRY301  # the transaction is to see it
    except _Tried:
        return wrong


async def submit_rows(state: AppState, caller: Caller, key: str, rows: list[Row]) -> Outcome:
    async def act(tx: Transaction, id_: UUID, at: Present) -> None:
        for row in rows:
            await _enter(tx, row, id_, caller, at)

    content = {"rows": [row.cells for row in rows]}
    said = {"rows": len(rows), "entered": len(rows), "wrong": []}
    return await carried_out(state, caller, key, "import-duties", content, act=act, said=said)


async def _enter(tx: Transaction, row: Row, command: UUID, caller: Caller, at: Present) -> None:
    cells = {name: row.cells.get(name, "") for name in COLUMNS}
    try:
        asked = NewDuty.model_validate(cells | {"place": cells["place"] or None})
    except ValidationError as invalid:
        field = str(invalid.errors(include_input=False, include_context=False)[0]["loc"][0])
        raise Invalid(f"{field} is not one that can be read", field=f"/{field}") from None
    await rosters.enter(tx, uuid5(command, str(row.number)), **dict(asked), by=caller.actor, now=at.now)


def _rows(text: str) -> list[Row]:
    head, rows = read(text)
    missing = [name for name in COLUMNS if name not in head]
    unknown = [name for name in head if name not in COLUMNS]
    if missing or unknown:
        raise Invalid(f"the columns are {', '.join(COLUMNS)}", field="/csv")
    if len(rows) > MOST:
        raise Invalid(f"a table has {MOST} rows at most: cut it in pieces", field="/csv")
    return rows
