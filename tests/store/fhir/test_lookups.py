"""Single records are found by their own key, also in a table that PostgreSQL knows nothing about yet: after a large
load nobody waits for statistics.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from psycopg import AsyncConnection

from domain.errors import PhisError
from store.database import Database, Transaction
from store.fhir import reading, writing
from store.fhir.writing import Write
from tests.store.test_plans import Explained
from tests.store.values import Urls, ref

P7 = ref("Patient/p7")
Call = Callable[[Transaction, datetime], Awaitable[object]]

CALLS: dict[str, Call] = {
    "read": lambda tx, _: reading.read(tx, P7),
    "several": lambda tx, _: reading.read_many(tx, [P7, ref("Patient/p8")]),
    "lock": lambda tx, _: reading.locked(tx, P7),
    "heads": lambda tx, _: reading.heads(tx, [P7, ref("Patient/p8")], lock=True),
    "change": lambda tx, now: writing.write(
        tx, [Write(P7, {"resourceType": "Patient", "id": "p7", "active": True}, None, 1)], now=now
    ),
}


@pytest.fixture
async def without_statistics(urls: Urls, hospital: str, other_hospital: str, now: datetime) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute(
            "insert into resource (hospital, type, id, version, last_updated, key_id, body)"
            " select h, 'Patient', 'p' || n, 1, %s, 'k1', 'x'"
            " from unnest(%s::text[]) as h, generate_series(1, 3000) as n",
            [now, [hospital, other_hospital]],
        )
        known = await connection.execute("select count(*) from pg_stats where tablename = 'resource'")
        assert await known.fetchone() == (0,)


@pytest.mark.parametrize("name", CALLS)
async def test_a_record_is_found_by_its_key_without_statistics(
    database: Database, hospital: str, now: datetime, without_statistics: None, name: str
) -> None:
    async with database.transaction(hospital) as tx:
        explained = Explained(tx.keys, tx.connection, tx.hospital)
        with suppress(PhisError):  # what fills the table is no sealed body
            await CALLS[name](explained, now)
    scans = [node for plan in explained.plans for node in _nodes(plan) if node.get("Relation Name") == "resource"]
    read = [node for node in scans if "Index Name" in node or node["Node Type"].endswith("Scan")]
    assert read
    assert {node.get("Index Name") for node in read} <= {"resource_key", "resource_number"}
    assert all("key" in node["Index Cond"] or "number" in node["Index Cond"] for node in read)


async def test_a_write_that_nobody_waits_for_is_kept_like_any_other(
    database: Database, hospital: str, now: datetime
) -> None:
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "p7"}
    async with database.transaction(hospital) as tx:
        await writing.write(tx, [Write(P7, patient, None, 0, "w1", known_new=True)], now=now)
    async with database.transaction(hospital) as tx:
        head = await reading.locked(tx, P7)
        changed = patient | {"active": False}
        (kept,) = await writing.write(tx, [Write(P7, changed, None, 1, locked=head)], now=now)
    async with database.transaction(hospital) as tx:
        found = await reading.read(tx, P7)
    assert (found.version, found.owner, found.body["active"]) == (2, "w1", False)
    assert (kept.version, kept.owner, kept.text) == (2, "w1", found.text)


async def test_an_id_that_was_not_new_after_all_is_a_conflict_and_changes_nothing(
    database: Database, hospital: str, now: datetime
) -> None:
    async def again() -> None:
        async with database.transaction(hospital) as tx:
            await writing.write(
                tx, [Write(P7, {"resourceType": "Patient", "id": "p7"}, None, 0, known_new=True)], now=now
            )

    await again()
    with pytest.raises(PhisError, match="exists"):
        await again()
    async with database.transaction(hospital) as tx:
        assert (await reading.read(tx, P7)).version == 1


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for inner in plan.get("Plans", ()) for node in _nodes(inner))]
