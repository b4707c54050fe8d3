"""Every type of search uses its index as the application, under forced row security (engine room, 9).

Among so many rows of two hospitals that reading a table through would be the wrong plan, and slow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from psycopg import AsyncConnection

from domain.errors import SealBroken
from domain.fhir import resource_types
from domain.reach import Reach
from store.care.circle import Circle
from store.care.scope import in_reach, not_sensitive
from store.database import Database, Params, Query, Transaction
from store.fhir.history import history
from store.search import parse_query, searching
from store.search.keyed import target_key, token_hashes
from store.search.sql import all_of
from tests.store.search import ward
from tests.store.values import Urls, ref

# Beside the ward in one hospital, thousands of rows of the same places in both.
FILL = """
insert into resource (hospital, type, id, version, last_updated, key_id, body)
select h, kind, 'x' || n, 1, %(at)s + n * interval '1 second', 'k1', 'x'
from unnest(array['Patient', 'Observation']) kind, numbers;
insert into resource_history (hospital, type, id, version, last_updated, key_id, body)
select h, 'Patient', 'x' || n, 0, %(at)s + n * interval '1 second', 'k1', 'x' from numbers;
insert into search_string
select distinct on (h, p.parameter, r.number) h, p.parameter, 'family' || r.number, r.number, r.number
from (select distinct parameter from search_string) p, resource r, hospitals(h)
where r.hospital = h and r.id like 'x%%' and mod(r.number / 4, 2) = 0;
insert into search_token
select h, p.parameter, r.number / 3, r.number, 0
from (select distinct parameter from search_token) p, resource r, hospitals(h)
where r.hospital = h and r.id like 'x%%' and mod(r.number / 4, 8) = 0;
insert into search_reference
select h, p.parameter, md5((r.number / 10)::text)::uuid, r.number, 'Patient'
from (select distinct parameter from search_reference) p, resource r, hospitals(h)
where r.hospital = h and r.id like 'x%%' and mod(r.number / 4, 8) = 0;
insert into search_date
select h, p.parameter, %(at)s - r.number * interval '1 hour', %(at)s - (r.number - 1) * interval '1 hour', r.number
from (select distinct parameter from search_date) p, resource r, hospitals(h)
where r.hospital = h and r.id like 'x%%' and mod(r.number / 4, 2) = 0;
insert into search_quantity
select h, p.parameter, p.unit, r.number * 1000000000000, r.number * 1000000000000, r.number
from (select distinct parameter, unit from search_quantity) p, resource r, hospitals(h)
where r.hospital = h and r.id like 'x%%' and mod(r.number / 4, 4) = 0;
"""

SEARCHES = {
    "Patient?family=kim": ("search_string_pkey", "value"),
    "Patient?family:exact=Kim": ("search_string_pkey", "value"),
    "Patient?name:contains=ki": ("search_string_pkey", "parameter"),
    "ValueSet?url=http://example.org/vs/a": ("search_string_pkey", "value"),
    "ValueSet?url:below=http://example.org/vs": ("search_string_pkey", "value"),
    "Patient?identifier=urn:oid:1.2.410.1|800517-2000000": ("search_token_pkey", "code"),
    "Observation?code=29463-7": ("search_token_pkey", "code"),
    "Observation?patient=p1": ("search_reference_pkey", "target"),
    "Observation?subject=Patient/p1&code=29463-7": ("search_token_", "parameter"),
    "Observation?patient=p1&status:not=final": ("search_token_", "parameter"),
    "Patient?general-practitioner:identifier=urn:licence|L-77": ("search_token_pkey", "code"),
    "Observation?date=2026-11-21": ("search_date_pkey", "low"),
    "Observation?patient=p1&date=ge2026": ("search_date_", "parameter"),
    "Observation?value-quantity=72.5||kg": ("search_quantity_pkey", "low"),
    "RiskAssessment?probability=gt0.4": ("search_quantity_", "parameter"),
    "Observation?code-value-quantity=29463-7$gt72||kg": ("search_quantity_pkey", "parameter"),
    "Observation?patient.identifier=800517-2000000": ("search_token_pkey", "code"),
    "Patient?_has:Observation:patient:code=29463-7": ("search_token_pkey", "code"),
    "Patient?_id=p1": ("resource_pkey", "id"),
    "Patient?_id=p1&_revinclude=Observation:patient": ("search_reference_pkey", "target"),
    "Observation?_id=w1&_include=Observation:patient": ("search_reference_resource", "resource"),
    "Patient/p1/Observation?": ("search_reference_pkey", "target"),
    "Patient?": ("resource_pkey", "type"),
    "Patient?_sort=-_lastUpdated": ("resource_changed", "type"),
    "Observation?patient=p1&_sort=-date": ("search_date_resource", "resource"),
}


@dataclass(frozen=True)
class Explained(Transaction):
    """A transaction that keeps the plan of each statement beside running it."""

    plans: list[dict[str, Any]] = field(default_factory=list)

    async def all(self, sql: Query, params: Params = None, *, binary: bool = False) -> list[dict[str, Any]]:
        text = sql if isinstance(sql, bytes) else str(sql).encode()
        cursor = await self.connection.execute(b"explain (format json) " + text, params)
        row = await cursor.fetchone()
        assert row is not None
        self.plans.append(row["QUERY PLAN"][0]["Plan"])
        return await super().all(sql, params, binary=binary)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


@pytest.fixture
async def filled(unknown: None, urls: Urls) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute("analyze")


@pytest.fixture
async def unknown(database: Database, urls: Urls, hospital: str, other_hospital: str, now: datetime) -> None:
    """Tables full of rows of which PostgreSQL has no statistics yet."""
    await ward.keep(database, hospital, ward.resources(), now)
    hospitals = f"(values ('{hospital}' collate \"C\"), ('{other_hospital}' collate \"C\")) as hospitals (h)"
    numbers = f"{hospitals}, generate_series(1, 3000) as n"
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        for statement in FILL.replace("hospitals(h)", hospitals).replace("numbers;", f"{numbers};").split(";\n"):
            if statement.strip():
                await connection.execute(statement.encode(), {"at": now})


async def _plans(database: Database, hospital: str, search: str) -> list[dict[str, Any]]:
    kind, _, text = search.partition("?")
    compartment = None
    if "/" in kind:
        focus, id_, kind = kind.split("/")
        compartment = (focus, id_)
    query = parse_query(kind, [*parse_qsl(text), ("_count", "2")], strict=True, compartment=compartment)
    async with database.transaction(hospital) as tx:
        explained = Explained(tx.keys, tx.connection, tx.hospital)
        with suppress(SealBroken):  # the rows that fill the tables are no resources
            await searching.search(explained, query)
    return explained.plans


async def test_every_type_of_search_uses_its_index_as_the_application(
    database: Database, hospital: str, filled: None
) -> None:
    wrong = {}
    for search, (index, column) in SEARCHES.items():
        plans = await _plans(database, hospital, search)
        nodes = [node for plan in plans for node in _nodes(plan)]
        read_through = [node for node in nodes if node["Node Type"] == "Seq Scan"]
        used = [
            node
            for node in nodes
            if node.get("Index Name", "").startswith(index) and column in node.get("Index Cond", "")
        ]
        if read_through or not used:
            wrong[search] = json.dumps(plans, indent=1)
    assert wrong == {}, "\n".join(f"{name}: {plan}" for name, plan in wrong.items())


SOME = [target_key(f"Patient/p{n}") for n in range(40)]
REACHES = dict.fromkeys(sorted(resource_types()), Reach.WARD) | {"Patient": Reach.HOSPITAL, "Coverage": Reach.NONE}


async def test_a_history_in_limited_reach_asks_for_the_resource_of_each_version_by_itself(
    database: Database, hospital: str, unknown: None, urls: Urls
) -> None:
    """Once whole types met each other, and a page took half a minute: right after an installation, say."""
    await _looks_one_by_one(database, hospital)
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute("analyze")
    await _looks_one_by_one(database, hospital)


async def _looks_one_by_one(database: Database, hospital: str) -> None:
    async with database.transaction(hospital) as tx:
        unlabelled = not_sensitive(token_hashes(tx.keys, hospital), (), one_by_one=True)
        seen = all_of(in_reach(REACHES, Circle(ward=frozenset(SOME))), unlabelled)
        for of in (None, "Observation"):
            explained = Explained(tx.keys, tx.connection, tx.hospital)
            with suppress(SealBroken):  # the rows that fill the tables are no resources
                await history(explained, of, count=3, allowed=seen, total=True)
            nodes = [node for plan in explained.plans for node in _nodes(plan)]
            asked = [node for node in nodes if node.get("Alias", "").rstrip("_1") == "r"]
            assert asked
            for node in asked:
                assert (node["Index Name"], "(key = " in node["Index Cond"]) == ("resource_key", True), node
            assert not [node for node in nodes if node["Node Type"] == "Seq Scan"]


async def test_histories_use_their_indexes_as_the_application(database: Database, hospital: str, filled: None) -> None:
    wrong = {}
    ways = {"resource_history_pkey": ref("Patient/p1"), "resource_history_changed": "Patient", "resource_changed": None}
    for index, of in ways.items():
        async with database.transaction(hospital) as tx:
            explained = Explained(tx.keys, tx.connection, tx.hospital)
            with suppress(SealBroken):  # the rows that fill the tables are no resources
                await history(explained, of, count=3)
        nodes = [node for plan in explained.plans for node in _nodes(plan)]
        if any(node["Node Type"] == "Seq Scan" for node in nodes) or not [
            node for node in nodes if node.get("Index Name") == index
        ]:
            wrong[index] = json.dumps(explained.plans, indent=1)
    assert wrong == {}, "\n".join(f"{name}: {plan}" for name, plan in wrong.items())
