"""What somebody may not see changes no page, no count and no order: the scope is asked of every resource reached."""

from __future__ import annotations

from datetime import datetime

import pytest

from store.database import Database
from store.search import ScopePredicate, all_of, nothing, only_types, within
from store.search.sql import Sql
from tests.store.search import ward


def not_patient_one(resource_type: str, alias: str) -> Sql | None:
    return Sql(f"{alias}.id <> %s", ("p1",)) if resource_type in {"", "Patient"} else None


async def _found(database: Database, hospital: str, search: str, scope: ScopePredicate) -> tuple[str, str, int | None]:
    async with database.transaction(hospital) as tx:
        page = await ward.asked(tx, search, scope=scope)
    matches = " ".join(sorted(each.reference.id for each in page.matches))
    along = " ".join(sorted(each.reference.id for each in page.included))
    return matches, along, page.total


CASES = {
    "Patient?": "p2 p3",
    "Patient?_sort=-birthdate": "p2 p3",
    "Patient?_id=p1": "",
    "?_id=p1": "",
    "?_type=Patient,Group&_id=p1,g1": "g1",
    "Observation?subject:Patient.gender=female": "",
    "Observation?patient=p1": "b1 w1",  # the observation itself may be seen
    "Observation?patient.gender:missing=false": "w2",
    "Practitioner?_has:Patient:general-practitioner:gender=female": "",
    "Group?member:Patient.family=nun": "g1",
    "Group?member:Patient._id=p1": "",
}


async def test_a_scope_is_asked_of_matches_chains_and_reverse_chains(
    database: Database, hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    wrong = {}
    for search, expected in CASES.items():
        found, _, total = await _found(database, hospital, f"{search}&_total=accurate", not_patient_one)
        if (found, total) != (expected, len(expected.split())):
            wrong[search] = (found, total)
    assert wrong == {}


@pytest.mark.parametrize(
    ("search", "all_along", "in_scope"),
    [
        ("Observation?_id=w1&_include=Observation:subject", "p1", ""),
        ("Observation?_id=w1&_include=Observation:subject:Patient", "p1", ""),
        ("Observation?_id=w1&_include=Observation:subject:Group", "", ""),
        ("Observation?_id=w1&_include=*", "e1 p1", "e1"),
        ("Observation?_id=w1&_include=Observation:*", "e1 p1", "e1"),
        (
            "Observation?_id=w1&_include=Observation:patient&_include:iterate=Patient:general-practitioner"
            "&_include:iterate=Patient:organization&_include:iterate=Organization:partof",
            "d1 o1 o2 p1",
            "",
        ),
        ("Group?_id=g1&_include=Group:member", "p1 p3", "p3"),
        ("Practitioner?_revinclude=Patient:general-practitioner", "p1", ""),
        ("Patient?_id=p2&_revinclude=Observation:patient&_revinclude=Encounter:subject", "e2 w2", "e2 w2"),
        ("Location?_id=l1&_revinclude:iterate=Location:partof", "l2 l3", "l2 l3"),
        ("Patient?_id=p2&_revinclude=*", "c2 e2 r2 w2", "c2 e2 r2 w2"),
    ],
)
async def test_includes_bring_what_is_referred_to_in_scope(
    database: Database, hospital: str, now: datetime, *, search: str, all_along: str, in_scope: str
) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    assert (await _found(database, hospital, search, lambda *_: None))[1] == all_along
    assert (await _found(database, hospital, search, not_patient_one))[1] == in_scope


async def test_scopes_are_made_of_types_and_compartments(database: Database, hospital: str, now: datetime) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    own = within(("Patient", "p1"))
    assert (await _found(database, hospital, "Patient?", own))[0] == "p1"
    assert (await _found(database, hospital, "Observation?", own))[0] == "b1 w1"
    assert (await _found(database, hospital, "?_type=Observation,Encounter", own))[0] == "b1 e1 w1"
    assert (await _found(database, hospital, "Practitioner?", own))[0] == ""
    observing = all_of(own, only_types(frozenset({"Observation"})))
    assert (await _found(database, hospital, "?_type=Observation,Encounter", observing))[0] == "b1 w1"
    assert (await _found(database, hospital, "?_lastUpdated=gt2000", observing))[0] == "b1 w1"
    assert (await _found(database, hospital, "Observation?_include=Observation:subject", observing))[1] == ""
    assert (await _found(database, hospital, "Patient?_total=accurate", nothing)) == ("", "", 0)


async def test_a_search_sees_nothing_of_another_hospital(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    searches = [
        "Patient?",
        "Patient?name=김",
        "Observation?patient.gender=female",
        "?_id=p1",
        "Patient?_text=penicillin",
    ]
    for search in searches:
        assert (await _found(database, other_hospital, f"{search}&_total=accurate", lambda *_: None))[::2] == ("", 0)
    await ward.keep(database, other_hospital, ward.resources()[5:6], now)
    assert (await _found(database, other_hospital, "Practitioner?_revinclude=*", lambda *_: None)) == ("d1", "", 1)
