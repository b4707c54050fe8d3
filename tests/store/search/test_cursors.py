"""A cursor says nothing to who reads it in the log of a proxy, and opens for its own search only."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest

from domain.errors import Invalid
from store import data_keys, sealing
from store.database import Database
from store.sealing import KeyRing, Sealed
from store.search import paging, parse_query, searching
from store.search.query import Query
from tests.store.search import ward

CANARY = "카나리아Quetzalcoatl"
SORTED = [("_sort", "family"), ("_count", "1")]


async def _next(database: Database, hospital: str, query: Query) -> str:
    async with database.transaction(hospital) as tx:
        page = await searching.search(tx, query)
    assert page.next
    return page.next


async def _nexts(database: Database, hospital: str, now: datetime) -> str:
    names = [{"resourceType": "Patient", "id": f"n{each}", "name": [{"family": f"{CANARY}{each}"}]} for each in "abc"]
    await ward.keep(database, hospital, names, now)
    return await _next(database, hospital, parse_query("Patient", SORTED))


def _readable(cursor: str) -> str:
    """What somebody without a key makes of it."""
    raw = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in cursor.split(".")]
    return "".join(each.decode(errors="replace") for each in raw).casefold()


async def _no_name_is_in_a_cursor(database: Database, hospital: str, now: datetime) -> None:
    cursor = await _nexts(database, hospital, now)
    assert "quetzal" not in _readable(cursor)
    assert len(cursor) < 200
    assert cursor != await _next(database, hospital, parse_query("Patient", SORTED)), "equal names would be seen"


async def test_no_name_is_in_a_cursor(database: Database, hospital: str, now: datetime) -> None:
    await _no_name_is_in_a_cursor(database, hospital, now)


async def test_unsealed_the_same_check_fails(
    database: Database, hospital: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "seal", lambda keys, plain, *_, **__: Sealed(keys.current, plain))
    with pytest.raises(AssertionError):
        await _no_name_is_in_a_cursor(database, hospital, now)


async def test_a_cursor_of_a_hospital_with_a_data_key_leads_on(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.system() as system:
        await data_keys.announce(system, hospital, ahead=timedelta(0))
    await database.know_keys()
    cursor, found = await _nexts(database, hospital, now), []
    assert cursor.startswith("d.")
    async with database.transaction(hospital) as tx:
        page = await searching.search(tx, parse_query("Patient", [*SORTED, ("_cursor", cursor)]))
        found += [each.reference for each in page.matches]
    assert found == ["Patient/nb"]


OTHER_SEARCHES = {
    "other conditions": ("Patient", [*SORTED, ("gender:missing", "true")]),
    "another type": ("Practitioner", SORTED),
    "another order": ("Patient", [("_sort", "-family"), ("_count", "1")]),
    "no order": ("Patient", [("_count", "1")]),
}


async def _refused_elsewhere(database: Database, hospital: str, now: datetime, other: str) -> None:
    kind, pairs = OTHER_SEARCHES[other]
    cursor = await _nexts(database, hospital, now)
    with pytest.raises(Invalid, match="not a page of this search"):
        await _next(database, hospital, parse_query(kind, [*pairs, ("_cursor", cursor)]))


@pytest.mark.parametrize("other", OTHER_SEARCHES)
async def test_it_opens_for_its_own_search_only(database: Database, hospital: str, now: datetime, other: str) -> None:
    await _refused_elsewhere(database, hospital, now, other)


async def test_unbound_it_would_open_for_others(
    database: Database, hospital: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_search_of", lambda _: b"")
    with pytest.raises(pytest.fail.Exception):
        await _refused_elsewhere(database, hospital, now, "other conditions")


async def test_it_opens_in_its_own_hospital_only(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    cursor = await _nexts(database, hospital, now)
    with pytest.raises(Invalid, match="not a page of this search"):
        await _next(database, other_hospital, parse_query("Patient", [*SORTED, ("_cursor", cursor)]))


async def test_how_much_is_shown_may_change_between_pages(database: Database, hospital: str, now: datetime) -> None:
    cursor = await _nexts(database, hospital, now)
    more = [("_cursor", cursor), ("_count", "9"), ("_sort", "family"), ("_elements", "id")]
    async with database.transaction(hospital) as tx:
        page = await searching.search(tx, parse_query("Patient", more))
    assert [each.reference.id for each in page.matches] == ["nb", "nc"]


async def test_a_changed_key_opens_what_the_older_one_sealed(database: Database, hospital: str, now: datetime) -> None:
    cursor = await _nexts(database, hospital, now)
    query = parse_query("Patient", SORTED)
    async with database.transaction(hospital) as tx:
        older = tx.keys
    newer = KeyRing.generate("newer")
    both = KeyRing("newer", {**newer.keys, **older.keys})
    assert paging.Cursor.parse(cursor, both, hospital, query).keys[0].endswith("a")
    with pytest.raises(Invalid):
        paging.Cursor.parse(cursor, newer, hospital, query)


@pytest.mark.parametrize("at", range(0, 80, 9))
async def test_one_changed_sign_is_noticed(keys: KeyRing, at: int) -> None:
    query = parse_query("Patient", SORTED)
    cursor = paging.Cursor("gather", (CANARY, 7)).text(keys, "hanbit", query)
    changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
    with pytest.raises(Invalid):
        paging.Cursor.parse(changed, keys, "hanbit", query)
