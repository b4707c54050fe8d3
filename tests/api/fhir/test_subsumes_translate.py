"""$subsumes and $translate."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.fhir.shop import FRUIT, GENDER, MAP, parameters, read

ONE_CODE_INCLUDES_ANOTHER: list[Any] = [
    ("citrus", "lemon", "subsumes"),
    ("lemon", "citrus", "subsumed-by"),
    ("lemon", "lemon", "equivalent"),
    ("lemon", "apple", "not-subsumed"),
]


async def test_one_code_includes_another(shop: httpx.AsyncClient) -> None:
    for first, second, outcome in ONE_CODE_INCLUDES_ANOTHER:
        params = {"codeA": first, "codeB": second}
        told = read(await shop.get("CodeSystem/$subsumes", params={"system": FRUIT, **params}))
        assert told["outcome"] == [outcome]
        assert read(await shop.get("CodeSystem/fruit/$subsumes", params=params))["outcome"] == [outcome]
        body = parameters(codingA={"system": FRUIT, "code": first}, codingB={"system": FRUIT, "code": second})
        assert read(await shop.post("CodeSystem/$subsumes", json=body))["outcome"] == [outcome]


A_CODE_IS_TRANSLATED: list[Any] = [
    ({"code": "lemon", "system": FRUIT}, True, [("wider", "yellow")]),
    ({"code": "apple", "system": FRUIT}, False, [("unmatched", None)]),
    ({"code": "lime", "system": FRUIT}, True, [("inexact", "grey")]),
    ({"code": "yellow", "system": "http://example.org/colour", "reverse": "true"}, True, [("narrower", "lemon")]),
    ({"code": "lemon", "system": FRUIT, "targetsystem": "http://nobody.example"}, False, []),
]


async def test_a_code_is_translated(shop: httpx.AsyncClient) -> None:
    for asked, result, matches in A_CODE_IS_TRANSLATED:
        for path, params in (
            ("ConceptMap/$translate", {"url": MAP}),
            ("ConceptMap/colours/$translate", {}),
            ("ConceptMap/$translate", {}),
        ):
            told = read(await shop.get(path, params={**params, **asked}))
            found = [
                (each["equivalence"][0], each["concept"][0]["code"] if "concept" in each else None)
                for each in told.get("match", [])
            ]
            assert (told["result"], found) == ([result], matches)


async def test_hl7s_maps_translate_too(fhir: httpx.AsyncClient) -> None:
    told = read(
        await fhir.get(
            "ConceptMap/$translate",
            params={
                "url": "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3",
                "system": GENDER,
                "code": "male",
            },
        )
    )
    assert told["match"][0]["concept"][0]["code"] == "M"
