"""A value of a resource as rows of its search table, by the kind of parameter that reads it.

hl7.org/fhir/R4/search.html#string, #token, #reference, #quantity, #uri.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from domain import resident_numbers, ucum
from store.search.keyed import Hash, hashed, target_key
from store.search.normal import normal
from store.search.scaled import HIGHEST, LOWEST, scaled

UCUM = "http://unitsofmeasure.org"
ISO_4217 = "urn:iso:std:iso:4217"
NOTHING_TO_FIND = "?"
"""Stands for a value without anything to search by, so that `:missing` knows that it is there."""

_RELATIVE = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")
_LONGEST_URI = 1000
_NUMBER = len("900101-1234567")
_CODING = ("system", "code")
_TOKEN_OF = {"ContactPoint": ("use", "value"), "Identifier": ("system", "value")}

StringRow = tuple[str, int]
TokenRow = tuple[int, int]
ReferenceRow = tuple[str, str]
QuantityRow = tuple[int, int, int]


def strings(value: Any) -> list[str]:
    """The texts of a value as written: each part of a name or an address by itself."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if not isinstance(value, dict):
        return []
    parts = (value.get(name) for name in (_ADDRESS_PARTS if _is_address(value) else _NAME_PARTS))
    listed = (each for part in parts for each in (part if isinstance(part, list) else (part,)))
    return [each for each in listed if isinstance(each, str) and each.strip()]


def _is_address(value: dict[str, Any]) -> bool:
    return "family" not in value and "given" not in value and any(name in value for name in _ADDRESS_PARTS[1:])


def string_rows(value: Any) -> list[StringRow]:
    """Resident registration numbers stay out, whatever text they stand in: this index can be read."""
    return [(normal(each), hashed(each)) for each in map(resident_numbers.masked_text, strings(value))]


def uri_rows(value: Any) -> list[StringRow]:
    """A canonical is found with and without its version."""
    if not isinstance(value, str) or not value:
        return []
    bare, bar, _ = value.partition("|")
    return [(uri_key(value), 0), (uri_key(bare), 0)] if bar else [(uri_key(value), 0)]


def uri_key(uri: str) -> str:
    """The URI, or of one too long for an index its beginning and a hash."""
    return uri if len(uri) <= _LONGEST_URI else f"{uri[:_LONGEST_URI]}#{target_key(uri).hex}"


def code_key(code: str) -> str:
    """Whether case matters only a code system knows; R4 asks to ignore it in doubt."""
    if len(code) == _NUMBER and resident_numbers.parse(code) is not None:
        code = code.replace("-", "")  # found with and without its hyphen
    return f"c{code.lower() if code.isascii() else code.casefold()}"


def codings(value: Any, fhir_type: str) -> list[tuple[str, str]]:
    """(system, code) pairs of a value, `""` for none."""
    if not isinstance(value, dict):
        if isinstance(value, str):
            return [("", value)]
        if isinstance(value, bool):
            return [("", "true" if value else "false")]
        return [("", str(value))] if isinstance(value, int) else []
    if fhir_type == "CodeableConcept":
        listed = value.get("coding")
        return [pair for each in listed for pair in codings(each, "Coding")] if isinstance(listed, list) else []
    first, second = _TOKEN_OF.get(fhir_type, _CODING)
    return _pair(value.get(first), value.get(second))


def _pair(system: Any, code: Any) -> list[tuple[str, str]]:
    if not isinstance(code, str) and not isinstance(system, str):
        return []
    return [(system if isinstance(system, str) else "", code if isinstance(code, str) else "")]


def token_rows(value: Any, fhir_type: str, hash_: Hash) -> list[TokenRow]:
    found = [
        (hash_(code_key(code)) if code else 0, hash_(f"s{system}") if system else 0)
        for system, code in codings(value, fhir_type)
    ]
    return found or [(0, 0)]


def of_type_key(system: str, code: str, value: str) -> str:
    return f"t{system}\n{code_key(code)}\n{code_key(value)}"


def of_type_rows(value: Any, hash_: Hash) -> list[TokenRow]:
    """An Identifier by the codes of its type and its value (hl7.org/fhir/R4/search.html#modifiers, `:of-type`)."""
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        return []
    kinds = codings(value.get("type"), "CodeableConcept")
    return [(hash_(of_type_key(system, code, value["value"])), 0) for system, code in kinds]


