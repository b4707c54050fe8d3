"""A shop's own terminology, fruits and their colours, and answers of Parameters as values."""

from __future__ import annotations

from typing import Any

import httpx

Json = dict[str, Any]

GENDER = "http://hl7.org/fhir/administrative-gender"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
FRUIT = "http://example.org/fruit"
FRUITS = "http://example.org/vs/fruits"
HL7 = "http://hl7.org/fhir"
MAP = "http://example.org/map"


def named(language: str, value: str) -> Json:
    return {"language": language, "value": value}


FRUIT_SYSTEM: Json = {
    "resourceType": "CodeSystem",
    "id": "fruit",
    "url": FRUIT,
    "version": "2",
    "name": "Fruit",
    "status": "active",
    "content": "complete",
    "caseSensitive": True,
    "language": "en",
    "property": [
        {"code": "peel", "type": "boolean", "description": "whether one peels it"},
        {"code": "gone", "type": "boolean", "uri": "http://hl7.org/fhir/concept-properties#inactive"},
        {"code": "group", "type": "boolean", "uri": "http://hl7.org/fhir/concept-properties#notSelectable"},
    ],
    "concept": [
        {
            "code": "citrus",
            "display": "Citrus fruit",
            "property": [{"code": "group", "valueBoolean": True}],
            "concept": [
                {
                    "code": "lemon",
                    "display": "Lemon",
                    "definition": "Sour and yellow",
                    "designation": [named("ko", "레몬"), named("de", "Zitrone")],
                    "property": [{"code": "peel", "valueBoolean": True}],
                },
                {"code": "lime", "display": "Lime", "property": [{"code": "gone", "valueBoolean": True}]},
            ],
        },
        {"code": "apple", "display": "Apple", "designation": [named("ko", "사과")]},
    ],
}
KOREAN: Json = {
    "resourceType": "CodeSystem",
    "id": "fruit-ko",
    "url": "http://example.org/fruit-ko",
    "status": "active",
    "content": "supplement",
    "supplements": FRUIT,
    "language": "ko",
    "concept": [{"code": "lime", "designation": [named("ko-KR", "라임")]}, {"code": "citrus", "display": "감귤류"}],
}
FRUIT_SET: Json = {
    "resourceType": "ValueSet",
    "id": "fruits",
    "url": FRUITS,
    "version": "1",
    "status": "active",
    "compose": {
        "include": [{"system": FRUIT, "filter": [{"property": "concept", "op": "is-a", "value": "citrus"}]}],
        "exclude": [{"system": FRUIT, "concept": [{"code": "lime"}]}],
    },
}
TO_COLOUR: Json = {
    "resourceType": "ConceptMap",
    "id": "colours",
    "url": MAP,
    "status": "active",
    "sourceUri": FRUITS,
    "targetUri": "http://example.org/vs/colours",
    "group": [
        {
            "source": FRUIT,
            "target": "http://example.org/colour",
            "element": [
                {"code": "lemon", "target": [{"code": "yellow", "display": "Yellow", "equivalence": "wider"}]},
                {"code": "apple", "target": [{"equivalence": "unmatched"}]},
            ],
            "unmapped": {"mode": "fixed", "code": "grey", "display": "Grey"},
        }
    ],
}


def composed(*include: Json) -> Json:
    """A value set without a name."""
    return {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [*include]}}


def read(answer: httpx.Response) -> dict[str, list[Any]]:
    """Parameters by name: values, or parts again."""
    assert answer.status_code == 200, answer.text

    def of(listed: list[Json]) -> dict[str, list[Any]]:
        made: dict[str, list[Any]] = {}
        for each in listed:
            value = of(each["part"]) if "part" in each else next(v for k, v in each.items() if k.startswith("value"))
            made.setdefault(each["name"], []).append(value)
        return made

    body = answer.json()
    assert body["resourceType"] == "Parameters"
    return of(body["parameter"])


def codes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["code"] for each in answer.json()["expansion"].get("contains", [])]


def parameters(**values: Any) -> Json:
    def one(name: str, value: Any) -> Json:
        if isinstance(value, dict) and "resourceType" in value:
            return {"name": name, "resource": value}
        if isinstance(value, bool):
            return {"name": name, "valueBoolean": value}
        if isinstance(value, dict):
            return {"name": name, "valueCodeableConcept" if "coding" in value else "valueCoding": value}
        kind = {"url": "valueUri", "system": "valueUri", "code": "valueCode"}.get(name, "valueString")
        return {"name": name, kind: value}

    return {"resourceType": "Parameters", "parameter": [one(name, value) for name, value in values.items()]}
