"""The profiles that a resource is validated against, HL7's and the hospital's, and the value sets that they bind to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain import fhir
from domain.terminology import Canonical, Shelves, contains, newest
from store.terminology import Profile, Terminology

R4 = frozenset({"", "4.0", "4.0.1"})
"""Versions that HL7's own definitions are known by here."""


@dataclass(frozen=True)
class Profiles:
    """What was found of a hospital's profiles; HL7's are always there. A hospital's goes first."""

    kept: Mapping[str, list[Profile]]
    shelves: Shelves

    @classmethod
    async def named(cls, found: Terminology, urls: Iterable[str]) -> Profiles:
        """Look up profiles by canonical URL, with what they are derived from, ask for and bind to."""
        hl7s = [definition for url in urls if (definition := fhir.profile(url)) is not None]
        await found.find(*urls, *(bound for each in hl7s for bound in _bound(each)))
        kept: dict[str, list[Profile]] = {}
        for each in found.profiles:
            kept.setdefault(each.url, []).append(each)
        return cls(kept, found.shelves)

    def find(self, url: str) -> Mapping[str, Any] | None:
        """The definition of a canonical URL, of the version that it names."""
        canonical = Canonical.of(url)
        own = newest(self.kept.get(canonical.url, ()), canonical.version)
        if own is not None:
            return own.resource
        definition = fhir.profile(canonical.url)
        known = definition is not None and canonical.version in {*R4, str(definition.get("version", ""))}
        return definition if known else None

    def inside(self, value_set: str, system: str | None, code: str) -> bool | None:
        """Whether a code is of a value set that a profile binds to; None where it cannot be told."""
        asked = (value_set, system, code)
        if asked not in self._told:
            self._told[asked] = self._inside(value_set, system, code)
        return self._told[asked]

    @cached_property
    def _told(self) -> dict[tuple[str, str | None, str], bool | None]:
        return {}

    def _inside(self, value_set: str, system: str | None, code: str) -> bool | None:
        found = self.shelves.value_set(Canonical.of(value_set))
        if found is None:
            return None
        if system is not None:
            return contains(self.shelves, found, system, code).inside
        verdicts = {contains(self.shelves, found, each, code).inside for each in systems_of(self.shelves, found.url)}
        return True if True in verdicts else None if None in verdicts or not verdicts else False


def systems_of(shelves: Shelves, url: str) -> set[str]:
    """The code systems that a value set may draw from: a bare code is of any of them."""
    waiting, seen, systems = [url], {url}, set[str]()
    while waiting:
        found = shelves.value_set(Canonical.of(waiting.pop()))
        if found is None:
            continue
        systems |= {part.system for part in found.parts if part.system}
        systems |= {str(each.get("system", "")) for each in found.given or ()}
        for part in found.parts:
            waiting += [each for each in part.value_sets if each not in seen]
            seen |= set(part.value_sets)
    return systems - {""}


def _bound(definition: Mapping[str, Any]) -> Iterable[str]:
    for element in definition["snapshot"]["element"]:
        url = element.get("binding", {}).get("valueSet")
        # HL7's own sets are at hand; what they draw from may be the hospital's
        if url and fhir.value_set_codes(url) is None:
            yield url