def target(value: Any) -> str | None:
    """What a Reference, canonical or contained resource points at: `Type/id` without a version, a URL, a URN."""
    if isinstance(value, dict):
        if "resourceType" in value:
            return f"{value['resourceType']}/{value['id']}" if isinstance(value.get("id"), str) else None
        value = value.get("reference")
    if not isinstance(value, str) or not value or value.startswith("#"):
        return None
    relative = _RELATIVE.fullmatch(value)
    return f"{relative[1]}/{relative[2]}" if relative else value


def type_of_target(reference: str) -> str:
    """The resource type that a reference names, also at the end of a URL; '' for a URN."""
    parts = reference.split("/_history/", 1)[0].rsplit("/", 2)
    kind = parts[-2] if len(parts) > 1 else ""
    return kind if kind[:1].isupper() and kind.isalpha() else ""


def reference_rows(value: Any) -> Sequence[ReferenceRow]:
    found = target(value)
    if found is None:
        absent = isinstance(value, dict) and "identifier" in value
        return [(target_key(NOTHING_TO_FIND).hex, "")] if absent else []
    return _rows_of_target(found)


@lru_cache(maxsize=16384)
def _rows_of_target(found: str) -> tuple[ReferenceRow, ...]:
    rows = [(target_key(found).hex, type_of_target(found))]
    if "|" in found:
        rows.append((target_key(found.partition("|")[0]).hex, ""))
    return tuple(rows)


def quantity_rows(value: Any) -> list[QuantityRow]:
    """(unit, low, high): the number alone, in its own unit's name, and in the canonical unit where UCUM knows it."""
    if isinstance(value, dict) and ("low" in value or "high" in value):
        return _range_rows(value)
    if isinstance(value, dict) and "origin" in value:  # SampledData: between its limits
        return _sampled_rows(value)
    if not isinstance(value, dict):
        number = decimal(value)
        return [(0, scaled(number), scaled(number))] if number is not None else []
    number = decimal(value.get("value"))
    if number is None:
        return []
    comparator = str(value.get("comparator", ""))
    return [(unit, *_compared(_scaled(amount), comparator)) for unit, amount in in_units(number, value)]


_scaled = lru_cache(maxsize=4096)(scaled)
"""Measurements repeat: a temperature is one of a few dozen numbers."""


def in_units(number: Decimal, quantity: dict[str, Any]) -> list[tuple[int, Decimal]]:
    """A number by each unit that it can be found in."""
    system, code = quantity.get("system"), quantity.get("code")
    if "currency" in quantity:
        system, code = ISO_4217, quantity["currency"]
    found = [(0, number)]
    if isinstance(code, str) and code:
        canonical = canonical_unit(number, code) if system == UCUM else None
        found.append(canonical or (unit_key(str(system or ""), code), number))
        if canonical is None:
            found.append((unit_key("", code), number))
    unit = quantity.get("unit")
    if isinstance(unit, str) and unit and unit != code:
        found.append((unit_key("", unit), number))
    return found


def canonical_unit(number: Decimal, code: str) -> tuple[int, Decimal] | None:
    """The hash of a dimension and the amount in its base units; None for a code that UCUM does not know."""
    found = ucum.canonical(number, code)
    return (hashed(f"dimension:{found.dimension!r}"), found.value) if found else None


def unit_key(system: str, code: str) -> int:
    return hashed(f"unit:{system}|{code}")


def decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    return number if number.is_finite() else None


def _compared(at: int, comparator: str) -> tuple[int, int]:
    if comparator.startswith("<"):
        return LOWEST, at
    return (at, HIGHEST) if comparator.startswith(">") else (at, at)


def _range_rows(value: dict[str, Any]) -> list[QuantityRow]:
    low = {unit: at for unit, at, _ in quantity_rows(value.get("low"))}
    high = {unit: at for unit, _, at in quantity_rows(value.get("high"))}
    return [(unit, low.get(unit, LOWEST), high.get(unit, HIGHEST)) for unit in low.keys() | high.keys()]


def _sampled_rows(value: dict[str, Any]) -> list[QuantityRow]:
    origin = value.get("origin")
    limits = {
        name: {**origin, "value": value[limit]}
        for name, limit in (("low", "lowerLimit"), ("high", "upperLimit"))
        if isinstance(origin, dict) and limit in value
    }
    return _range_rows(limits) if limits else []
