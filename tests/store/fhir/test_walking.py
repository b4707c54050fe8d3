"""Walking past all resources of a type as of an instant: each once, whatever is written meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from domain.ids import Reference
from store.database import Database, Transaction
from store.fhir import walking, writing
from store.fhir.versions import Version
from store.fhir.walking import Span
from store.search import everything, only_types
from store.search.sql import Sql

MINUTE = timedelta(minutes=1)


async def walked(
    tx: Transaction, span: Span, *, count: int = 2, narrowed: Sql | None = None, types: frozenset[str] | None = None
) -> str:
    """Ids and versions in the order of the walk; deletions end in a minus."""
    found, after = list[str](), ""
    while True:
        allowed = only_types(types) if types is not None else everything
        stretch = await walking.walk(tx, "Patient", span, after=after, allowed=allowed, narrowed=narrowed, count=count)
        for row in stretch.rows:
            version = walking.open_row(tx, row)
            assert isinstance(version, Version)
            found.append(f"{version.reference.id}/{version.version}{'-' if version.deleted else ''}")
        if stretch.last is None:
            return " ".join(found)
        after = stretch.last


async def put(tx: Transaction, id_: str, at: datetime, version: int = 1) -> None:
    resource = {"resourceType": "Patient", "id": id_}
    if version == 1:
        await writing.create(tx, resource, now=at)
    else:
        await writing.update(tx, resource, expected=version - 1, now=at)


@pytest.fixture
async def tx(database: Database, hospital: str, now: datetime) -> AsyncIterator[Transaction]:
    """p1 is made at `now`; p2 and p3 a minute later; p2 changes and p3 goes another minute later; then p4 is made."""
    async with database.transaction(hospital) as opened:
        await put(opened, "p1", now)
        for id_ in ("p2", "p3"):
            await put(opened, id_, now + MINUTE)
        await put(opened, "p2", now + 2 * MINUTE, version=2)
        await writing.delete(opened, Reference("Patient/p3"), expected=1, now=now + 2 * MINUTE)
        await put(opened, "p4", now + 3 * MINUTE)
        yield opened


@pytest.mark.parametrize(
    ("until", "since", "expected"),
    [
        (0, None, "p1/1"),
        (1, None, "p1/1 p2/1 p3/1"),
        (2, None, "p1/1 p2/2"),
        (3, None, "p1/1 p2/2 p4/1"),
        (3, 0, "p2/2 p3/2- p4/1"),
        (1, 0, "p2/1 p3/1"),
        (3, 2, "p4/1"),
        (3, 3, ""),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 500])
async def test_it_shows_what_was_true_at_an_instant(
    tx: Transaction, now: datetime, *, until: int, since: int | None, expected: str, count: int
) -> None:
    span = Span(now + until * MINUTE, None if since is None else now + since * MINUTE)
    assert await walked(tx, span, count=count) == expected


async def test_scope_and_condition_narrow_it_and_deletions_are_left_to_whoever_asked(
    tx: Transaction, now: datetime
) -> None:
    span = Span(now + 9 * MINUTE, now - MINUTE)
    assert await walked(tx, span, narrowed=Sql("r.id = %s", ("p4",))) == "p3/2- p4/1"
    assert await walked(tx, span, types=frozenset({"Observation"})) == ""
    assert await walked(tx, Span(now + 9 * MINUTE), narrowed=Sql("r.id = %s", ("p4",))) == "p4/1"


async def test_what_commits_late_is_not_lost_to_the_next_walk(database: Database, hospital: str, now: datetime) -> None:
    """Its time lies before the first walk's instant, and the first walk could not see it."""
    async with database.transaction(hospital) as first:
        await put(first, "p1", now - 2 * MINUTE)
    async with database.transaction(hospital) as late:
        await put(late, "p2", now - MINUTE)
        await late.one("select 1")  # it has been sent
        async with database.transaction(hospital) as tx:
            seen = await walking.snapshot(tx)
            assert await walked(tx, Span(now)) == "p1/1"
    async with database.transaction(hospital) as tx:
        assert await walked(tx, Span(now + MINUTE, since=now, seen=seen)) == "p2/1"
        assert await walked(tx, Span(now + MINUTE, since=now)) == ""  # times alone would lose it


async def test_large_resources_come_a_few_at_a_time(
    tx: Transaction, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "SEALED", 10)
    stretch = await walking.walk(tx, "Patient", Span(now + 9 * MINUTE), allowed=everything)
    assert (len(stretch.rows), stretch.last) == (1, "p1")
    assert await walked(tx, Span(now + 9 * MINUTE), count=500) == "p1/1 p2/2 p4/1"


async def test_what_a_deleted_resource_was_is_still_known(tx: Transaction, now: datetime) -> None:
    stretch = await walking.walk(tx, "Patient", Span(now + 9 * MINUTE, now), allowed=everything)
    deleted = [each for row in stretch.rows if isinstance(each := walking.open_row(tx, row), Version) and each.deleted]
    (before,) = await walking.before_deletion(tx, deleted)
    assert (before.reference, before.version, before.deleted) == ("Patient/p3", 1, False)
