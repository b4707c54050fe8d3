"""What a hospital keeps of terminology, found by URL and remembered compiled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.errors import Deleted, TooCostly
from domain.ids import Reference
from domain.terminology import Canonical
from store.database import Database
from store.fhir import writing
from store.search.sql import nothing, only_types
from store.terminology import Compiled, Terminology

URL = "http://example.org/s"


def code_system(id_: str, *codes: str, **more: Any) -> dict[str, Any]:
    made = {"resourceType": "CodeSystem", "id": id_, "url": URL, "status": "active", "content": "complete"}
    return {**made, "concept": [{"code": code} for code in codes], **more}


def value_set(id_: str, **include: Any) -> dict[str, Any]:
    url = f"http://example.org/{id_}"
    return {"resourceType": "ValueSet", "id": id_, "url": url, "status": "active", "compose": {"include": [include]}}


async def keep(database: Database, hospital: str, now: datetime, *made: dict[str, Any]) -> None:
    async with database.transaction(hospital) as tx:
        for each in made:
            await writing.create(tx, each, now=now)


async def test_what_is_found_brings_along_what_it_refers_to(database: Database, hospital: str, now: datetime) -> None:
    outer, inner = value_set("outer", valueSet=["http://example.org/inner|1"]), value_set("inner", system=URL)
    await keep(database, hospital, now, outer, inner, code_system("s", "a"))
    async with database.transaction(hospital) as tx:
        found = Terminology(tx, Compiled())
        await found.find("http://example.org/outer|1.2")
        assert {str(ref) for ref in found.things} == {"ValueSet/outer", "ValueSet/inner", "CodeSystem/s"}
        hidden = Terminology(tx, Compiled(), only_types(frozenset({"ValueSet"})))
        await hidden.find("http://example.org/outer")
        assert {ref.resource_type for ref in hidden.things} == {"ValueSet"}
        blind = Terminology(tx, Compiled(), nothing)
        await blind.find("http://example.org/outer")
        assert not blind.things


async def test_a_hospitals_code_system_goes_before_hl7s_unless_it_is_empty(
    database: Database, hospital: str, now: datetime
) -> None:
    gender = "http://hl7.org/fhir/administrative-gender"
    own = code_system("own", "x", url=gender, version="9")
    empty = code_system("empty", url="http://hl7.org/fhir/link-type", content="not-present")
    await keep(database, hospital, now, own, empty)
    async with database.transaction(hospital) as tx:
        found = Terminology(tx, Compiled())
        await found.find(gender, "http://hl7.org/fhir/link-type")
        newest, hl7s = (found.shelves.code_system(Canonical(gender, version)) for version in ("", "4.0.1"))
        links = found.shelves.code_system(Canonical("http://hl7.org/fhir/link-type"))
    assert newest is not None
    assert hl7s is not None
    assert links is not None
    assert ([*newest.places], "male" in hl7s.places, "seealso" in links.places) == (["x"], True, True)


async def test_compiled_things_are_remembered_by_version_and_forgotten_by_weight(
    database: Database, hospital: str, now: datetime
) -> None:
    await keep(database, hospital, now, code_system("s", *map(str, range(60))))
    compiled = Compiled(most=100)

    async def ask(url: str) -> Any:
        async with database.transaction(hospital) as tx:
            found = Terminology(tx, compiled)
            await found.find(url)
            return next(iter(found.things.values()), None)

    first = await ask(URL)
    assert await ask(URL) is first
    async with database.transaction(hospital) as tx:
        await writing.update(tx, code_system("s", "new"), expected=1, now=now)
    assert [*(await ask(URL)).places] == ["new"]
    await keep(database, hospital, now, code_system("t", *map(str, range(70)), url="http://example.org/t"))
    await ask("http://example.org/t")
    assert compiled.weight == 2 + 71  # the first version went


async def test_a_deleted_one_is_not_found(database: Database, hospital: str, now: datetime) -> None:
    await keep(database, hospital, now, code_system("s", "a"))
    async with database.transaction(hospital) as tx:
        await writing.delete(tx, Reference("CodeSystem/s"), expected=1, now=now)
        found = Terminology(tx, Compiled())
        await found.find(URL)
        assert not found.things
        with pytest.raises(Deleted):
            await found.kept(Reference("CodeSystem/s"))


async def test_sets_that_refer_to_more_than_anybody_reads_are_refused(
    database: Database, hospital: str, now: datetime
) -> None:
    await keep(database, hospital, now, value_set("wide", valueSet=[f"http://example.org/{n}" for n in range(600)]))
    async with database.transaction(hospital) as tx:
        with pytest.raises(TooCostly):
            await Terminology(tx, Compiled()).find("http://example.org/wide")
