"""$expand: order, pages, filters, languages, limits."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.fhir.conftest import issue_of
from tests.api.fhir.shop import FRUIT, FRUIT_SET, FRUIT_SYSTEM, FRUITS, GENDER, codes, composed, named, read


async def test_a_value_set_of_hl7_is_expanded_in_its_order(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender")
    assert codes(answer) == ["male", "female", "other", "unknown"]
    expansion = answer.json()["expansion"]
    assert expansion["total"] == 4
    assert {"name": "used-codesystem", "valueUri": f"{GENDER}|4.0.1"} in expansion["parameter"]


async def test_pages_of_an_expansion_make_the_whole(fhir: httpx.AsyncClient) -> None:
    url = "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-status"
    whole = await fhir.get(url)
    pages = [await fhir.get(f"{url}&count=3&offset={offset}") for offset in (0, 3, 6)]
    assert [code for page in pages for code in codes(page)] == codes(whole)
    assert {page.json()["expansion"]["total"] for page in pages} == {8}
    assert len({page.json()["expansion"]["identifier"] for page in pages}) == 1
    nothing = (await fhir.get(f"{url}&count=0")).json()["expansion"]
    assert (nothing["total"], "contains" in nothing) == (8, False)


IS_NARROWED_AS_ASKED: list[Any] = [
    ({}, ["citrus", "lemon", "lime", "apple"]),
    ({"activeOnly": "true"}, ["citrus", "lemon", "apple"]),
    ({"filter": "레몬"}, ["lemon"]),
    ({"filter": "FRUIT citr"}, ["citrus"]),
    ({"filter": "라임"}, ["lime"]),
    ({"exclude-system": FRUIT}, []),
    ({"exclude-system": f"{FRUIT}|1"}, ["citrus", "lemon", "lime", "apple"]),
    ({"system-version": f"{FRUIT}|2"}, ["citrus", "lemon", "lime", "apple"]),
    ({"offset": "3"}, ["apple"]),
]


async def test_an_expansion_is_narrowed_as_asked(shop: httpx.AsyncClient) -> None:
    for asked, expected in IS_NARROWED_AS_ASKED:
        sent = composed({"system": FRUIT})
        assert codes(await shop.post("ValueSet/$expand", params=asked, json=sent)) == expected


async def test_an_expansion_says_names_in_the_language_asked_for(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("ValueSet/fruits/$expand?displayLanguage=ko&includeDesignations=true")
    citrus, lemon = answer.json()["expansion"]["contains"]
    assert (citrus["display"], citrus["abstract"], lemon["display"]) == ("감귤류", True, "레몬")
    assert {"language": "en", "value": "Lemon"} in lemon["designation"]
    only = await shop.get("ValueSet/fruits/$expand", params={"designation": "urn:ietf:bcp:47|de"})
    assert only.json()["expansion"]["contains"][1]["designation"] == [named("de", "Zitrone")]


async def test_an_expansion_nests_when_all_of_it_is_asked_for_so(shop: httpx.AsyncClient) -> None:
    (citrus,) = (await shop.get("ValueSet/fruits/$expand?excludeNested=false")).json()["expansion"]["contains"]
    assert [each["code"] for each in citrus["contains"]] == ["lemon"]


async def test_the_definition_comes_along_when_asked_for(shop: httpx.AsyncClient) -> None:
    brief = (await shop.get("ValueSet/fruits/$expand")).json()
    assert (brief["url"], "compose" in brief) == (FRUITS, False)
    whole = (await shop.get("ValueSet/fruits/$expand?includeDefinition=true")).json()
    assert whole["compose"] == FRUIT_SET["compose"]


async def test_too_many_codes_for_one_answer_are_refused_and_come_in_pages(fhir: httpx.AsyncClient) -> None:
    concepts = [{"code": f"c{number}", "display": f"Concept {number}"} for number in range(10_001)]
    large = {**FRUIT_SYSTEM, "id": "large", "url": "http://example.org/large", "concept": concepts}
    assert (await fhir.put("CodeSystem/large", json=large)).status_code == 201
    sent = composed({"system": large["url"]})
    refused = await fhir.post("ValueSet/$expand", json=sent)
    assert (refused.status_code, issue_of(refused)["code"]) == (400, "too-costly")
    assert "10001" in issue_of(refused)["diagnostics"]
    assert codes(await fhir.post("ValueSet/$expand?count=2&offset=9999", json=sent)) == ["c9999", "c10000"]
    assert codes(await fhir.post("ValueSet/$expand?filter=Concept 10000", json=sent)) == ["c10000"]


async def test_value_sets_that_import_each_other_end(fhir: httpx.AsyncClient) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        made = {
            "resourceType": "ValueSet",
            "id": one,
            "url": f"http://example.org/{one}",
            "status": "active",
            "compose": {"include": [{"valueSet": [f"http://example.org/{other}"]}]},
        }
        await fhir.put(f"ValueSet/{one}", json=made)
    answer = await fhir.get("ValueSet/a/$expand")
    assert (answer.status_code, issue_of(answer)["code"]) == (404, "not-found")
    told = read(await fhir.get(f"ValueSet/a/$validate-code?system={GENDER}&code=male"))
    assert "imports itself" in told["message"][0]


BE_USED_IS_REFUSED: list[Any] = ["(", "a" * 2000, "(?=a)"]


async def test_a_pattern_that_cannot_be_used_is_refused(shop: httpx.AsyncClient) -> None:
    for pattern in BE_USED_IS_REFUSED:
        condition = {"property": "code", "op": "regex", "value": pattern}
        sent = {
            "resourceType": "ValueSet",
            "status": "draft",
            "compose": {"include": [{"system": FRUIT, "filter": [condition]}]},
        }
        assert (await shop.post("ValueSet/$expand", json=sent)).status_code == 400
