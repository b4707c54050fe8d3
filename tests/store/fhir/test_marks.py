"""An update leaves tables alone whose rows stay the same, and never trusts what marks of another version say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.ids import Reference
from store.database import Database, Transaction
from store.fhir import reading, writing
from store.fhir.marks import Change, changes, marks
from store.fhir.reindexing import reindex
from store.fhir.rows import TABLES
from store.fhir.writing import Write

P1 = Reference("Patient/p1")
KIM: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Kim"}],
    "gender": "female",
    "birthDate": "1990-01-02",
}
LEE = KIM | {"name": [{"family": "Lee"}]}


async def _marks(database: Database, hospital: str) -> bytes | None:
    async with database.transaction(hospital) as tx:
        head = await reading.locked(tx, P1)
        assert head is not None
        return head.marks


async def _update(tx: Transaction, body: dict[str, Any] | None, now: datetime) -> None:
    """As an update over HTTP is kept: what is there is locked first."""
    head = await reading.locked(tx, P1)
    assert head is not None
    await writing.write(tx, [Write(P1, body, None, head.version, locked=head)], now=now)


async def _rows(tx: Transaction, hospital: str) -> list[set[tuple[Any, ...]]]:
    found = []
    for table in TABLES:
        text = f"select {table.listed}, ctid::text as place from {table.name} where hospital = %s"  # noqa: S608
        found.append({tuple(row.values()) for row in await tx.all(text.encode(), [hospital])})
    return found


async def test_an_update_that_changes_nothing_searched_touches_no_row(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await writing.create(tx, KIM, now=now)
        before = await _rows(tx, hospital)
    async with database.transaction(hospital) as tx:
        await _update(tx, KIM | {"multipleBirthBoolean": False}, now)
    async with database.transaction(hospital) as tx:
        assert await _rows(tx, hospital) == before
        assert (await reading.read(tx, P1)).body["multipleBirthBoolean"] is False


CASES: dict[str, tuple[dict[str, Any] | None, ...]] = {
    "another name": (KIM, LEE),
    "a date that goes and comes": (KIM, {name: KIM[name] for name in KIM if name != "birthDate"}, KIM),
    "a reference that comes and goes": (
        KIM,
        KIM | {"managingOrganization": {"reference": "Organization/o1"}},
        KIM,
    ),
    "deleted and there again": (KIM, None, LEE),
}


@pytest.mark.parametrize("name", CASES)
async def test_after_updates_the_rows_are_those_that_a_create_makes(
    database: Database, hospital: str, other_hospital: str, now: datetime, name: str
) -> None:
    first, *later = CASES[name]
    assert first is not None
    async with database.transaction(hospital) as tx:
        await writing.create(tx, first, now=now)
    for body in later:
        async with database.transaction(hospital) as tx:
            await _update(tx, body, now)
    async with database.transaction(hospital) as tx:
        updated = [len(rows) for rows in await _rows(tx, hospital)]
        plain = {row["value"] for row in await tx.all("select value from search_string")}
    last = later[-1]
    assert last is not None
    async with database.transaction(other_hospital) as tx:
        await writing.create(tx, last, now=now)
        assert [len(rows) for rows in await _rows(tx, other_hospital)] == updated
        assert {row["value"] for row in await tx.all("select value from search_string")} == plain


async def test_a_version_that_left_its_marks_behind_is_compared_row_by_row(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await writing.create(tx, KIM, now=now)
    kept = await _marks(database, hospital)
    async with database.transaction(hospital) as tx:  # a release that does not know marks
        await writing.update(tx, LEE, expected=1, now=now)
        await tx.execute("update resource set marks = %b", [kept])
    async with database.transaction(hospital) as tx:
        await _update(tx, KIM, now)
    async with database.transaction(hospital) as tx:
        assert {row["value"] for row in await tx.all("select value from search_string")} == {"kim"}


async def test_marks_end_when_the_rows_are_made_anew(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await writing.create(tx, KIM, now=now)
    assert await _marks(database, hospital) is not None
    async with database.transaction(hospital) as tx:
        await reindex(tx)
    assert await _marks(database, hospital) is None


async def test_what_each_table_needs_follows_from_both_marks(database: Database, hospital: str) -> None:
    def rows(*filled: str) -> list[dict[str, str]]:
        return [{"p": text} if text else {} for text in filled]

    async with database.transaction(hospital) as tx:
        before = marks(tx, 4, tx.keys.current, rows("a", "b", "", "d", ""))
        after = marks(tx, 5, tx.keys.current, rows("a", "c", "new", "", ""))
    same, other, added, gone, empty = changes(before, 4, after)
    assert (same, other, added) == (Change.NOTHING, Change.COMPARE, Change.INSERT)
    assert (gone, empty) == (Change.REMOVE, Change.NOTHING)
    unknown = (Change.COMPARE, Change.COMPARE, Change.COMPARE, Change.REMOVE, Change.REMOVE)
    assert changes(before, 3, after) == changes(None, 4, after) == changes(before[:-1], 4, after) == unknown


async def test_marks_of_two_hospitals_tell_nothing_of_each_other(
    database: Database, hospital: str, other_hospital: str
) -> None:
    parameters = [{"p": "a"}, *({} for _ in TABLES[1:])]
    found = []
    for each in (hospital, other_hospital):
        async with database.transaction(each) as tx:
            found.append(marks(tx, 1, tx.keys.current, parameters))
    assert found[0] != found[1]
