"""Writing down what was refused."""

from __future__ import annotations

from collections.abc import Sequence

from api.accesses import accessed
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
) -> None:
    """A refused access is noted in a transaction of its own: the one it was refused in has rolled back."""
    async with state.database.transaction(caller.hospital) as tx:
        await accessed(
            tx,
            caller,
            AuditAction.EXECUTE,
            what,
            at=state.now(),
            outcome="denied",
            entities=entities,
            patients=patients,
        )
