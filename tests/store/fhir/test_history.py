"""History of a resource, a type and the hospital: newest first, deletions among them, page after page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.errors import Invalid, NotFound
from domain.ids import Reference
from store.database import Database
from store.fhir import writing
from store.fhir.history import HistoryPage, history
from store.search import only_types, within
from store.search.sql import Sql
from tests.store.search import ward

P1 = Reference("Patient/p1")


def _listed(page: HistoryPage) -> str:
    return " ".join(f"{each.reference.id}/{each.version}{'-' if each.deleted else ''}" for each in page.versions)


@pytest.fixture
async def lived(database: Database, hospital: str, now: datetime) -> datetime:
    """p1: created, changed, deleted; p2: created; e1: created last; a minute between each."""
    at = now - timedelta(hours=1)
    async with database.transaction(hospital) as tx:
        await writing.create(tx, {"resourceType": "Patient", "id": "p1"}, now=at)
        await writing.create(tx, {"resourceType": "Patient", "id": "p2"}, now=at + timedelta(minutes=1))
        await writing.update(tx, {"resourceType": "Patient", "id": "p1"}, expected=1, now=at + timedelta(minutes=2))
        await writing.delete(tx, P1, expected=2, now=at + timedelta(minutes=3))
        stay: dict[str, Any] = {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p2"}}
        await writing.create(tx, stay, now=at + timedelta(minutes=4))
    return at


async def test_versions_come_newest_first(database: Database, hospital: str, lived: datetime) -> None:
    async with database.transaction(hospital) as tx:
        assert _listed(await history(tx, P1)) == "p1/3- p1/2 p1/1"
        assert _listed(await history(tx, "Patient", total=True)) == "p1/3- p1/2 p2/1 p1/1"
        whole = await history(tx, None, total=True)
        assert (_listed(whole), whole.total, whole.next) == ("e1/1 p1/3- p1/2 p2/1 p1/1", 5, None)
        with pytest.raises(NotFound):
            await history(tx, Reference("Patient/p9"))


@pytest.mark.parametrize("of", [P1, "Patient", None])
async def test_pages_follow_each_other(
    database: Database, hospital: str, lived: datetime, of: Reference | str | None
) -> None:
    async with database.transaction(hospital) as tx:
        whole = _listed(await history(tx, of))
        found, cursor = [], None
        while True:
            page = await history(tx, of, count=2, cursor=cursor)
            found += [_listed(page)]
            cursor = page.next
            if cursor is None:
                break
        assert " ".join(found) == whole
        with pytest.raises(Invalid):
            await history(tx, of, cursor="W10")


async def test_versions_are_chosen_by_when_they_were_kept_or_current(
    database: Database, hospital: str, lived: datetime
) -> None:
    def later(minutes: float) -> datetime:
        return lived + timedelta(minutes=minutes)

    async with database.transaction(hospital) as tx:
        assert _listed(await history(tx, None, since=later(3))) == "e1/1 p1/3-"
        assert _listed(await history(tx, P1, at=(later(0.5), later(1.5)))) == "p1/1"
        assert _listed(await history(tx, P1, at=(later(1.5), later(2.5)))) == "p1/2 p1/1"
        assert _listed(await history(tx, "Patient", at=(later(2.2), later(2.5)), total=True)) == "p1/2 p2/1"


async def test_a_history_shows_what_is_in_scope(database: Database, hospital: str, lived: datetime) -> None:
    def second(_: str, alias: str) -> Sql:
        return Sql(f"{alias}.id = %s", ("p2",))

    async with database.transaction(hospital) as tx:
        assert _listed(await history(tx, None, allowed=second, total=True)) == "p2/1"
        assert _listed(await history(tx, None, allowed=within(("Patient", "p2")))) == "e1/1 p2/1"
        assert _listed(await history(tx, None, allowed=only_types(frozenset({"Encounter"})))) == "e1/1"


async def test_the_history_of_another_hospital_is_not_there(
    database: Database, hospital: str, other_hospital: str, lived: datetime, now: datetime
) -> None:
    async with database.transaction(other_hospital) as tx:
        assert (await history(tx, None)).versions == []
        with pytest.raises(NotFound):
            await history(tx, P1)
    await ward.keep(database, other_hospital, [{"resourceType": "Patient", "id": "p1"}], now)
    async with database.transaction(other_hospital) as tx:
        assert _listed(await history(tx, None)) == "p1/1"
