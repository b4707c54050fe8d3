"""$match: who may this person be."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from store.database import Database
from store.search.matching import candidates
from store.search.sql import everything
from tests.api.fhir.conftest import Connect, Json, issue_of
from tests.api.fhir.merging import merge, of
from tests.store.search import ward
from tests.store.search.test_plans import Explained, _nodes, filled, unknown

__all__ = ["filled", "unknown"]  # fixtures

MRN = "urn:example:mrn"
NUMBER = [{"system": MRN, "value": "1"}]
HANA: Json = {"name": [{"text": "김하나"}], "birthDate": "1980-05-17", "gender": "female"}


def patient(**more: Any) -> Json:
    return {"resourceType": "Patient", **more}


async def match(fhir: httpx.AsyncClient, resource: Json, **more: Json) -> httpx.Response:
    listed: list[Json] = [{"name": "resource", "resource": resource}]
    listed += [{"name": name, **value} for name, value in more.items()]
    return await fhir.post("Patient/$match", json={"resourceType": "Parameters", "parameter": listed})


def matches(answer: httpx.Response) -> list[tuple[str, str, float]]:
    assert answer.status_code == 200, answer.text
    found = [each for each in answer.json().get("entry", []) if each["search"]["mode"] == "match"]
    assert all(each["search"]["extension"][0]["url"].endswith("/match-grade") for each in found)
    return [
        (each["resource"]["id"], each["search"]["extension"][0]["valueCode"], each["search"]["score"]) for each in found
    ]


@pytest.fixture
async def _people(fhir: httpx.AsyncClient) -> None:
    for made in (
        patient(id="hana", identifier=NUMBER, telecom=[{"system": "phone", "value": "010-1234-5678"}], **HANA),
        patient(id="roman", **{**HANA, "name": [{"family": "Kim", "given": ["Ha-na"]}]}),
        patient(id="slip", **{**HANA, "birthDate": "1980-05-11"}),
        patient(id="year", **{**HANA, "birthDate": "1980"}),
        patient(id="other", **{**HANA, "name": [{"text": "박철수"}]}),
    ):
        assert (await fhir.put(f"Patient/{made['id']}", json=made)).status_code == 201


@pytest.mark.usefixtures("_people")
async def test_the_likeliest_come_first_with_score_and_grade(fhir: httpx.AsyncClient) -> None:
    asked = patient(telecom=[{"system": "phone", "value": "+82 10 1234 5678"}], **HANA)
    assert matches(await match(fhir, asked)) == [
        ("hana", "probable", 0.8),
        ("roman", "possible", 0.54),
        ("year", "possible", 0.45),
        ("slip", "possible", 0.43),
    ]
    assert [each[0] for each in matches(await match(fhir, asked, count={"valueInteger": 2}))] == ["hana", "roman"]
    # A resource by itself is the parameter `resource`.
    bare = await fhir.post("Patient/$match?count=1", json=asked)
    assert (matches(bare), bare.json()["total"]) == ([("hana", "probable", 0.8)], 4)


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"identifier": [{"system": MRN, "value": "1"}]}, "hana"),
        ({"identifier": [{"value": "1"}]}, "hana"),
        ({"identifier": [{"system": MRN, "value": "no such"}]}, ""),
        ({"telecom": [{"system": "phone", "value": "01012345678"}], "name": [{"text": "Hana Gim"}]}, "hana"),
        ({"name": [{"text": "GIM Hana"}], "birthDate": "1980-05-17"}, "hana roman"),
        ({"name": [{"text": "김하나"}], "birthDate": "1980-05"}, "hana slip year"),
        ({"name": [{"text": "이순신"}], "birthDate": "1545-04-28"}, ""),
    ],
)
async def test_people_are_found_by_what_is_known_of_them(fhir: httpx.AsyncClient, asked: Json, found: str) -> None:
    assert " ".join(sorted(each[0] for each in matches(await match(fhir, patient(**asked))))) == found


@pytest.mark.usefixtures("_people")
async def test_only_certain_matches_are_one_or_none(fhir: httpx.AsyncClient) -> None:
    certain = {"onlyCertainMatches": {"valueBoolean": True}}
    number = patient(identifier=[{"system": MRN, "value": "1"}])
    assert matches(await match(fhir, number, **certain)) == [("hana", "certain", 0.9)]
    assert matches(await match(fhir, patient(**HANA), **certain)) == []
    await fhir.put("Patient/twin", json=number | {"id": "twin"})
    answer = await match(fhir, number, **certain)
    assert matches(answer) == []
    assert "none is the only one" in answer.json()["entry"][0]["resource"]["issue"][0]["diagnostics"]


@pytest.mark.usefixtures("_people")
async def test_a_merged_patient_speaks_for_the_one_that_stays(fhir: httpx.AsyncClient) -> None:
    of(await merge(fhir, "Patient/hana", "Patient/other"))
    found = matches(await match(fhir, patient(**HANA)))
    assert found[0] == ("other", "probable", 0.6)
    assert "hana" not in [each[0] for each in found]
    await fhir.delete("Patient/other")
    assert "hana" in [each[0] for each in matches(await match(fhir, patient(**HANA)))]


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"gender": "female"}, 422),
        ({"name": [{"text": "김하나"}]}, 422),
        ({"birthDate": "1980-05-17"}, 422),
        ({"name": [{"text": "?"}], "birthDate": "1980-05-17"}, 422),
        ({"telecom": [{"system": "phone", "value": "119"}]}, 422),
        ({"birthDate": "1980-5-17"}, 400),
        ({"gender": "unheard-of"}, 400),
    ],
)
async def test_too_little_to_go_by_is_refused(fhir: httpx.AsyncClient, asked: Json, status: int) -> None:
    answer = await match(fhir, patient(**asked))
    assert (answer.status_code, issue_of(answer)["severity"]) == (status, "error"), answer.text


@pytest.mark.parametrize(
    "more",
    [{"count": {"valueInteger": 0}}, {"count": {"valueString": "many"}}, {"onlyCertainMatches": {"valueCode": "x"}}],
)
async def test_wrong_parameters_are_refused(fhir: httpx.AsyncClient, more: Json) -> None:
    answer = await match(fhir, patient(**HANA), **more)
    assert (answer.status_code, issue_of(answer)["severity"]) == (400, "error")
    assert (await fhir.post("Patient/$match")).status_code == 400


async def test_more_candidates_than_anybody_can_compare_are_refused(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.search.matching.MOST", 2)
    for number in range(3):
        await fhir.put(f"Patient/p{number}", json=patient(id=f"p{number}", **HANA))
    answer = await match(fhir, patient(**HANA))
    assert (answer.status_code, issue_of(answer)["code"]) == (400, "too-costly")


@pytest.mark.usefixtures("_people")
async def test_matches_are_the_callers_to_see(connect: Connect, other_hospital: str, fhir: httpx.AsyncClient) -> None:
    refused = await match(await connect("system/Observation.rs"), patient(**HANA))
    assert (refused.status_code, issue_of(refused)["code"]) == (403, "forbidden")
    assert matches(await match(await connect(hospital=other_hospital), patient(**HANA))) == []


@pytest.mark.usefixtures("filled")
async def test_candidates_are_found_by_indexes_as_the_application(database: Database, hospital: str) -> None:
    asked = next(each for each in ward.resources() if each["id"] == "p1")
    async with database.transaction(hospital) as tx:
        explained = Explained(tx.keys, tx.connection, tx.hospital)
        assert [each.reference.id for each in await candidates(explained, asked, everything)] == ["p1"]
    nodes = [node for plan in explained.plans for node in _nodes(plan)]
    assert [node for node in nodes if node["Node Type"] == "Seq Scan"] == [], json.dumps(explained.plans)
    assert any(node.get("Index Name") == "search_token_pkey" and "code" in node["Index Cond"] for node in nodes)
