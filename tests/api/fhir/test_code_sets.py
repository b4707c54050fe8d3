"""Searching by value sets and hierarchies that a hospital keeps: `:in`, `:not-in`, `:above`, `:below`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.fhir.conftest import Connect, issue_of, observation, patient
from tests.api.fhir.shop import FRUIT, FRUIT_SET, FRUIT_SYSTEM, FRUITS, composed

SNOMED = "http://snomed.info/sct"


@pytest.fixture
async def eaten(shop: httpx.AsyncClient) -> httpx.AsyncClient:
    """Observations with a fruit each, and one of a system that nobody keeps."""
    await shop.put("Patient/p1", json=patient(id="p1"))
    for system, code in ((FRUIT, "citrus"), (FRUIT, "lemon"), (FRUIT, "lime"), (FRUIT, "apple"), (SNOMED, "227493005")):
        made = observation("Patient/p1", id=f"o-{code}", code={"coding": [{"system": system, "code": code}]})
        assert (await shop.put(f"Observation/o-{code}", json=made)).status_code == 201
    whole = {**composed({"system": SNOMED}), "id": "nuts", "url": "http://example.org/nuts"}
    mixed = {**composed({"system": SNOMED}, {"valueSet": [FRUITS]}), "id": "mixed", "url": "http://example.org/mixed"}
    for each in (whole, mixed):
        assert (await shop.put(f"ValueSet/{each['id']}", json=each)).status_code == 201
    return shop


def found(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    ids = [entry["resource"]["id"].removeprefix("o-") for entry in answer.json().get("entry", [])]
    return " ".join(sorted(ids))


ASKED: list[Any] = [
    ("Observation", {"code:in": FRUITS}, "citrus lemon"),
    ("Observation", {"code:in": f"{FRUITS}|1"}, "citrus lemon"),
    ("Observation", {"code:in": "ValueSet/fruits"}, "citrus lemon"),
    ("Observation", {"code:not-in": FRUITS}, "227493005 apple lime"),
    ("Observation", {"code:below": f"{FRUIT}|citrus"}, "citrus lemon lime"),
    ("Observation", {"code:below": f"{FRUIT}|apple"}, "apple"),
    ("Observation", {"code:above": f"{FRUIT}|lemon"}, "citrus lemon"),
    ("Observation", {"code:below": f"{SNOMED}|227493005"}, "227493005"),
    # every code of a system that is not here: the system alone is searched for
    ("Observation", {"code:in": "http://example.org/nuts"}, "227493005"),
    ("Patient", {"_has:Observation:patient:code:in": FRUITS}, "p1"),
    ("Patient", {"_has:Observation:patient:code:below": f"{FRUIT}|pear"}, ""),
]


async def test_codes_are_found_by_value_sets_and_hierarchies_of_the_hospital(eaten: httpx.AsyncClient) -> None:
    for kind, params, expected in ASKED:
        assert found(await eaten.get(kind, params=params)) == expected, params
    posted = await eaten.post("Observation/_search", data={"code:in": FRUITS})
    assert found(posted) == "citrus lemon"


async def test_a_value_set_that_is_changed_finds_other_codes_at_once(eaten: httpx.AsyncClient) -> None:
    assert found(await eaten.get("Observation", params={"code:in": FRUITS})) == "citrus lemon"
    changed = {**FRUIT_SET, "compose": {"include": [{"system": FRUIT, "concept": [{"code": "apple"}]}]}}
    assert (await eaten.put("ValueSet/fruits", json=changed)).status_code == 200
    assert found(await eaten.get("Observation", params={"code:in": FRUITS})) == "apple"


async def test_what_cannot_be_listed_is_refused(eaten: httpx.AsyncClient, connect: Connect) -> None:
    for params in (
        {"code:in": "http://nobody.example"},
        {"code:in": "ValueSet/never"},
        {"code:in": "http://example.org/mixed"},  # some of it is not known here
    ):
        answer = await eaten.get("Observation", params=params)
        assert (answer.status_code, issue_of(answer)["code"]) == (400, "invalid"), params
    # a value set that the caller may not read does not tell what is in it
    blind = await connect("system/Observation.rs")
    for name in (FRUITS, "ValueSet/fruits"):
        assert (await blind.get("Observation", params={"code:in": name})).status_code == 400


async def test_too_many_codes_for_one_search_are_refused_unless_they_are_a_whole_system(
    eaten: httpx.AsyncClient,
) -> None:
    many = [{"code": "top", "concept": [{"code": f"c{number}"} for number in range(5001)]}]
    large = {**FRUIT_SYSTEM, "id": "large", "url": "http://example.org/large", "concept": many}
    assert (await eaten.put("CodeSystem/large", json=large)).status_code == 201
    beneath = {"system": large["url"], "filter": [{"property": "concept", "op": "is-a", "value": "top"}]}
    for id_, include in (("beneath", beneath), ("all", {"system": large["url"]})):
        made = {**composed(include), "id": id_, "url": f"http://example.org/{id_}"}
        assert (await eaten.put(f"ValueSet/{id_}", json=made)).status_code == 201
    for params in ({"code:in": "http://example.org/beneath"}, {"code:below": f"{large['url']}|top"}):
        answer = await eaten.get("Observation", params=params)
        assert (answer.status_code, issue_of(answer)["code"]) == (400, "too-costly"), params
    assert found(await eaten.get("Observation", params={"code:in": "http://example.org/all"})) == ""


async def test_conditions_of_writes_know_the_value_sets_too(eaten: httpx.AsyncClient) -> None:
    made = observation("Patient/p1", code={"coding": [{"system": FRUIT, "code": "apple"}]})
    condition = {"If-None-Exist": f"code:below={FRUIT}|apple"}
    assert (await eaten.post("Observation", json=made, headers=condition)).status_code == 200
