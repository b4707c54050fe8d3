"""The record that a patient goes by, for processes and commands that keep a reference over time."""

from __future__ import annotations

from domain.errors import NotFound
from domain.ids import Reference
from store.database import Transaction
from store.fhir.referring import absent
from store.search.links import survivors


async def held(tx: Transaction, known: Reference) -> Reference:
    """The patient itself, or the record that it was merged into. No merge changes that before this transaction ends.

    Raises NotFound for a patient that is not there or was deleted.
    """
    now = known
    while True:
        if await absent(tx, [now]):
            raise NotFound("no such patient", reference=now)
        after = (await survivors(tx, [now]))[now]
        if after == now:
            return now
        now = after
