"""Pages hold still while others write, totals count what pages show, and cursors of other searches are refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncConnection

from domain.errors import Invalid, TooCostly
from domain.ids import Reference
from store.database import Database, Transaction
from store.fhir import writing
from store.search import parse_query, searching
from tests.conftest import Urls
from tests.store.search import ward


def patient(number: int, **more: Any) -> dict[str, Any]:
    gender = "male" if number % 2 else "female"
    born = f"19{50 + number % 7}-01-01"
    return {"resourceType": "Patient", "id": f"n{number:02}", "gender": gender, "birthDate": born, **more}


async def pages(
    database: Database, hospital: str, kind: str | None, pairs: list[tuple[str, str]], meanwhile: Any = None
) -> list[str]:
    """Ids of all pages, one after the other, with something done between them."""
    found: list[str] = []
    cursor: list[tuple[str, str]] = []
    while True:
        async with database.transaction(hospital) as tx:
            page = await searching.search(tx, parse_query(kind, [*pairs, *cursor]))
        found += [each.reference.id for each in page.matches]
        if page.next is None:
            return found
        cursor = [("_cursor", page.next)]
        if meanwhile is not None:
            await meanwhile(len(found))


SEARCHES = {
    "without conditions": [],
    "by a token that most have": [("gender", "male,female")],
    "sorted by a date that several share": [("_sort", "-birthdate")],
    "sorted by a token": [("_sort", "gender")],
    "newest first": [("_sort", "-_lastUpdated")],
    "by a date, sorted by two keys": [("birthdate", "ge1900"), ("_sort", "gender,-birthdate")],
    "by a string that all have": [("family:missing", "true")],
}


@pytest.mark.parametrize("name", SEARCHES)
async def test_every_match_stands_on_exactly_one_page(
    database: Database, hospital: str, now: datetime, name: str
) -> None:
    await ward.keep(database, hospital, [patient(number) for number in range(23)], now)
    pairs = [*SEARCHES[name], ("_count", "4")]
    found = await pages(database, hospital, "Patient", pairs)
    assert sorted(found) == [f"n{number:02}" for number in range(23)]


@pytest.mark.parametrize("name", ["without conditions", "sorted by a date that several share", "sorted by a token"])
async def test_pages_hold_still_while_others_are_created_and_deleted(
    database: Database, hospital: str, now: datetime, name: str
) -> None:
    await ward.keep(database, hospital, [patient(number) for number in range(23)], now)
    gone: set[str] = set()

    async def write(seen: int) -> None:
        await ward.keep(database, hospital, [patient(50 + seen), patient(70 + seen, id=f"a{seen}")], now)
        async with database.transaction(hospital) as tx:
            await writing.delete(tx, Reference(f"Patient/n{seen // 4:02}"), expected=1, now=now)
        gone.add(f"n{seen // 4:02}")

    found = await pages(database, hospital, "Patient", [*SEARCHES[name], ("_count", "4")], write)
    assert len(found) == len(set(found))
    assert {f"n{number:02}" for number in range(23)} - gone <= set(found)


async def test_a_total_is_given_when_asked_for_or_known_anyway(
    database: Database, hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, [patient(number) for number in range(9)], now)
    totals = {"Patient?": 9, "Patient?_count=4": None, "Patient?_count=4&_total=accurate": 9}
    totals |= {"Patient?_summary=count": 9, "Patient?_count=0": 9, "Patient?gender=male&_count=2&_total=estimate": 4}
    async with database.transaction(hospital) as tx:
        for search, total in totals.items():
            assert (await ward.asked(tx, search)).total == total, search
        assert (await ward.asked(tx, "Patient?_count=0")).matches == []


async def test_a_page_of_a_search_by_text_is_filled_from_the_bodies(
    database: Database, hospital: str, now: datetime
) -> None:
    text = {"status": "generated", "div": "<div>has a <i>fever</i></div>"}
    made = [patient(number, **({"text": text} if number % 3 == 0 else {})) for number in range(20)]
    await ward.keep(database, hospital, made, now)
    found = await pages(database, hospital, "Patient", [("_text", "fever"), ("_count", "2")])
    assert sorted(found) == [f"n{number:02}" for number in range(0, 20, 3)]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJnIixudWxsXQ", "WyJnIiwiYSJd", "WyJ6IiwxXQ", "%00", "é", "A" * 5000])
async def test_a_cursor_of_something_else_is_refused(
    database: Database, hospital: str, now: datetime, cursor: str
) -> None:
    with pytest.raises(Invalid, match="not a page of this search"):
        async with database.transaction(hospital) as tx:
            await searching.search(tx, parse_query("Patient", [("_cursor", cursor)]))


async def test_a_text_is_not_looked_for_in_more_bodies_than_may_be_opened(
    database: Database, hospital: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_BODIES", 10)
    monkeypatch.setattr(searching, "_BATCH", 5)
    await ward.keep(database, hospital, [patient(number) for number in range(20)], now)
    with pytest.raises(TooCostly, match="narrow the search"):
        async with database.transaction(hospital) as tx:
            await ward.asked(tx, "Patient?_text=fever")


async def test_conditional_interactions_learn_whether_none_one_or_more_match(
    database: Database, hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, ward.resources(), now)

    async def matching(tx: Transaction, *pairs: tuple[str, str]) -> int:
        return len(await searching.references(tx, parse_query("Patient", list(pairs))))

    async with database.transaction(hospital) as tx:
        assert await matching(tx, ("identifier", "none")) == 0
        assert await matching(tx, ("identifier", f"{ward.RRN}|800517-2000000")) == 1
        assert await matching(tx, ("gender", "male")) == 2
        assert await searching.references(tx, parse_query("Patient", [("family", "김")])) == ["Patient/p1"]
        assert await searching.count(tx, parse_query("Patient", [("gender", "male")])) == 2


async def test_what_was_written_is_found_and_what_was_deleted_or_changed_is_not(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await writing.create(tx, patient(1), now=now)
        await writing.update(tx, patient(1, gender="other"), expected=1, now=now + timedelta(seconds=1))
        assert [await ward.ids(tx, f"Patient?gender={each}") for each in ("male", "other")] == ["", "n01"]
        await writing.delete(tx, Reference("Patient/n01"), expected=2, now=now)
        assert await ward.ids(tx, "Patient?gender=other") == ""
        assert await ward.ids(tx, "Patient?") == ""
        await writing.update(tx, patient(1), expected=3, now=now)
        assert await ward.ids(tx, "Patient?gender=male&birthdate=1951") == "n01"


async def test_a_search_that_the_database_gives_up_is_too_costly(
    database: Database, hospital: str, now: datetime, urls: Urls
) -> None:
    await ward.keep(database, hospital, [patient(1)], now)

    async def hurried(run: Any) -> None:
        async with database.transaction(hospital) as tx:
            await tx.execute("set local statement_timeout = '30ms'")
            await run(tx, parse_query("Patient", [("gender:missing", "false")]))

    async with await AsyncConnection.connect(urls.superuser) as other:
        await other.execute("lock table resource in access exclusive mode")  # stands for a search that takes for ever
        for run in (searching.search, searching.count, searching.references):
            with pytest.raises(TooCostly, match="narrow it"):
                await hurried(run)


def test_a_chain_without_types_that_would_grow_with_its_depth_is_too_costly_to_read() -> None:
    for chain in ("derived-from." * 30, "subject." * 50, "based-on." * 12):
        with pytest.raises(TooCostly):
            parse_query("Task" if chain[0] in "sb" else "EventDefinition", [(f"{chain}x", "1")])


def test_a_chain_is_followed_from_the_types_that_lead_on_though_others_do_not() -> None:
    query = parse_query("DiagnosticReport", [("based-on.based-on.requester.family", "x")])
    assert len(query.conditions) == 1
    with pytest.raises(Invalid, match="the end of a chain"):
        parse_query("DiagnosticReport", [("based-on.unheard-of", "x")])
