"""Which changes a subscription is told of: those that a search with its criteria and its client's rights finds.

A topic's trigger sees the change itself, the version and the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from adapters.fhir.topics import Topic
from api.fhir.code_sets import code_sets
from api.fhir.exchange import Call
from api.fhir.notifications import Event, Told
from api.fhir.reach import reach
from domain.errors import NotFound
from domain.ids import Reference
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version
from store.outbox import Place
from store.search import parse_query, searching
from store.subscriptions import Delivery, Leased


@dataclass(frozen=True)
class Serving:
    """A subscription, as it is in this turn, and the rights that it is served with."""

    leased: Leased
    told: Told
    call: Call
    row: Delivery
    topic: Topic | None


async def events_among(tx: Transaction, serving: Serving, changes: Iterable[tuple[Place, str]]) -> list[Event]:
    """The changes that are to be told, in order, each with the record as it is told. Raises Invalid, Forbidden."""
    wanted: list[tuple[Place, Version | None, Reference]] = []
    filters = {each.resource: each for each in serving.told.asked.filters} if serving.topic is None else {}
    for at, subject in changes:
        kind, id_, _, number = subject.split("/")
        ref = Reference.to(kind, id_)
        if serving.topic is None:
            if kind in filters:
                wanted.append((at, None, ref))
        elif (version := await _fired(tx, serving.topic, ref, int(number))) is not None:
            wanted.append((at, version, ref))
    found: dict[Reference, Version] = {}
    for kind in sorted({ref.resource_type for _, _, ref in wanted}):
        found |= await _matching(
            tx, serving, kind, sorted({ref.id for _, _, ref in wanted if ref.resource_type == kind})
        )
    told = [(at, version or found[ref]) for at, version, ref in wanted if ref in found]
    return [Event(at, version, serving.row.events + index) for index, (at, version) in enumerate(told, start=1)]


async def _fired(tx: Transaction, topic: Topic, ref: Reference, number: int) -> Version | None:
    """The version that a change made, if the topic is told of it."""
    trigger = topic.trigger(ref.resource_type)
    if trigger is None:
        return None
    current = await reading.vread(tx, ref, number)
    if current.deleted:
        return None
    previous = None
    if number > 1:
        with suppress(NotFound):
            before = await reading.vread(tx, ref, number - 1)
            previous = None if before.deleted else before.body
    return current if trigger.fires(current.body, previous) else None


async def _matching(tx: Transaction, serving: Serving, kind: str, ids: Sequence[str]) -> dict[Reference, Version]:
    """Those of the records that meet the criteria now, within reach of whoever asked."""
    call = serving.call
    call.require("s", kind)
    call.require("r", kind)
    pairs = [("_id", ",".join(ids)), ("_count", str(len(ids)))]
    for each in serving.told.asked.filters:
        if each.resource in {"", kind}:
            pairs += each.pairs
    trigger = serving.topic.trigger(kind) if serving.topic is not None else None
    if trigger is not None and trigger.query:
        pairs += [(name, value) for name, _, value in (each.partition("=") for each in trigger.query.split("&"))]
    query = parse_query(kind, pairs, strict=True, base=call.base, codes=await code_sets(call, tx, pairs))
    page = await searching.search(tx, query, scope=await reach(call, tx))
    return {each.reference: each for each in page.matches}
