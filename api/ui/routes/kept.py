"""The page of a command that is kept and goes on by itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.caller import Caller
from api.deps import allow
from api.state import State
from api.ui import pages
from api.ui.views.kept import kept_view
from domain.ids import WorkflowId
from rules.access import Action
from store import ledger

router = APIRouter(include_in_schema=False)


@router.get("/kept/{key}")
async def show_kept(
    request: Request, state: State, key: str, caller: Annotated[Caller, allow(Action.FOLLOW_COMMAND)]
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        entry = await ledger.get(tx, caller.actor, key)
    target = WorkflowId.parse(entry.target).subject if entry.target else ""
    view = kept_view(words, entry.state, entry.answer or {}, target, f"/kept/{key}")
    return pages.page(request, "frame/kept.html", view.title, kept=view)
