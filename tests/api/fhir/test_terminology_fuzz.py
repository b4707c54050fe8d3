"""Whatever is asked of the operations of terminology, the answer is one, or a refusal that says why; never a fault."""

from __future__ import annotations

import random
from typing import Any

import httpx

from tests.api.fhir.shop import FRUIT, FRUITS

NAMES = (
    "url", "code", "system", "version", "display", "coding", "codeableConcept", "valueSet", "codeSystem", "conceptMap",
    "filter", "offset", "count", "activeOnly", "displayLanguage", "property", "date", "abstract", "context", "reverse",
    "codeA", "codeB", "codingA", "codingB", "exclude-system", "system-version", "target", "targetsystem", "designation",
)  # fmt: skip
TEXTS = (
    "", " ", FRUIT, FRUITS, f"{FRUIT}|2", "|", "||", "lemon", "citrus", "true", "-1", "99999999999", "ko", "*;q=2",
    "2026-13-45", "%", "'; drop table resource; --", "../..", "레몬", "#Patient.gender", "#", "(", "\u202e",
)  # fmt: skip
PATHS: dict[str, dict[str, str]] = {
    "CodeSystem/$lookup": {"system": FRUIT, "code": "lemon"},
    "CodeSystem/fruit/$lookup": {"code": "lemon"},
    "CodeSystem/$validate-code": {"url": FRUIT, "code": "lemon"},
    "CodeSystem/fruit/$validate-code": {"code": "lemon"},
    "ValueSet/$validate-code": {"url": FRUITS, "system": FRUIT, "code": "lemon"},
    "ValueSet/fruits/$validate-code": {"system": FRUIT, "code": "lemon"},
    "ValueSet/$expand": {"url": FRUITS},
    "ValueSet/fruits/$expand": {},
    "CodeSystem/$subsumes": {"system": FRUIT, "codeA": "lemon", "codeB": "citrus"},
    "CodeSystem/fruit/$subsumes": {"codeA": "lemon", "codeB": "citrus"},
    "ConceptMap/$translate": {"system": FRUIT, "code": "lemon"},
    "ConceptMap/colours/$translate": {"system": FRUIT, "code": "lemon"},
}


def made(chance: random.Random, deep: int = 3) -> Any:
    """Something that a client may send in place of anything."""
    coding = {"system": chance.choice(TEXTS), "code": chance.choice(TEXTS)}
    simple: list[Any] = [
        chance.choice(TEXTS),
        chance.choice([0, 1, -5, 10**30, True, None]),
        coding,
        {"coding": [coding]},
    ]
    if deep == 0 or chance.random() < 0.5:
        return chance.choice(simple)
    condition = {name: chance.choice([*TEXTS, "is-a", "regex", "concept"]) for name in ("property", "op", "value")}
    include = (
        {"system": chance.choice(TEXTS), "filter": [condition]} if chance.random() < 0.7 else made(chance, deep - 1)
    )
    return {
        "resourceType": chance.choice(["ValueSet", "CodeSystem", "ConceptMap", "Patient", 3]),
        "status": "draft",
        "content": "complete",
        "url": chance.choice(TEXTS),
        "compose": {"include": [include, {"valueSet": [chance.choice(TEXTS)]}][: chance.randint(1, 2)]},
    }


def body(chance: random.Random) -> Any:
    if chance.random() < 0.2:
        return made(chance)
    kinds = ("valueString", "valueCode", "valueUri", "valueBoolean", "valueInteger", "valueCoding", "valueCodeableConcept", "resource", "part")  # fmt: skip  # noqa: E501
    listed = [{"name": chance.choice(NAMES), chance.choice(kinds): made(chance)} for _ in range(chance.randint(0, 4))]
    return {"resourceType": "Parameters", "parameter": listed}


async def test_no_question_is_a_fault(shop: httpx.AsyncClient) -> None:
    chance = random.Random(20261123)  # noqa: S311
    answered = 0
    for number in range(300):
        path = chance.choice([*PATHS])
        good = PATHS[path].items()
        params = [(name, chance.choice(TEXTS) if chance.random() < 0.2 else value) for name, value in good]
        params += [(chance.choice(NAMES), chance.choice(TEXTS)) for _ in range(chance.randint(0, 2))]
        if number % 2:
            answer = await shop.get(path, params=params)
        else:
            answer = await shop.post(path, params=params[:1], json=body(chance))
        assert answer.status_code < 500, (path, params, answer.text)
        assert answer.json()["resourceType"] in {"Parameters", "ValueSet", "OperationOutcome"}
        answered += answer.status_code == 200
    assert answered > 50  # and not all of them refusals
