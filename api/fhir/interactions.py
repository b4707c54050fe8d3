"""Every interaction by its name, as one transaction; an entry of a batch asks for the same ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from api.fhir import (
    audit_events,
    create,
    delete,
    export_status,
    history,
    operations,
    patch,
    reach,
    read,
    search,
    update,
    vread,
)
from api.fhir.exchange import Answer, Call
from api.fhir.standing import transaction_of
from domain.ids import Reference
from rules.scopes import Letter
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
    "read-audit": audit_events.read,
    "search-audit": audit_events.search,
    "export-status": export_status.status,
    "export-cancel": export_status.cancel,
    "export-file": export_status.file,
}


_LETTERS: Mapping[str, Letter] = {"update": "u", "patch": "u", "delete": "d"}


async def refuse_unseen_target(call: Call, tx: Transaction) -> None:
    """Raises OutOfReach for an address beyond the caller's reach, before anything else is said of it."""
    at = call.address
    if at.id and at.type and not at.compartment:
        letter = _LETTERS.get(at.interaction, "r")
        if call.asker.grants.allow(letter, at.type):
            await reach.refuse_unseen(call, tx, [Reference.to(at.type, at.id)], letter)


async def perform(call: Call) -> Answer:
    """Do what the address says, all of it or nothing."""
    async with transaction_of(call) as tx:
        await refuse_unseen_target(call, tx)
        return await INTERACTIONS[call.address.interaction](call, tx)
