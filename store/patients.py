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


async def next_number(tx: Transaction) -> str:
    """The hospital's next patient number (등록번호), eight digits. Whoever asks waits for who asked before to end.

    A number that a transaction took which then failed is given out again, so that none is missing.
    """
    row = await tx.one(
        """
        insert into patient_number (hospital, last) values (%s, 1)
        on conflict (hospital) do update set last = patient_number.last + 1 returning last
        """,
        [tx.hospital],
    )
    assert row is not None  # noqa: S101  # either inserted or updated
    return f"{row['last']:08}"
