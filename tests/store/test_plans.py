"""Under forced row security only leakproof conditions use indexes (engine room, 9): frequent statements are explained
as the application, among so many rows of two hospitals that reading them all would be the wrong plan.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection
from psycopg.abc import QueryNoTemplate as Query

from domain.errors import PhisError
from store import audit, beds, journal, ledger, outbox, processes, records, worklist
from store.database import Database, Params, SystemTransaction, Transaction
from store.worklist import Person
from tests.store.values import BED_MANAGER, Urls, ref, step

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
COMMAND = UUID(int=7)
Call = Callable[[Transaction], Awaitable[object]]

FILL = """
insert into worklist_task
select h, 't' || n, 'w' || n, 'assign-bed', 'Encounter/e' || n, 'Patient/p' || n, 'Location/w', 'routine', 0,
       case when mod(n, 100) = 0 then 'requested' else 'completed' end, null, null, %(at)s, false, %(at)s,
       case when mod(n, 100) = 0 then null else %(at)s + n * interval '1 minute' end, null, 1, null, null, '', '{}', 0
from numbers;
insert into worklist_candidate select h, 't' || n, 'bed-manager' from numbers;
insert into worklist_snooze select h, 'account' || mod(n, 50), 't' || n, %(at)s from numbers;
insert into journal (hospital, workflow_id, step, ordinal, subject, patient, key, params, occurred_at, recorded_at)
select h, 'w' || n, 's', 1, 'Encounter/e' || n, 'Patient/p' || n, 'admitted', '{}', %(at)s, %(at)s from numbers;
insert into audit_event (hospital, xid, recorded_at, action, actor, outcome, entities, patients, detail)
select h, n, %(at)s, 'read', 'a', 'allowed', '{}', '{}', '' from numbers;
insert into resource select h, 'Patient', 'p' || n, 1, %(at)s, null, 'k1', 'x' from numbers;
insert into resource_history select h, 'Patient', 'p' || n, 0, %(at)s, null, 'k1', 'x' from numbers;
insert into process select h, 'w' || n, 'admission', 1, '{}', null, %(at)s, %(at)s,
       case when mod(n, 100) = 0 then null else %(at)s end from numbers;
insert into process_effect select h, 'w' || n, 's', gen_random_uuid(), 'a', %(at)s, '{}' from numbers;
insert into command_ledger select h, gen_random_uuid(), 'a', 'k' || n, 'c', 'x',
       case when mod(n, 100) = 0 then 'received' else 'answered' end, 't', '{}', 200, '{}', %(at)s, null, 0
from numbers;
insert into outbox (hospital, xid, topic, subject, delivered_at)
select h, n, 'worklist', 'Task/t' || n, case when mod(n, 100) = 0 then null else %(at)s end from numbers;
insert into bed_occupancy (hospital, bed, encounter, started_at, ended_at)
select h, 'Location/b' || n, 'Encounter/e' || n, %(at)s + n * interval '1 hour',
       case when mod(n, 100) = 0 then null else %(at)s + (n + 1) * interval '1 hour' end
