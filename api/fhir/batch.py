"""batch: entries one after the other, each for itself (hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from api.fhir import auditing, bundles, transaction
from api.fhir.entries import answered, entry_of, raw_entries, within
from api.fhir.exchange import Answer, Call
from api.fhir.interactions import perform
from api.fhir.outcome import outcome
from api.fhir.standing import transaction_of
from domain.errors import Forbidden, Invalid, OutOfReach


async def batch(call: Call) -> Answer:
    """A Bundle of type batch or transaction. One entry's failure is that entry's answer, and nobody else's."""
    bundle = call.sent()
    if bundle.get("resourceType") != "Bundle":
        raise Invalid("this address takes a Bundle", field="/resourceType")
    kind = bundle.get("type")
    if kind == "transaction":
        return await transaction.transaction(call)
    if kind != "batch":
        raise Invalid("this address takes a Bundle of type batch or transaction", field="/type")
    async with transaction_of(call):
        pass  # a Bundle without entries asks for nothing else
    entries = []
    for index, raw in enumerate(raw_entries(bundle)):
        entries.append(await _answer(call, raw, index))
        await asyncio.sleep(0)  # others are served between two entries
    return Answer(HTTPStatus.OK, bundles.bundle("batch-response", entries, at=call.now))


async def _answer(call: Call, raw: Any, index: int) -> bytes:
    where = f"Bundle.entry[{index}]"
    made = call
    try:
        entry = entry_of(raw, index, call.base)
        made = entry.call(call)
        answer = await perform(made)
    except Exception as failed:  # everything has a face; what nobody expected goes to the log
        if isinstance(failed, Forbidden | OutOfReach):
            await auditing.refused(made, failed, "batch")
        refusal = within(failed, where)
        return answered(Answer(refusal.status, outcome=outcome(refusal.issues)), show=False)
    reading = entry.address.interaction not in {"create", "update", "patch", "delete"} and not entry.head
    return answered(answer, show=reading or call.preference.wanted not in {None, "minimal"})
