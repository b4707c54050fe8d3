"""Merge links: who is one person, who stays, and the indexes that say so."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from domain.ids import Reference
from store.database import Database
from store.search.links import any_links, kin, successors, survivors
from tests.store.search import ward
from tests.store.search.test_plans import Explained, _nodes, filled, unknown
from tests.store.values import ref

__all__ = ["filled", "unknown"]  # fixtures


def patient(id_: str, **links: str) -> dict[str, Any]:
    """links: the other's id by type, `replaced_by="p2"`."""
    listed = [
        {"type": kind.replace("_", "-"), "other": {"reference": f"Patient/{other}"}} for kind, other in links.items()
    ]
    return {"resourceType": "Patient", "id": id_} | ({"link": listed} if listed else {})


def refs(ids: str) -> list[Reference]:
    return [ref(f"Patient/{each}") for each in ids.split()]


async def test_records_are_one_person_whichever_of_them_says_so(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    made = [
        patient("a", replaced_by="b"),
        patient("b"),
        patient("c", replaces="b"),
        patient("d", seealso="a", refer="c"),
        patient("e", replaced_by="never"),
    ]
    await ward.keep(database, hospital, made, now)
    await ward.keep(database, other_hospital, [patient("a"), patient("b")], now)
    async with database.transaction(hospital) as tx:
        assert await any_links(tx)
        found = await kin(tx, [f"Patient/{each}" for each in "abcdef"])
        assert {name[-1]: " ".join(each[-1] for each in others) for name, others in found.items()} == {
            "a": "a b c",
            "b": "b a c",
            "c": "c a b",
            "d": "d",
            "e": "e",
            "f": "f",
        }
        stay = await survivors(tx, refs("a b c d e f"))
        assert " ".join(each.id for each in stay.values()) == "c c c d e f"
    async with database.transaction(other_hospital) as tx:
        assert not await any_links(tx)
        assert await kin(tx, ["Patient/a"]) == {"Patient/a": ["Patient/a"]}
        assert await successors(tx, refs("a b")) == {}


@pytest.mark.parametrize(
    "links",
    [
        [patient("a", replaced_by="b"), patient("b", replaced_by="a")],
        [patient("a", replaced_by="a"), patient("b")],
        [patient("a", replaced_by="b"), patient("b"), patient("c", replaces="a")],
    ],
    ids=["circle", "itself", "two"],
)
async def test_links_that_lead_nowhere_leave_a_patient_where_it_is(
    database: Database, hospital: str, now: datetime, links: list[dict[str, Any]]
) -> None:
    await ward.keep(database, hospital, links, now)
    async with database.transaction(hospital) as tx:
        assert await survivors(tx, refs("a")) == {ref("Patient/a"): ref("Patient/a")}


async def test_a_deleted_record_replaces_nobody(database: Database, hospital: str, now: datetime) -> None:
    from store.fhir import writing

    await ward.keep(database, hospital, [patient("a", replaced_by="b"), patient("b", replaces="a")], now)
    async with database.transaction(hospital) as tx:
        await writing.delete(tx, ref("Patient/b"), expected=1, now=now)
    async with database.transaction(hospital) as tx:
        assert await survivors(tx, refs("a")) == {ref("Patient/a"): ref("Patient/a")}


@pytest.mark.usefixtures("filled")
async def test_links_and_chains_over_them_use_their_indexes_as_the_application(
    database: Database, hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, [patient("old", replaced_by="p1")], now)
    async with database.transaction(hospital) as tx:
        explained = Explained(tx.keys, tx.connection, tx.hospital)
        assert await kin(explained, ["Patient/old"]) == {"Patient/old": ["Patient/old", "Patient/p1"]}
        assert await survivors(explained, refs("old")) == {ref("Patient/old"): ref("Patient/p1")}
        assert await ward.ids(explained, "Observation?patient=old") == "b1 w1"
        through = [node for plan in explained.plans for node in _nodes(plan) if node["Node Type"] == "Seq Scan"]
        assert through == [], json.dumps(through, indent=1)
        explained.plans.clear()
        assert await ward.ids(explained, "Observation?patient.identifier=800517-2000000") == "b1 w1"
    nodes = [node for plan in explained.plans for node in _nodes(plan)]
    # Of three thousand observations in all it may read each one's number; of search tables nothing but what it needs.
    assert {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} <= {"resource"}
    assert any(node.get("Index Name") == "search_token_pkey" and "code" in node["Index Cond"] for node in nodes)
