"""$lookup: names, properties, languages; and what every operation of terminology refuses."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.fhir.conftest import issue_of
from tests.api.fhir.shop import FRUIT, GENDER, parameters, read


async def test_a_code_of_hl7_is_looked_up(fhir: httpx.AsyncClient) -> None:
    told = read(await fhir.get("CodeSystem/$lookup", params={"system": GENDER, "code": "male"}))
    assert (told["name"], told["version"], told["display"]) == (["AdministrativeGender"], ["4.0.1"], ["Male"])
    assert {"code": ["definition"], "value": ["Male."]} in told["property"]


async def test_a_code_of_the_hospital_is_looked_up_with_its_properties(shop: httpx.AsyncClient) -> None:
    told = read(await shop.get("CodeSystem/$lookup", params={"system": FRUIT, "code": "lemon"}))
    assert (told["name"], told["version"], told["display"]) == (["Fruit"], ["2"], ["Lemon"])
    assert {"code": ["peel"], "value": [True], "description": ["whether one peels it"]} in told["property"]
    assert {"code": ["parent"], "value": ["citrus"]} in told["property"]
    assert [each["value"] for each in told["designation"]] == [["레몬"], ["Zitrone"]]
    only = read(
        await shop.get("CodeSystem/$lookup", params={"system": FRUIT, "code": "lemon", "property": ["peel", "lang.ko"]})
    )
    assert [each["code"] for each in only["property"]] == [["peel"]]
    assert [each["language"] for each in only["designation"]] == [["ko"]]
    assert read(await shop.get("CodeSystem/fruit/$lookup?code=apple"))["display"] == ["Apple"]


LANGUAGE_OF_THE_READER: list[Any] = [
    ("lemon", {"displayLanguage": "ko"}, {}, "레몬"),
    ("lemon", {"displayLanguage": "ko-KR"}, {}, "레몬"),
    ("lemon", {}, {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}, "레몬"),
    ("lemon", {"displayLanguage": "de"}, {"Accept-Language": "ko"}, "Zitrone"),
    ("lemon", {}, {"Accept-Language": "en, ko;q=0.1"}, "Lemon"),
    ("lemon", {"displayLanguage": "fr"}, {}, "Lemon"),
    ("lime", {"displayLanguage": "ko"}, {}, "라임"),  # from a supplement
    ("citrus", {"displayLanguage": "ko"}, {}, "감귤류"),  # a supplement's own display
]


async def test_names_come_in_the_language_of_the_reader(shop: httpx.AsyncClient) -> None:
    for code, asked, headers, display in LANGUAGE_OF_THE_READER:
        params = {"system": FRUIT, "code": code, **asked}
        assert read(await shop.get("CodeSystem/$lookup", params=params, headers=headers))["display"] == [display]


async def test_a_coding_is_looked_up_by_post(shop: httpx.AsyncClient) -> None:
    body = parameters(coding={"system": FRUIT, "code": "apple", "version": "2"})
    assert read(await shop.post("CodeSystem/$lookup", json=body))["display"] == ["Apple"]


REFUSED_WITH_A_REASON: list[Any] = [
    (f"CodeSystem/$lookup?system={GENDER}&code=neuter", 404, "not-found"),
    ("CodeSystem/$lookup?system=http://nobody.example&code=a", 404, "not-found"),
    (f"CodeSystem/$lookup?system={GENDER}&code=male&version=9", 404, "not-found"),
    (f"CodeSystem/$lookup?system={GENDER}", 400, "invalid"),
    ("CodeSystem/$lookup?code=male", 400, "invalid"),
    (f"CodeSystem/$lookup?system={GENDER}&code=male&code=female", 400, "invalid"),
    (f"CodeSystem/$lookup?system={GENDER}&code=male&date=yesterday", 400, "invalid"),
    ("CodeSystem/$lookup?coding=male", 400, "invalid"),
    ("CodeSystem/$validate-code?code=male", 400, "invalid"),
    ("CodeSystem/never/$validate-code?code=male", 404, "not-found"),
    ("ValueSet/$validate-code?url=http://nobody.example&code=a&system=b", 404, "not-found"),
    ("ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&code=a", 400, "invalid"),
    ("ValueSet/$validate-code?code=a&system=b", 400, "invalid"),
    ("ValueSet/$expand", 400, "invalid"),
    ("ValueSet/$expand?url=http://nobody.example", 404, "not-found"),
    ("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&count=-1", 400, "invalid"),
    ("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&count=many", 400, "invalid"),
    ("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&activeOnly=1", 400, "invalid"),
    ("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/condition-code", 404, "not-found"),  # SNOMED CT
    ("CodeSystem/$subsumes?codeA=a", 400, "invalid"),
    (f"CodeSystem/$subsumes?codeA=a&codeB=b&system={GENDER}", 404, "not-found"),
    ("ConceptMap/$translate?code=a", 400, "invalid"),
    ("ConceptMap/$translate?url=http://nobody.example&code=a&system=b", 404, "not-found"),
    ("Patient/$lookup?code=a", 404, "not-supported"),
    ("$expand?url=a", 404, "not-supported"),
]


async def test_what_cannot_be_answered_is_refused_with_a_reason(fhir: httpx.AsyncClient) -> None:
    for path, status, code in REFUSED_WITH_A_REASON:
        answer = await fhir.get(path)
        assert (answer.status_code, issue_of(answer)["code"]) == (status, code), answer.text
        assert issue_of(answer)["diagnostics"]


ANOTHER_SHAPE_ARE_REFUSED: list[Any] = [
    {"resourceType": "Patient"},
    {"resourceType": "Parameters", "parameter": [{"name": "coding"}]},
    {"resourceType": "Parameters", "parameter": [{"name": "coding", "valueString": "x"}]},
    {"resourceType": "Parameters", "parameter": [{"name": "coding", "valueCoding": {"system": "x"}}]},
    {"resourceType": "Parameters", "parameter": [{"valueString": "x"}]},
    {"resourceType": "Parameters", "parameter": 1},
]


async def test_parameters_of_another_shape_are_refused(fhir: httpx.AsyncClient) -> None:
    for body in ANOTHER_SHAPE_ARE_REFUSED:
        assert (await fhir.post("CodeSystem/$lookup", json=body)).status_code in {400, 422}, body


async def test_an_unknown_parameter_is_passed_over_or_refused_as_the_client_prefers(fhir: httpx.AsyncClient) -> None:
    params = {"system": GENDER, "code": "male", "colour": "red"}
    assert (await fhir.get("CodeSystem/$lookup", params=params)).status_code == 200
    strict = await fhir.get("CodeSystem/$lookup", params=params, headers={"Prefer": "handling=strict"})
    assert (strict.status_code, issue_of(strict)["expression"]) == (400, ["colour"])
