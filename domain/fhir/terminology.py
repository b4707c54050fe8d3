"""The code systems and value sets that come with R4, HL7 v2 and v3 tables included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from domain.fhir import tables


@lru_cache(maxsize=1024)
def value_set_codes(url: str) -> Mapping[str, frozenset[str]] | None:
    """System → codes of a value set; None where it is unknown or cannot be enumerated (SNOMED CT, LOINC, UCUM, BCP 13).

    Every required binding can, but those to UCUM, currencies, MIME types and one LOINC answer list.
    """
    listed = tables.entry("expansions", url.partition("|")[0])
    return None if listed is None else MappingProxyType({system: frozenset(codes) for system, codes in listed.items()})


def iter_terminology() -> Iterator[dict[str, Any]]:
    """Each CodeSystem and ValueSet as HL7 publishes it, without its narrative."""
    for name in tables.names("terminology"):
        yield tables.entry("terminology", name)


@cache
def _canonicals() -> Mapping[str, Sequence[str]]:
    """`Type url` → the entries that define it."""
    return MappingProxyType(tables.entry("canonicals", "index"))


def published(resource_type: str, url: str) -> list[dict[str, Any]]:
    """HL7's CodeSystem, ValueSet or ConceptMap with a URL, decoded anew each time; none where HL7 has none."""
    found = _canonicals().get(f"{resource_type} {url}", ())
    table: tables.Table = "maps" if resource_type == "ConceptMap" else "terminology"
    return [tables.entry(table, name) for name in found]


def published_urls(resource_type: str) -> list[str]:
    """The URLs of all that HL7 publishes of a type."""
    prefix = f"{resource_type} "
    return [key.removeprefix(prefix) for key in _canonicals() if key.startswith(prefix)]
