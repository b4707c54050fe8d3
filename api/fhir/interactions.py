"""Every interaction by its name, as one transaction; an entry of a batch asks for the same ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from api.fhir import create, delete, history, operations, patch, read, search, update, vread
from api.fhir.exchange import Answer, Call
from store.database import Transaction

Interaction = Callable[[Call, Transaction], Awaitable[Answer]]

INTERACTIONS: Mapping[str, Interaction] = {
    "read": read.read,
    "vread": vread.vread,
    "create": create.create,
    "update": update.update,
    "patch": patch.patch,
    "delete": delete.delete,
    "history-instance": history.history_instance,
    "history-type": history.history_type,
    "history-system": history.history_system,
    "search-type": search.search,
    "search-system": search.search,
    "search-compartment": search.search,
    "operation": operations.operation,
}


async def perform(call: Call) -> Answer:
    """Do what the address says, all of it or nothing."""
    async with call.state.database.transaction(call.hospital) as tx:
        return await INTERACTIONS[call.address.interaction](call, tx)
