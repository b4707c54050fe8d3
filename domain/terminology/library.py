"""Where questions find code systems, value sets and concept maps by their canonical URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from domain.errors import Invalid
from domain.fhir import terminology as hl7
from domain.terminology.canonicals import Canonical, newest
from domain.terminology.concept_maps import ConceptMap
from domain.terminology.concepts import CodeSystem
from domain.terminology.value_sets import Part, ValueSet


class Library(Protocol):
    """None for what nobody knows. A version that is not named means the newest."""

    def code_system(self, canonical: Canonical) -> CodeSystem | None: ...
    def value_set(self, canonical: Canonical) -> ValueSet | None: ...
    def concept_maps(self, canonical: Canonical | None) -> Sequence[ConceptMap]: ...


@lru_cache(maxsize=256)
def hl7_code_systems(url: str) -> tuple[CodeSystem, ...]:
    return tuple(CodeSystem.of(each) for each in hl7.published("CodeSystem", url))


@lru_cache(maxsize=512)
def hl7_value_sets(url: str) -> tuple[ValueSet, ...]:
    return tuple(_of_one_release(ValueSet.of(each)) for each in hl7.published("ValueSet", url))


def _of_one_release(value_set: ValueSet) -> ValueSet:
    """R4's `task-code` names a version of its code system that R4 does not bring: the one it brings is meant."""

    def settled(part: Part) -> Part:
        there = hl7_code_systems(part.system) if part.version else ()
        return replace(part, version="") if there and newest(there, part.version) is None else part

    includes, excludes = map(settled, value_set.includes), map(settled, value_set.excludes)
    return replace(value_set, includes=list(includes), excludes=list(excludes))


@lru_cache(maxsize=256)
def hl7_concept_maps(url: str) -> tuple[ConceptMap, ...]:
    return tuple(ConceptMap.of(each) for each in hl7.published("ConceptMap", url))


@dataclass(frozen=True)
class Shelves:
    """What a hospital keeps, by URL, before HL7's own; `systems` hold the supplements that add to them.

    A hospital's thing is taken before HL7's of the same URL unless it comes without content, or HL7's alone is of the
    version that is asked for.
    """

    systems: Mapping[str, Sequence[CodeSystem]] = field(default_factory=dict)
    sets: Mapping[str, Sequence[ValueSet]] = field(default_factory=dict)
    maps: Sequence[ConceptMap] = ()
    supplements: Mapping[str, Sequence[CodeSystem]] = field(default_factory=dict)

    def code_system(self, canonical: Canonical) -> CodeSystem | None:
        own = [each for each in self.systems.get(canonical.url, ()) if each.is_here]
        found = newest(own, canonical.version) or newest(hl7_code_systems(canonical.url), canonical.version)
        if found is None:
            return newest(self.systems.get(canonical.url, ()), canonical.version)
        more = [each for each in self.supplements.get(canonical.url, ()) if _is_for(each, found)]
        return found.with_supplements(more)

    def value_set(self, canonical: Canonical) -> ValueSet | None:
        own = newest(self.sets.get(canonical.url, ()), canonical.version)
        return own or newest(hl7_value_sets(canonical.url), canonical.version)

    def concept_maps(self, canonical: Canonical | None) -> Sequence[ConceptMap]:
        """The map of a URL; without one all that the hospital keeps."""
        if canonical is None:
            return self.maps
        own = newest([each for each in self.maps if each.url == canonical.url], canonical.version)
        found = own or newest(hl7_concept_maps(canonical.url), canonical.version)
        return [found] if found else []

    @property
    def weight(self) -> int:
        """Roughly how much there is to look at, in concepts."""
        systems = sum(each.weight for listed in self.systems.values() for each in listed)
        return systems + sum(each.weight for listed in self.sets.values() for each in listed)

    def beside(self, *, value_set: ValueSet | None = None, code_system: CodeSystem | None = None) -> Shelves:
        """With one that came along with the question."""
        shelves = self
        if value_set is not None and value_set.url:
            shelves = replace(shelves, sets={**shelves.sets, value_set.url: [value_set]})
        if code_system is not None and code_system.url:
            shelves = replace(shelves, systems={**shelves.systems, code_system.url: [code_system]})
        return shelves


def _is_for(supplement: CodeSystem, system: CodeSystem) -> bool:
    named = Canonical.of(str(supplement.meta.get("supplements", "")))
    return named.url == system.url and named.version in {"", system.version}


@dataclass(frozen=True)
class Pinned:
    """A library in which code systems come in certain versions, as `$expand` may ask.

    default: where a definition names no version.  forced: whatever it names.  checked: no other may be used.
    """

    library: Library
    default: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)
    checked: Mapping[str, str] = field(default_factory=dict)

    def code_system(self, canonical: Canonical) -> CodeSystem | None:
        """Raises Invalid where the definition names another version than the one to be checked for."""
        url, version = canonical
        version = self.forced.get(url) or version or self.default.get(url, "") or self.checked.get(url, "")
        wanted = self.checked.get(url, version)
        if wanted != version:
            raise Invalid(f"the value set uses version {version} of {url}", field="check-system-version")
        return self.library.code_system(Canonical(url, version))

    def value_set(self, canonical: Canonical) -> ValueSet | None:
        return self.library.value_set(canonical)

    def concept_maps(self, canonical: Canonical | None) -> Sequence[ConceptMap]:
        return self.library.concept_maps(canonical)
