"""The codes of a value set, in order and each once (hl7.org/fhir/R4/valueset-operation-expand.html).

Includes come in the order of the definition, their codes in that of the code system, so that pages are stable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.errors import NotFound, TooCostly
from domain.terminology.canonicals import Canonical
from domain.terminology.concepts import CodeSystem, Concept, folded
from domain.terminology.filters import candidates, predicate
from domain.terminology.library import Library
from domain.terminology.membership import DEEPEST, Verdict, contains, in_part
from domain.terminology.value_sets import Part, ValueSet

Json = Mapping[str, Any]

MOST_LOOKED_AT = 500_000
"""Concepts looked at for one expansion."""


@dataclass(frozen=True)
class Wanted:
    """text: words that must all stand in a code, its display or a designation.  without: systems left out."""

    text: str = ""
    active_only: bool = False
    without: tuple[Canonical, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A code of the set. `said`: what the value set itself says of it; `concept` where its system is known."""

    system: str
    version: str
    code: str
    said: Json
    known: CodeSystem | None
    concept: Concept | None

    @property
    def display(self) -> str:
        return str(self.said.get("display") or (self.concept.display if self.concept else ""))

    @property
    def designations(self) -> list[Json]:
        of_system = self.known.designations(self.concept) if self.known and self.concept else []
        return [*self.said.get("designation", ()), *of_system]

    @property
    def language(self) -> str:
        """The language of the display; empty where nobody says."""
        return self.known.language if self.known and not self.said.get("display") else ""

    @property
    def is_abstract(self) -> bool:
        if self.known is None or self.concept is None:
            return bool(self.said.get("abstract"))
        return self.concept.place in self.known.abstract

    @property
    def is_inactive(self) -> bool:
        if self.known is None or self.concept is None:
            return bool(self.said.get("inactive"))
        return self.concept.place in self.known.inactive


@dataclass(frozen=True)
class Expanded:
    """`used`: the code systems with their versions that it rests on."""

    members: list[Member]
    used: list[Canonical]


def expand(library: Library, value_set: ValueSet, wanted: Wanted = Wanted()) -> Expanded:
    """Every code of the set that is wanted.

    Raises NotFound for a code system or value set that nobody knows, TooCostly, Invalid for unusable filters.
    """
    expanding = _Expanding(library, tuple(folded(wanted.text).split()))
    found: dict[tuple[str, str], Member] = {}
    for each in expanding.of_set(value_set, wanted.active_only):
        if wanted.without and _left_out(each, wanted.without):
            continue
        found.setdefault((each.system, each.code), each)
    return Expanded(list(found.values()), list(expanding.used))


@dataclass
class _Expanding:
    library: Library
    words: tuple[str, ...]
    within: tuple[str, ...] = ()
    looked_at: int = 0
    used: dict[Canonical, None] = field(default_factory=dict)

    def of_set(self, value_set: ValueSet, active_only: bool) -> Iterator[Member]:
        if value_set.given is not None:
            yield from self.given(value_set.given)
            return
        active = active_only or not value_set.inactive
        for part in value_set.includes:
            if not value_set.excludes:
                yield from self.of_part(part, active)
                continue
            for each in self.of_part(part, active):
                if not any(self.is_in(excluded, each) for excluded in value_set.excludes):
                    yield each

    def of_part(self, part: Part, active: bool) -> Iterator[Member]:
        imports = list(part.value_sets)
        if not part.system and not imports:
            return
        listed = self.of_system(part) if part.system else self.imported(imports.pop(0), active)
        others = [self.known_set(url) for url in imports]
        if not active and not others:
            yield from listed
            return
        for each in listed:
            if active and each.is_inactive:
                continue
            if all(self.sure(contains(self.library, other, each.system, each.code)) for other in others):
                yield each

    def of_system(self, part: Part) -> Iterator[Member]:
        canonical = Canonical(part.system, part.version)
        known = self.library.code_system(canonical)
        if part.concepts is not None:
            version = known.version if known else part.version
            self.used[Canonical(part.system, version)] = None
            for code, said in part.concepts.items():
                concept = known.find(code) if known else None
                if self.speaks(known, concept, code, said):
                    yield Member(part.system, version, concept.code if concept else code, said, known, concept)
            return
        if known is None or not known.is_here:
            raise NotFound(f"the code system {canonical} is not known here, so the value set cannot be expanded")
        self.used[known.canonical] = None
        if not part.filters and not self.words:
            self.look_at(len(known.concepts))
            yield from (Member(known.url, known.version, each.code, {}, known, each) for each in known.concepts)
            return
        tests = [predicate(known, each) for each in part.filters]
        for concept in candidates(known, part.filters):
            if self.speaks(known, concept, concept.code, {}) and all(test(concept) for test in tests):
                yield Member(known.url, known.version, concept.code, {}, known, concept)

    def imported(self, url: str, active: bool) -> Iterator[Member]:
        if url in self.within:
            raise NotFound(f"the value set {url} imports itself, so it has no expansion")
        if len(self.within) >= DEEPEST:
            raise TooCostly("value sets import each other too deeply", limit=str(DEEPEST))
        outer, self.within = self.within, (*self.within, url)
        yield from self.of_set(self.known_set(url), active)
        self.within = outer

    def given(self, listed: Sequence[Json]) -> Iterator[Member]:
        for said in listed:
            system, version, code = (str(said.get(name, "")) for name in ("system", "version", "code"))
            known = self.library.code_system(Canonical(system, version))
            concept = known.find(code) if known else None
            if self.speaks(known, concept, code, said):
                yield Member(system, version, code, said, known, concept)

    def speaks(self, known: CodeSystem | None, concept: Concept | None, code: str, said: Json) -> bool:
        """Whether all the words of the filter stand in what is said of a code."""
        self.look_at(1)
        if not self.words:
            return True
        text = known.search_text(concept.place) if known and concept else folded(code)
        if said:
            names = [str(each.get("value", "")) for each in said.get("designation", ())]
            text = "\n".join([text, folded("\n".join([str(said.get("display", "")), *names]))])
        return all(word in text for word in self.words)

    def look_at(self, number: int) -> None:
        self.looked_at += number
        if self.looked_at > MOST_LOOKED_AT:
            raise TooCostly("too many concepts to look at for one expansion", limit=str(MOST_LOOKED_AT))

    def known_set(self, url: str) -> ValueSet:
        found = self.library.value_set(Canonical.of(url))
        if found is None:
            raise NotFound(f"the value set {url} is not known here, so what imports it cannot be expanded")
        return found

    def is_in(self, part: Part, member: Member) -> bool:
        return self.sure(in_part(self.library, part, member.system, member.code))

    @staticmethod
    def sure(verdict: Verdict) -> bool:
        if verdict.inside is None:
            raise NotFound(f"{verdict.unknown}, so the value set cannot be expanded")
        return verdict.inside


def _left_out(member: Member, without: tuple[Canonical, ...]) -> bool:
    return any(each.url == member.system and each.version in {"", member.version} for each in without)
