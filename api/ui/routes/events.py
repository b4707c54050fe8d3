"""The stream that tells a browser which topic changed (engine room, 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from api import metrics
from api.caller import Caller
from api.deps import allow, still_stands
from api.state import AppState, State
from domain.errors import Unavailable
from rules.access import Action
from store import sessions

router = APIRouter(include_in_schema=False)

_RECHECK = 15.0  # seconds: a session that was ended hears nothing after this long, and proxies see that we live
_RETRY_MS = 3000
_RETRY_AT_STOP_MS = 500


@router.get("/events")
async def events(state: State, caller: Annotated[Caller, allow(Action.USE_SCREENS)]) -> StreamingResponse:
    """Topics only: a browser fetches what it shows with its own rights."""
    return StreamingResponse(
        stream(state, caller),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def stream(state: AppState, caller: Caller) -> AsyncIterator[str]:
    with state.events.listen(caller.hospital) as ear, metrics.STREAMS.track_inprogress():
        yield f"retry: {_RETRY_MS}\n\n"
        while not ear.closed:
            topics = await ear.topics(_RECHECK)
            try:
                if not await still_stands(state, caller):
                    return
            except Unavailable:
                break  # it cannot be asked whether the session stands: better silent, the browser comes back
            for topic in topics:
                if topic == sessions.TOPIC:
                    continue  # only a reason to look
                yield f"event: changed\ndata: {topic}\n\n"
            if not topics:
                yield ": here\n\n"
        yield f"retry: {_RETRY_AT_STOP_MS}\n\n"
