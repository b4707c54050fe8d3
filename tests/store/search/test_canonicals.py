"""`_include` and `_revinclude` over links that name a canonical URL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store.database import Database
from store.search.sql import only_types
from tests.store.search import ward

URL = "http://example.org/Questionnaire/pain"


def questionnaire(id_: str, version: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "id": id_, "url": URL, "version": version, "status": "active", **more}


def response(id_: str, canonical: str) -> dict[str, Any]:
    made = {"resourceType": "QuestionnaireResponse", "id": id_, "status": "completed", "questionnaire": canonical}
    return {**made, "subject": {"reference": "Patient/p9"}}


KEPT = [
    questionnaire("q1", "1"),
    questionnaire("q2", "2"),
    questionnaire("q3", "3", status="draft"),
    questionnaire("other", "1", url="http://example.org/Questionnaire/other"),
    response("old", f"{URL}|1"),
    response("any", URL),
    response("lost", "http://example.org/Questionnaire/never"),
]


async def along(database: Database, hospital: str, search: str, **more: Any) -> str:
    async with database.transaction(hospital) as tx:
        page = await ward.asked(tx, search, **more)
    return " ".join(sorted(each.reference.id for each in page.included))


async def test_a_canonical_brings_the_version_that_it_names_or_the_newest_in_force(
    database: Database, hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, KEPT, now)
    include = "_include=QuestionnaireResponse:questionnaire"
    for ids, expected in (("old", "q1"), ("any", "q2"), ("lost", ""), ("old,any,lost", "q1 q2")):
        assert await along(database, hospital, f"QuestionnaireResponse?_id={ids}&{include}") == expected
    assert await along(database, hospital, f"QuestionnaireResponse?_id=any&{include}:Questionnaire") == "q2"
    assert await along(database, hospital, "QuestionnaireResponse?_id=any&_include=*") == "q2"
    unseen = only_types(frozenset({"QuestionnaireResponse"}))
    assert await along(database, hospital, f"QuestionnaireResponse?_id=any&{include}", scope=unseen) == ""


async def test_a_questionnaire_brings_the_answers_that_name_it_or_no_version(
    database: Database, hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, KEPT, now)
    include = "_revinclude=QuestionnaireResponse:questionnaire"
    for id_, expected in (("q1", "any old"), ("q2", "any"), ("other", "")):
        assert await along(database, hospital, f"Questionnaire?_id={id_}&{include}") == expected
    unseen = only_types(frozenset({"Questionnaire"}))
    assert await along(database, hospital, f"Questionnaire?_id=q1&{include}", scope=unseen) == ""


async def test_links_of_profiles_and_value_sets_are_followed_on(
    database: Database, hospital: str, now: datetime
) -> None:
    base = "http://example.org/StructureDefinition"
    made = [
        {
            "resourceType": "StructureDefinition",
            "id": f"s{number}",
            "url": f"{base}/{number}",
            "status": "active",
            "baseDefinition": f"{base}/{number + 1}",
        }
        for number in range(3)
    ]
    await ward.keep(database, hospital, made, now)
    search = "StructureDefinition?_id=s0&_include=StructureDefinition:base"
    assert await along(database, hospital, search) == "s1"
    assert await along(database, hospital, search.replace("_include", "_include:iterate")) == "s1 s2"
