"""Words of health are found as R4 has it while they stand in sealed bodies only (ADR 0028)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.errors import Invalid, TooCostly
from domain.ids import Reference
from runtime.resealing import hide_words
from store.database import Database, Transaction
from store.fhir import writing
from store.search import parse_query, searching
from store.search.keyed import hashed
from store.search.normal import normal
from store.search.places import parameter
from store.search.values import strings
from store.search.words import FORMERLY
from tests.store.search import ward

NEGATIVE, LONG = "Négative for  malignancy", "흡연 안 함, " + "그리고 " * 200 + "끝"


def observation(id_: str, value: Any, **more: Any) -> dict[str, Any]:
    kind = "valueString" if isinstance(value, str) else "valueCodeableConcept"
    made = {"resourceType": "Observation", "id": id_, "status": "final", "code": {"coding": [{"code": "smear"}]}}
    return made | {kind: value, "subject": {"reference": "Patient/p1"}} | more


def titled(kind: str, id_: str, title: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": id_, "status": "final", "title": title} | more


RECORDS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p1", "name": [{"family": "Kim"}], "text": {
        "status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">brittle</div>'}},
    {"resourceType": "Patient", "id": "p2", "name": [{"family": "Park"}]},
    observation("neg", NEGATIVE),
    observation("negl", "neglected", subject={"reference": "Patient/p2"}),
    observation("ne", "ne"),
    observation("concept", {"text": "Negative", "coding": [{"code": "n"}]}),
    observation("korean", LONG, code={"coding": [{"code": "smoking"}]}),
    observation("number", "asked 900101-1234568 twice"),
    {"resourceType": "Observation", "id": "none", "status": "final", "code": {"text": "no value"}},
    {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}, "onsetString": "In childhood",
     "abatementString": "last spring"},
    {"resourceType": "List", "id": "list", "status": "current", "mode": "working", "title": "Allergies",
     "note": [{"text": "from home"}, {"text": "from history"}]},
    titled("Composition", "k1", "Discharge note", subject={"reference": "Patient/p1"}),
    titled("Composition", "k2", "admission note"),
    titled("Composition", "k3", "가정 간호 기록"),
    {"resourceType": "Questionnaire", "id": "q1", "status": "active", "title": "Discharge questions"},
    {"resourceType": "DocumentReference", "id": "d1", "status": "current", "description": "Chest film"},
    {"resourceType": "DocumentManifest", "id": "m1", "status": "current", "description": "Chest films"},
]  # fmt: skip

FINDS = {
    "Observation?value-string=neg": "concept neg negl",
    "Observation?value-string=NEGAT": "concept neg",
    "Observation?value-string=negative for": "neg",
    "Observation?value-string=négative FOR malig": "neg",
    "Observation?value-string=negative for malignancy!": "",
    "Observation?value-string=ne": "concept ne neg negl",
    "Observation?value-string=e": "",
    "Observation?value-string=흡연": "korean",
    "Observation?value-string=흡": "korean",
    "Observation?value-string=흡여": "",
    "Observation?value-string=neglected,흡연": "korean negl",
    "Observation?value-string=malignancy": "",
    "Observation?value-string:contains=MALIG": "neg",
    "Observation?value-string:contains=끝": "korean",
    "Observation?value-string:exact=Négative for  malignancy": "neg",
    "Observation?value-string:exact=Negative for  malignancy": "",
    "Observation?value-string:exact=ne": "ne",
    "Observation?value-string:exact=neg": "",
    "Observation?value-string:missing=true": "none",
    "Observation?value-string:missing=false": "concept korean ne neg negl number",
    "Observation?value-string:contains=1234568": "",
    "Observation?value-string:contains=twice": "number",
    "Observation?value-string=neg&patient=Patient/p2": "negl",
    "Observation?value-string=neg&code=n": "",
    "Observation?code-value-string=smear$neg": "neg negl",
    "Observation?code-value-string=smoking$neg": "",
    "Observation?code-value-string=|smoking$흡": "korean",
    "Condition?onset-info=in child": "c1",
    "Condition?abatement-string=LAST": "c1",
    "Condition?abatement-string=spring": "",
    "List?notes=from h": "list",
    "List?notes:contains=history": "list",
    "List?title=allerg": "list",
    "Composition?title:contains=note": "k1 k2",
    "DocumentReference?description=chest film": "d1",
    "DocumentManifest?description:exact=Chest films": "m1",
    "?_type=Composition,Questionnaire&title=discharge": "k1 q1",
    "?_type=Composition,Questionnaire&title:contains=questions": "q1",
    "?_type=Composition,Questionnaire&title:missing=false": "k1 k2 k3 q1",
    "Patient?_has:Observation:patient:value-string=neg": "p1 p2",
    "Patient?_has:Observation:patient:value-string=neglec": "p2",
    "Patient?_has:Observation:patient:value-string:contains=ect": "p2",
    "Patient?_has:Observation:patient:value-string:exact=neglected": "p2",
    "Patient?_has:Observation:patient:code-value-string=smear$neglected": "p2",
    "Patient?_has:Composition:patient:title=admission": "",
    'Observation?_filter=value-string sw "negat"': "concept neg",
    'Observation?_filter=not (value-string sw "neg")': "korean ne none number",
    'Observation?_filter=value-string co "ect" or value-string eq "ne"': "ne negl",
    'Observation?_filter=value-string co "neg" and patient eq Patient/p2': "negl",
    "Observation?patient:Patient._text=brittle": "concept korean ne neg number",
    "Observation?patient:Patient._text=sturdy": "",
    "Composition?_sort=title": "k2 k1 k3",
    "Composition?_sort=-title": "k3 k1 k2",
    "Observation?_sort=-value-string,_id": "korean negl neg concept ne number none",
    "Observation?_sort=value-string,-_id": "number ne concept neg negl korean none",
    "List?_sort=notes": "list",
}  # fmt: skip


async def found(database: Database, hospital: str, now: datetime) -> dict[str, str]:
    answers = {}
    for search in FINDS:
        async with database.transaction(hospital) as tx:
            answers[search] = await ward.ids(tx, search, now=now)
    return answers


async def test_words_are_found_as_strings_are(database: Database, hospital: str, now: datetime) -> None:
    await ward.keep(database, hospital, RECORDS, now)
    assert await found(database, hospital, now) == FINDS
    async with database.transaction(hospital) as tx:
        rows = await tx.all("select value from search_string")
    readable = {row["value"] for row in rows}
    assert readable == {"kim", "park", "discharge questions"}


async def test_words_of_a_hospital_are_hashed_with_its_key(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    hashes = []
    for each in (hospital, other_hospital):
        await ward.keep(database, each, [observation("one", "Never smoked")], now)
        async with database.transaction(each) as tx:
            rows = await tx.all("select code from search_token where parameter = any(%s::int8[])", [list(FORMERLY)])
        hashes.append({row["code"] for row in rows})
        assert len(hashes[-1]) == 2
    assert hashes[0].isdisjoint(hashes[1])


async def test_pages_and_totals_of_words_are_whole(database: Database, hospital: str, now: datetime) -> None:
    many = [titled("Composition", f"n{number:02}", f"note {number % 5}") for number in range(12)]
    await ward.keep(database, hospital, many, now)
    for asked in ("title=note", "title:contains=note", "_sort=title", "_sort=-title,_id&title=no"):
        listed, cursor = list[str](), ""
        while True:
            async with database.transaction(hospital) as tx:
                page = await ward.asked(tx, f"Composition?{asked}&_count=5&_total=accurate{cursor}")
            assert page.total == 12
            listed += [each.reference.id for each in page.matches]
            if page.next is None:
                break
            cursor = f"&_cursor={page.next}"
        assert sorted(listed) == [each["id"] for each in many]
        if "_sort=title" in asked:
            assert listed == sorted(listed, key=lambda id_: (int(id_[1:]) % 5, id_))


async def test_more_bodies_than_anybody_waits_for_are_refused(
    database: Database, hospital: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_BODIES", 4)
    monkeypatch.setattr(searching, "_BATCH", 2)
    await ward.keep(database, hospital, [titled("Composition", f"n{n}", f"note {n}") for n in range(9)], now)
    for asked in ("title:contains=nothing", "_sort=title", "title=no&_summary=count"):
        with pytest.raises(TooCostly):
            async with database.transaction(hospital) as tx:
                await ward.asked(tx, f"Composition?{asked}")
    async with database.transaction(hospital) as tx:
        assert await ward.ids(tx, "Composition?title:exact=note 7") == "n7"


async def test_a_condition_that_only_bodies_tell_never_reaches_the_database_within_another(
    database: Database, hospital: str
) -> None:
    query = parse_query("Patient", [("_has:Observation:patient:value-string", "x")])
    async with database.transaction(hospital) as tx:
        builder = searching.Builder.of(tx, searching.everything)
        with pytest.raises(Invalid):
            builder.condition(query.conditions[0], "Patient", "r")


async def _as_an_earlier_release(tx: Transaction) -> int:
    """Rows as they were made before: readable, and none of them hashed."""
    kept = 0
    for body in RECORDS:
        kind = body["resourceType"]
        texts = {
            (FORMERLY[place.number], text)
            for code in ("value-string", "onset-info", "abatement-string", "notes", "title", "description")
            if (asked := parameter(kind, code)) is not None
            for place in asked.places
            if place.kind == "words"
            for value in place.values(body)
            for text in strings(value)
        }
        where = "hospital = %s and type = %s and id = %s"
        for place, text in texts:
            await tx.execute(
                f"insert into search_string (hospital, parameter, value, exact, resource)"  # noqa: S608
                f" select hospital, %s, %s, %s, number from resource where {where}".encode(),
                [place, normal(text), hashed(text), tx.hospital, kind, body["id"]],
            )
            kept += 1
    await tx.execute("delete from search_token where parameter = any(%s::int8[])", [list(FORMERLY)])
    return kept


async def _counted(tx: Transaction) -> dict[str, int]:
    row = await tx.one(
        """
        select (select count(*) from search_string where parameter = any(%s::int8[])) as readable,
               (select count(distinct resource) from search_token where parameter = any(%s::int8[])) as hidden,
               (select count(*) from search_token where parameter = any(%s::int8[])) as hashes,
               (select count(*) from search_token) as tokens
        """,
        [list(FORMERLY.values()), list(FORMERLY), list(FORMERLY)],
    )
    assert row is not None
    return dict(row)


async def test_what_an_earlier_release_kept_readable_is_found_and_then_hidden(
    database: Database, hospital: str, now: datetime
) -> None:
    await ward.keep(database, hospital, RECORDS, now)
    async with database.transaction(hospital) as tx:
        before = await _counted(tx)
        plain = before["tokens"] - before["hashes"]
        kept = await _as_an_earlier_release(tx)
        assert await _counted(tx) == {"readable": kept, "hidden": 0, "hashes": 0, "tokens": plain}
        assert kept == 16
    of_codes = {each for each in FINDS if "code-value-string" in each}  # their rows know the code, which is not undone
    answers = await found(database, hospital, now)
    assert {each: answers[each] for each in FINDS.keys() - of_codes} == {
        each: FINDS[each] for each in FINDS.keys() - of_codes
    }
    assert await hide_words(database, hospital) == before["hidden"] == 13
    async with database.transaction(hospital) as tx:
        assert await _counted(tx) == before
        await writing.delete(tx, Reference("Composition/k3"), expected=1, now=now)
    assert await hide_words(database, hospital) == 0
    async with database.transaction(hospital) as tx:
        assert await ward.ids(tx, "Composition?title=가정") == ""
