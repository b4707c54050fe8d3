"""Writing down what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from api.accesses import More, accessed
from api.caller import Caller
from api.state import AppState
from domain.ids import Reference
from store.audit import AuditAction


async def denied(
    state: AppState,
    caller: Caller,
    what: str,
    *,
    entities: Sequence[Reference] = (),
    patients: Sequence[Reference] = (),
    action: AuditAction = AuditAction.EXECUTE,
    **more: Unpack[More],
) -> None:
    """A refused access is noted in a transaction of its own: the one it was refused in has rolled back."""
    async with state.database.transaction(caller.hospital) as tx:
        await accessed(
            tx,
            caller,
            action,
            what,
            at=state.now(),
            outcome="denied",
            entities=entities,
            patients=patients,
            **more,
        )
