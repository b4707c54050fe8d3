"""The security page of administrators and auditors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.caller import Caller
from api.commands.security import look
from api.deps import allow
from api.state import State
from api.ui import pages, reading
from api.ui.views.security import security_view
from rules.access import Action

router = APIRouter(include_in_schema=False)


@router.get("/security")
async def show(request: Request, state: State, caller: Annotated[Caller, allow(Action.SEE_SECURITY)]) -> Response:
    words = pages.words_of(request)
    seen = await look(state, caller)
    found = seen.watched
    actors = [
        *(each.account for each in found.locked_out),
        *(each.actor for each in found.bursts),
        *(each.actor for each in found.many),
        *(each.line.actor for each in (*found.glass, *found.exports)),
    ]
    async with state.database.transaction(caller.hospital) as tx:
        people = await reading.people(tx, words, actors)
    view = security_view(words, seen, people)
    return pages.page(request, "security/show.html", words.gettext("Security"), view=view)
