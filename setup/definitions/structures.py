"""StructureDefinitions of types become one compact entry a type; those of profiles are kept, without their prose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
SIMPLE_QUANTITY = DEFINITION + "SimpleQuantity"
KINDS = {"resource", "complex-type", "primitive-type"}
EVERYWHERE = "ele-1"  # stands on every element; kept for types only
# What a validator of profiles reads of an element; the rest is prose.
PROFILE_ELEMENT = {
    "id", "path", "sliceName", "slicing", "min", "max", "type", "contentReference", "constraint", "binding",
}  # fmt: skip
PROFILE_VALUES = ("fixed", "pattern", "minValue", "maxValue", "maxLength")
PROFILE = ("id", "url", "version", "name", "title", "kind", "abstract", "type", "baseDefinition", "context")


def compile_all(resources: list[dict[str, Any]]) -> dict[str, object]:
    definitions = [each for each in resources if each["resourceType"] == "StructureDefinition"]
    definitions = [each for each in definitions if each["kind"] in KINDS]
    types = [each for each in definitions if each.get("derivation") != "constraint"]
    # its two examples come without a snapshot
    profiles = [each for each in definitions if each.get("derivation") == "constraint" and "snapshot" in each]
    table: dict[str, object] = {f"type/{each['type']}": structure(each) for each in types}
    table["types"] = {each["type"]: [each["kind"], parent(each), each["abstract"]] for each in types}
    for each in profiles:
        table[f"profile/{each['url']}"] = profile(each)
    return table


def parent(definition: dict[str, Any]) -> str:
    return str(definition.get("baseDefinition", "")).removeprefix(DEFINITION)


def structure(definition: dict[str, Any]) -> dict[str, object]:
    """`elements`: rows as `domain.fhir.elements` unpacks them; `rules` by key; `on`: path → keys."""
    listed = definition["snapshot"]["element"]
    if definition["kind"] == "primitive-type":
        listed = [each for each in listed if not each["path"].endswith(".value")]
    rules: dict[str, list[str]] = {}
    where: dict[str, list[str]] = {}
    for element in listed:
        keys = []
        for rule in element.get("constraint", ()):
            if rule["key"] == EVERYWHERE and "." in element["path"]:
                continue
            rules[rule["key"]] = [rule["severity"], rule["human"], rule.get("expression", "")]
            keys.append(rule["key"])
        if keys:
            where[element["path"].removesuffix("[x]")] = keys
    of_resource = definition["kind"] == "resource"
    return {"elements": [row(each, of_resource) for each in listed], "rules": rules, "on": where}


def row(element: dict[str, Any], of_resource: bool) -> list[object]:
    kinds = element.get("type", ())
    flags = "".join(letter for letter, name in (("s", "isSummary"), ("m", "isModifier")) if element.get(name))
    if any(SIMPLE_QUANTITY in each.get("profile", ()) for each in kinds):
        flags += "q"
    return [
        element["path"],
        [type_code(each, element["path"], of_resource) for each in kinds],
        element["min"],
        element["max"],
        flags,
        binding(element.get("binding")),
        targets(kinds),
        element.get("contentReference", "").removeprefix("#"),
    ]


def type_code(declared: dict[str, Any], path: str, of_resource: bool) -> str:
    """FHIR's name of a type. A few are written as types of FHIRPath, with FHIR's name in an extension."""
    code = str(declared["code"])
    if not code.startswith("http:"):
        return code
    if of_resource and path.count(".") == 1 and path.endswith(".id"):
        return "id"  # 4.0.1 says `string` here and means what its text says: an id
    named = (str(each["valueUrl"]) for each in declared.get("extension", ()) if each["url"] == FHIR_TYPE)
    return next(named, "string")


def binding(declared: dict[str, Any] | None) -> list[str] | None:
    if not declared or "valueSet" not in declared:
        return None
    return [declared["strength"], declared["valueSet"].partition("|")[0]]


def targets(kinds: Iterable[dict[str, Any]]) -> list[str]:
    """What a Reference or a canonical may point at; empty for anything."""
    named = {url.removeprefix(DEFINITION) for each in kinds for url in each.get("targetProfile", ())}
    return [] if "Resource" in named else sorted(named)


def profile(definition: dict[str, Any]) -> dict[str, object]:
    kept: dict[str, object] = {name: definition[name] for name in PROFILE if name in definition}
    kept["resourceType"] = "StructureDefinition"
    kept["snapshot"] = {"element": [profile_element(each) for each in definition["snapshot"]["element"]]}
    return kept


def profile_element(element: dict[str, Any]) -> dict[str, Any]:
    wanted = (name for name in element if name in PROFILE_ELEMENT or name.startswith(PROFILE_VALUES))
    return {name: element[name] for name in wanted}
