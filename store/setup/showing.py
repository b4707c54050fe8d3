"""What master data shows over FHIR: kept as records now, and turned when its instant comes.

What is due later waits, made already, in `master_turn`. Whoever needs today's places calls `turn` first, which costs a
look at an index; servers do it every few seconds for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from domain.ids import Reference
from domain.ownership import SETUP
from domain.setup.kinds import Kind
from store import outbox
from store.database import SystemTransaction, Transaction
from store.fhir import reading, writing
from store.fhir.writing import MOST, Write

Resource = dict[str, Any]

_CLOSED = "C"
"""HL7 v2 table 0116, bed status: closed."""


@dataclass(frozen=True)
class Turn:
    """What an entry shows from an instant on."""

    kind: Kind
    code: str
    at: datetime
    resources: Sequence[Resource]


async def show(tx: Transaction, resources: Iterable[Resource], now: datetime) -> list[Reference]:
    """Keep these as records, new ones and such as differ; gives what changed. `now`: hospital time."""
    wanted = {writing.reference_of(each, each["id"]): each for each in resources}
    changed: list[Reference] = []
    names = list(wanted)
    for begin in range(0, len(names), MOST):
        piece = names[begin : begin + MOST]
        known = await reading.read_many(tx, piece)
        writes = []
        for name in piece:
            before = known.get(name)
            body = wanted[name] if before is None or before.deleted else _merged(before.body, wanted[name])
            if before is None or before.deleted or _plain(before.body) != _plain(body):
                writes.append(Write(name, body, None, before.version if before else 0, SETUP))
        if writes:
            kept = await writing.write(tx, writes, now=now)
            await outbox.put_all(tx, outbox.RECORDS, [version.name for version in kept])
            changed += [version.reference for version in kept]
    return changed


async def plan(tx: Transaction, kind: Kind, codes: Iterable[str], turns: Sequence[Turn]) -> None:
    """Put these turns in place of what was planned for the entries."""
    await tx.execute(
        "delete from master_turn where hospital = %s and kind = %s and code = any(%s)",
        [tx.hospital, kind.value, sorted(codes)],
    )
    for one in turns:
        await tx.execute(
            "insert into master_turn (hospital, kind, code, at, resources) values (%s, %s, %s, %s, %s)",
            [tx.hospital, one.kind.value, one.code, one.at, Jsonb(list(one.resources))],
        )


async def turn(tx: Transaction, now: datetime) -> list[Reference]:
    """Show what is due at hospital time `now`; gives what changed. Two at once do it once."""
    due = await tx.all(
        "delete from master_turn where hospital = %s and at <= %s returning kind, code, at, resources",
        [tx.hospital, now],
    )
    if not due:
        return []
    latest: dict[tuple[str, str], Resource] = {}
    for row in sorted(due, key=lambda row: row["at"]):
        for resource in row["resources"]:
            latest[resource["resourceType"], resource["id"]] = resource
    return await show(tx, latest.values(), now)


async def next_turns(tx: SystemTransaction) -> dict[str, datetime]:
    """For each hospital where something is planned, when the next of it is due, in its own time."""
    rows = await tx.all("select hospital, min(at) as at from master_turn group by hospital")
    return {row["hospital"]: row["at"] for row in rows}


def _merged(before: Resource, after: Resource) -> Resource:
    """What set-up says, and of a bed's state what people said meanwhile: set-up only closes it and opens it again."""
    said, kept = after.get("operationalStatus"), before.get("operationalStatus")
    if said is None or kept is None or _CLOSED in {said.get("code"), kept.get("code")}:
        return after
    return after | {"operationalStatus": kept}


def _plain(body: Resource) -> Resource:
    return {name: value for name, value in body.items() if name != "meta"}
