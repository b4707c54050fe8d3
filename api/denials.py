"""Writing down what was refused."""

from __future__ import annotations

from collections.abc import Sequence

from api.accesses import accessed
from api.caller import Caller
from api.state import AppState
from domain.errors import PhisError
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


async def refused(state: AppState, caller: Caller, refusal: PhisError, what: str) -> None:
    """Note a refusal by what it says of itself: the action, and the resource that was asked for."""
    about = [Reference(named)] if (named := refusal.params.get("reference")) else []
    patients = [each for each in about if each.resource_type == "Patient"]
    await denied(state, caller, refusal.params.get("action", what), entities=about, patients=patients)
