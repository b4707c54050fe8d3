"""What became of a command: for whoever heard 202, or lost the answer on the way."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request

from api.caller import Caller
from api.commands.processes import refusal
from api.deps import allow
from api.problems import render
from api.state import State
from api.ui import pages
from domain.commands import CommandState
from rules.access import Action
from store import ledger

router = APIRouter(prefix="/commands", tags=["commands"])


@router.get("/{key:path}")
async def read_status(
    key: str, state: State, request: Request, caller: Annotated[Caller, allow(Action.FOLLOW_COMMAND)]
) -> dict[str, Any]:
    """The caller's own command of this key: its state, and its answer or the refusal once there is one."""
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        entry = await ledger.get(tx, caller.actor, key)
    body: dict[str, Any] = {
        "key": entry.key,
        "command": entry.command,
        "state": entry.state.value,
        "received_at": entry.received_at.isoformat(),
    }
    match entry.state:
        case CommandState.ANSWERED:
            body |= {"status": entry.status, "answer": entry.answer}
        case CommandState.REFUSED:
            kept = entry.answer or {}
            error = refusal(str(kept.get("code", "refused")), kept.get("params", {}))
            body |= {"problem": render(error, words.language)}
        case _:
            body |= {"text": words.gettext("Kept, goes on by itself")}
    return body
