"""$validate-code against code systems and value sets, HL7's and a hospital's."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.fhir.shop import FRUIT, FRUITS, GENDER, codes, composed, parameters, read

AGAINST_ITS_CODE_SYSTEM: list[Any] = [
    ({"url": GENDER, "code": "male"}, True),
    ({"url": GENDER, "code": "MALE"}, False),
    ({"url": GENDER, "code": "male", "display": "male"}, True),
    ({"url": GENDER, "code": "male", "display": "Female"}, False),
    ({"url": FRUIT, "code": "lemon", "display": "레몬"}, True),
    ({"url": FRUIT, "code": "lemon", "version": "2"}, True),
    ({"url": FRUIT, "code": "citrus"}, False),  # abstract
    ({"url": FRUIT, "code": "citrus", "abstract": "true"}, True),
    ({"url": "http://unitsofmeasure.org", "code": "mg/dL"}, True),
    ({"url": "http://unitsofmeasure.org", "code": "mg per dL"}, False),
    ({"url": "urn:ietf:bcp:13", "code": "text/plain"}, True),
]


async def test_a_code_is_validated_against_its_code_system(shop: httpx.AsyncClient) -> None:
    for asked, right in AGAINST_ITS_CODE_SYSTEM:
        told = read(await shop.get("CodeSystem/$validate-code", params=asked))
        assert told["result"] == [right]
        assert ("message" in told) is not right


SET_OF_THE_HOSPITAL: list[Any] = [
    ({"code": "lemon", "system": FRUIT}, True),
    ({"code": "lime", "system": FRUIT}, False),  # excluded
    ({"code": "apple", "system": FRUIT}, False),  # no citrus
    ({"code": "lemon", "system": "http://nobody.example"}, False),
    ({"code": "lemon", "system": FRUIT, "systemVersion": "2"}, True),
    ({"code": "lemon", "system": FRUIT, "display": "zitrone"}, True),
    ({"code": "lemon", "system": FRUIT, "display": "Lime"}, False),
    ({"code": "citrus", "system": FRUIT}, False),  # abstract
    ({"code": "citrus", "system": FRUIT, "abstract": "true"}, True),
]


async def test_a_code_is_validated_against_a_value_set_of_the_hospital(shop: httpx.AsyncClient) -> None:
    for asked, right in SET_OF_THE_HOSPITAL:
        for path, params in (
            ("ValueSet/$validate-code", {"url": f"{FRUITS}|1"}),
            ("ValueSet/fruits/$validate-code", {}),
        ):
            assert read(await shop.get(path, params={**params, **asked}))["result"] == [right]


async def test_a_wrong_display_is_answered_with_the_right_one(shop: httpx.AsyncClient) -> None:
    body = parameters(url=FRUITS, coding={"system": FRUIT, "code": "lemon", "display": "Limone"})
    body["parameter"].append({"name": "displayLanguage", "valueCode": "ko"})
    told = read(await shop.post("ValueSet/$validate-code", json=body))
    assert (told["result"], told["display"]) == ([False], ["레몬"])
    assert "display" in told["message"][0]


async def test_a_concept_is_right_when_one_of_its_codings_is(shop: httpx.AsyncClient) -> None:
    concept = {"coding": [{"system": FRUIT, "code": "apple"}, {"system": FRUIT, "code": "lemon"}]}
    body = parameters(url=FRUITS, codeableConcept=concept)
    assert read(await shop.post("ValueSet/$validate-code", json=body))["result"] == [True]
    body = parameters(url=FRUITS, codeableConcept={"coding": concept["coding"][:1]})
    assert read(await shop.post("ValueSet/$validate-code", json=body))["result"] == [False]


async def test_a_value_set_that_came_along_is_asked(shop: httpx.AsyncClient) -> None:
    sent = composed({"valueSet": [FRUITS]})
    told = read(await shop.post("ValueSet/$validate-code", json=parameters(valueSet=sent, code="lemon", system=FRUIT)))
    assert told["result"] == [True]
    assert codes(await shop.post("ValueSet/$expand", json=sent)) == ["citrus", "lemon"]
    assert codes(await shop.post("ValueSet/$expand?filter=lem", json=sent)) == ["lemon"]


async def test_what_rests_on_a_code_system_that_nobody_knows_is_not_said_to_be_right(fhir: httpx.AsyncClient) -> None:
    told = read(
        await fhir.get(
            "ValueSet/$validate-code",
            params={
                "url": "http://hl7.org/fhir/ValueSet/condition-code",
                "system": "http://snomed.info/sct",
                "code": "386661006",
            },
        )
    )
    assert told["result"] == [False]
    assert "http://snomed.info/sct is not known here" in told["message"][0]


async def test_the_context_names_the_value_set_of_an_element(fhir: httpx.AsyncClient) -> None:
    context = "http://hl7.org/fhir/StructureDefinition/Patient#Patient.gender"
    told = read(await fhir.get("ValueSet/$validate-code", params={"context": context, "code": "male"}))
    assert told["result"] == [True]
