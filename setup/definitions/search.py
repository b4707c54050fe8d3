"""SearchParameters become one entry a resource type, each with the part of its expression that concerns the type."""

from __future__ import annotations

import re
from typing import Any

PARAMETERS = 1375  # as published with R4 4.0.1


def compile_all(resources: list[dict[str, Any]]) -> dict[str, object]:
    published = [each for each in resources if each["resourceType"] == "SearchParameter" and is_published(each)]
    if len(published) != PARAMETERS:
        raise SystemExit(f"{len(published)} search parameters instead of the {PARAMETERS} of R4 4.0.1")
    table: dict[str, object] = {}
    for base in sorted({base for each in published for base in each["base"]}):
        rows = [row(each, base) for each in published if base in each["base"]]
        table[f"parameters/{base}"] = sorted(rows, key=lambda columns: str(columns[0]))
    for each in resources:
        if each["resourceType"] == "CompartmentDefinition" and each["id"] != "example":
            table[f"compartment/{each['code']}"] = {
                member["code"]: member["param"] for member in each["resource"] if member.get("param")
            }
    return table


def is_published(parameter: dict[str, Any]) -> bool:
    """Whether HL7 lists it among R4's parameters: not its examples, those of extensions, nor `_filter`."""
    return not parameter["experimental"] and parameter["id"] != "filter"


def row(parameter: dict[str, Any], base: str) -> list[object]:
    components = [[each["definition"], each["expression"]] for each in parameter.get("component", ())]
    return [
        parameter["code"],
        parameter["type"],
        expression_for(parameter.get("expression", ""), base),
        sorted(set(parameter.get("target", ()))),
        components,
        parameter["url"],
    ]


def expression_for(expression: str, base: str) -> str:
    """The alternatives of an expression that begin with the type; all of it when none names a type."""
    parts = alternatives(expression)
    own = [part for part in parts if re.match(rf"\(*{base}\b", part)]
    return " | ".join(own) if own else expression


def alternatives(expression: str) -> list[str]:
    """What stands between the `|` of the outermost level."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(expression):
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            parts.append(expression[start:position].strip())
            start = position + 1
    return [*parts, expression[start:].strip()]