from numbers;
insert into inpatient_stay select h, 'Encounter/e' || n, 'Patient/p' || n, mod(n, 100) = 0 from numbers;
insert into session select h, sha256(n::text::bytea), 'a', 'c', %(at)s, %(at)s, %(at)s from numbers;
"""


@dataclass(frozen=True)
class Explained(Transaction):
    """A transaction that keeps the plan of each statement beside running it."""

    plans: list[dict[str, Any]] = field(default_factory=list)

    async def one(self, sql: Query, params: Params = None, *, binary: bool = False) -> dict[str, Any] | None:
        await _explain(self, sql, params)
        return await super().one(sql, params, binary=binary)

    async def all(self, sql: Query, params: Params = None, *, binary: bool = False) -> list[dict[str, Any]]:
        await _explain(self, sql, params)
        return await super().all(sql, params, binary=binary)

    async def rows(self, kind: type[Any], sql: Query, params: Params = None) -> list[Any]:
        await _explain(self, sql, params)
        return await super().rows(kind, sql, params)


async def _explain(tx: Explained, statement: Query, params: Params) -> None:
    text = statement if isinstance(statement, bytes) else str(statement).encode()
    cursor = await tx.connection.execute(b"explain (format json) " + text, params)
    row = await cursor.fetchone()
    assert row is not None
    tx.plans.append(row["QUERY PLAN"][0]["Plan"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)


@pytest.fixture
async def filled(urls: Urls, hospital: str, other_hospital: str) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute("create temp table numbers (h text, n int)")
        await connection.execute(
            "insert into numbers select h, n from unnest(%s::text[]) as h, generate_series(1, 5000) as n",
            [[hospital, other_hospital]],
        )
        for statement in FILL.split(";\n"):
            if statement.strip():
                await connection.execute(statement, {"at": AT})
        await connection.execute("analyze")


async def _effect(tx: Transaction) -> None:
    async with processes.effect(tx, step("s", "w7", AT, command=COMMAND)):
        pass


CALLS: dict[str, tuple[Call, str, str]] = {
    "open tasks of roles": (
        lambda tx: worklist.for_person(tx, Person("a", BED_MANAGER), now=AT),
        "worklist_task_open",
        "hospital",
    ),
    "closed tasks of roles": (
        lambda tx: worklist.closed(tx, Person("a", BED_MANAGER), limit=20),
        "worklist_task_closed",
        "hospital",
    ),
    "counts": (lambda tx: worklist.counts(tx, Person("a", BED_MANAGER), AT), "worklist_task_open", "hospital"),
    "one task, locked": (lambda tx: worklist.get(tx, ref("Task/t7"), lock=True), "worklist_task_pkey", "id"),
    "candidates": (lambda tx: worklist.candidates(tx, ref("Task/t7")), "worklist_candidate_pkey", "task_id"),
    "journal of a stay": (lambda tx: journal.read(tx, ref("Encounter/e7")), "journal_of_subject", "subject"),
    "latest accesses": (lambda tx: audit.read(tx, 20), "audit_event_2026_11_pkey", "hospital"),
    "one resource": (lambda tx: records.read(tx, ref("Patient/p7")), "resource_key", "key"),
    "resources of a type": (lambda tx: records.find(tx, "Patient", 20), "resource_pkey", "type"),
    "history": (lambda tx: records.history(tx, ref("Patient/p7")), "resource_history_pkey", "id"),
    "a process": (lambda tx: processes.get(tx, "w7"), "process_pkey", "workflow_id"),
    "effect of a command": (
        lambda tx: processes.first_effect_of(tx, COMMAND),
        "process_effect_of_command",
        "command_id",
    ),
    "a command": (lambda tx: ledger.get(tx, "a", "k7"), "command_ledger_key", "key"),
    "changes": (lambda tx: outbox.changes_since(tx, 4900, ["worklist"]), "outbox_pkey", "xid"),
    "leaving a bed": (lambda tx: beds.vacate(tx, ref("Encounter/e5000"), AT), "bed_occupancy_present", "encounter"),
    "active stay": (
        lambda tx: tx.one("select encounter from inpatient_stay where patient = %s and active", ["Patient/p100"]),
        "inpatient_stay_active",
        "patient",
    ),
}


async def test_frequent_statements_use_their_indexes_as_the_application(
    database: Database, hospital: str, filled: None
) -> None:
    wrong = {}
    for name, (call, index, column) in CALLS.items():
        async with database.transaction(hospital) as tx:
            explained = Explained(tx.keys, tx.connection, tx.hospital)
            await _ignoring_what_it_says(call, explained)
        nodes = [node for plan in explained.plans for node in _nodes(plan)]
        read_through = [node for node in nodes if node["Node Type"] == "Seq Scan" and node.get("Plan Rows", 0) > 1]
        used = [node for node in nodes if node.get("Index Name") == index and column in node.get("Index Cond", "")]
        if read_through or not used:
            wrong[name] = json.dumps(explained.plans, indent=1)
    assert wrong == {}, "\n".join(f"{name}: {plan}" for name, plan in wrong.items())


async def _ignoring_what_it_says(call: Call, tx: Transaction) -> None:
    with suppress(PhisError):
        await call(tx)


async def test_the_second_look_of_a_replayed_step_uses_both_indexes(
    database: Database, hospital: str, filled: None
) -> None:
    async with database.transaction(hospital) as tx:
        explained = Explained(tx.keys, tx.connection, tx.hospital)
        await _ignoring_what_it_says(_effect, explained)
    used = {node.get("Index Name") for plan in explained.plans for node in _nodes(plan)}
    assert {"process_effect_pkey", "process_effect_of_command"} <= used


async def test_leasing_and_relaying_read_only_what_is_pending(database: Database, filled: None) -> None:
    async with database.system() as system:
        explained = _as_explained(system)
        await ledger.lease(explained, timedelta(seconds=5), 20, AT + timedelta(minutes=1))  # type: ignore[arg-type]
    used = {node.get("Index Name") for plan in explained.plans for node in _nodes(plan)}
    assert "command_ledger_pending" in used


def _as_explained(system: SystemTransaction) -> Explained:
    return Explained(system.keys, system.connection, "")
