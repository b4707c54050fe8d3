"""A value set compiled to be asked: what it includes and excludes (hl7.org/fhir/R4/valueset.html#compositions)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.terminology.canonicals import Canonical

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One include or exclude: concepts of a system that are in all of the value sets, too.

    concepts: code → what the value set says of it, None where the system is taken whole or by filters.
    """

    system: str
    version: str
    concepts: Mapping[str, Json] | None
    filters: Sequence[Json]
    value_sets: Sequence[str]


@dataclass(frozen=True)
class ValueSet:
    """`inactive`: whether codes that are out of use belong to it. `given`: an expansion, where nothing defines it.

    meta: the resource without narrative and expansion.
    """

    url: str
    version: str
    status: str
    date: str
    language: str
    meta: Json
    includes: Sequence[Part]
    excludes: Sequence[Part]
    inactive: bool = True
    given: Sequence[Json] | None = None

    @classmethod
    def of(cls, resource: Json) -> ValueSet:
        """Compile a ValueSet of R4 whose structure is right."""
        compose = resource.get("compose")
        expansion = resource.get("expansion", {})
        return cls(
            url=str(resource.get("url", "")),
            version=str(resource.get("version", "")),
            status=str(resource.get("status", "")),
            date=str(resource.get("date", "")),
            language=str(resource.get("language", "")),
            meta={name: value for name, value in resource.items() if name not in {"text", "expansion"}},
            includes=[_part(each) for each in (compose or {}).get("include", ())],
            excludes=[_part(each) for each in (compose or {}).get("exclude", ())],
            inactive=(compose or {}).get("inactive") is not False,
            given=[*_flat(expansion.get("contains", ()))] if compose is None and expansion else None,
        )

    @property
    def canonical(self) -> Canonical:
        return Canonical(self.url, self.version)

    @property
    def parts(self) -> Iterator[Part]:
        yield from self.includes
        yield from self.excludes

    @property
    def weight(self) -> int:
        return 1 + len(self.given or ()) + sum(len(each.concepts or ()) for each in self.parts)


def _part(part: Json) -> Part:
    listed = part.get("concept")
    return Part(
        system=str(part.get("system", "")),
        version=str(part.get("version", "")),
        concepts=None if listed is None else {str(each.get("code", "")): each for each in listed},
        filters=part.get("filter", ()),
        value_sets=part.get("valueSet", ()),
    )


def _flat(contains: Sequence[Json]) -> Iterator[Json]:
    for each in contains:
        if "code" in each:
            yield each
        yield from _flat(each.get("contains", ()))
