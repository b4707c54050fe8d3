"""The code systems, value sets, concept maps and profiles that a hospital keeps, found by canonical URL and compiled.

What a question needs is found before it is asked: the things it names, what those refer to, and so on. Compiled things
stay in memory, by version: a code system of 100,000 concepts takes a second to compile and microseconds to ask
(ADR 0015). Which versions are there is asked of the database each time, so nothing old is ever answered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.errors import Deleted, TooCostly
from domain.ids import Reference
from domain.terminology import CodeSystem, ConceptMap, Shelves, ValueSet
from domain.terminology.canonicals import Canonical
from domain.terminology.library import hl7_value_sets
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version, opened
from store.search.keyed import target_key
from store.search.places import parameter
from store.search.sql import FALSE, ScopePredicate, Sql, both, either, everything, one_of
from store.search.values import uri_key

MOST_KEPT = 200_000
"""Concepts and their like that a process remembers: about 0.75 kB each, so 150 MB; one larger system is kept alone."""

MOST_FOUND = 500
"""Things looked up for one question."""

_TYPES = ("CodeSystem", "ValueSet", "ConceptMap", "StructureDefinition")
_LARGE = 256 * 1024  # bytes of text that are compiled beside the event loop


class Thing(Protocol):
    @property
    def weight(self) -> int: ...


@dataclass(frozen=True)
class Profile:
    """A StructureDefinition as it is kept."""

    resource: Mapping[str, Any]

    @property
    def url(self) -> str:
        return str(self.resource.get("url", ""))

    @property
    def version(self) -> str:
        return str(self.resource.get("version", ""))

    @property
    def status(self) -> str:
        return str(self.resource.get("status", ""))

    @property
    def date(self) -> str:
        return str(self.resource.get("date", ""))

    @property
    def weight(self) -> int:
        elements = self.resource.get("snapshot", {}).get("element", ())
        return 1 + 4 * len(elements or self.resource.get("differential", {}).get("element", ()))


_Key = tuple[str, Reference, int, datetime]


class Compiled:
    """What was compiled lately, of all hospitals; the least recently asked goes first. One for a process."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[_Key, Thing] = OrderedDict()
        self.weight = 0

    def get(self, key: _Key) -> Thing | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: _Key, thing: Thing) -> None:
        if key in self._kept:
            return
        self._kept[key] = thing
        self.weight += thing.weight
        while self.weight > self._most and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self.weight -= gone.weight


@dataclass
class Terminology:
    """What one question may look at. `allowed`: which resources of the hospital the asker may see."""

    tx: Transaction
    compiled: Compiled
    allowed: ScopePredicate = everything
    things: dict[Reference, Thing] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    async def find(self, *urls: str) -> None:
        """Look up canonical URLs, and all that what is found refers to. Raises TooCostly."""
        waiting = {Canonical.of(url).url for url in urls if url} - self._asked
        while waiting:
            self._asked |= waiting
            if len(self._asked) > MOST_FOUND:
                raise TooCostly("value sets and profiles refer to too many others", limit=str(MOST_FOUND))
            found = await self._with(waiting)
            referred = {url for thing in found for url in references(thing)}
            referred |= {url for asked in waiting for own in hl7_value_sets(asked) for url in references(own)}
            waiting = {Canonical.of(url).url for url in referred} - self._asked

    async def find_maps(self, system: str) -> None:
        """Look up every concept map of the hospital that maps from or to a code system."""
        named = [parameter("ConceptMap", code) for code in ("source-system", "target-system")]
        numbers = [number for each in named if each is not None for number in each.numbers]
        where = both(one_of("x.parameter", "int8", numbers), one_of("x.value", "text", [uri_key(system)]))
        await self._compile(await self._rows("search_string", where, ("ConceptMap",)))

    async def kept(self, ref: Reference) -> tuple[Version, Thing]:
        """A resource by its id, and all that it refers to. Raises NotFound, Deleted."""
        version = await reading.read(self.tx, ref)
        if version.deleted:
            raise Deleted("deleted; its history stays", reference=ref, version=str(version.version))
        thing = await self._thing(version)
        self.things[ref] = thing
        await self.find(*references(thing), getattr(thing, "url", ""))
        return version, thing

    @property
    def shelves(self) -> Shelves:
        systems: dict[str, list[CodeSystem]] = {}
        supplements: dict[str, list[CodeSystem]] = {}
        sets: dict[str, list[ValueSet]] = {}
        for thing in self.things.values():
            if isinstance(thing, CodeSystem) and thing.content == "supplement":
                if thing.status != "retired":
                    named = Canonical.of(str(thing.meta.get("supplements", "")))
                    supplements.setdefault(named.url, []).append(thing)
            elif isinstance(thing, CodeSystem):
                systems.setdefault(thing.url, []).append(thing)
            elif isinstance(thing, ValueSet):
                sets.setdefault(thing.url, []).append(thing)
        maps = [thing for thing in self.things.values() if isinstance(thing, ConceptMap)]
        return Shelves(systems, sets, maps, supplements)

    @property
    def profiles(self) -> Iterator[Profile]:
        return (thing for thing in self.things.values() if isinstance(thing, Profile))

    async def _with(self, urls: set[str]) -> list[Thing]:
        """Everything that has one of the URLs, and supplements to it."""
        named = [parameter(kind, "url") for kind in _TYPES]
        numbers = [number for each in named if each is not None for number in each.numbers]
        ours = both(one_of("x.parameter", "int8", numbers), one_of("x.value", "text", [*map(uri_key, sorted(urls))]))
        found = await self._compile(await self._rows("search_string", ours, _TYPES))
        adding = parameter("CodeSystem", "supplements")
        if adding is not None:
            keys = [target_key(url) for url in sorted(urls)]
            theirs = both(one_of("x.parameter", "int8", adding.numbers), one_of("x.target", "uuid", keys))
            found += await self._compile(await self._rows("search_reference", theirs, ("CodeSystem",)))
        return found

    async def _rows(self, table: str, where: Sql, types: Iterable[str]) -> list[dict[str, Any]]:
        seen = either(
            both(Sql("r.type = %s", (kind,)), scope)
            for kind, scope in ((kind, self.allowed(kind, "r")) for kind in types)
            if scope != FALSE
        )
        if FALSE in (where, seen):
            return []
        return await self.tx.all(
            f"""
            select distinct r.type, r.id, r.version, r.last_updated
            from {table} x join resource r on r.hospital = x.hospital and r.number = x.resource
            where x.hospital = %s and not r.deleted and {where.text} and {seen.text}
            """.encode(),  # noqa: S608  # one of two names of ours; every value is a parameter
            [self.tx.hospital, *where.values, *seen.values],
        )

    async def _compile(self, rows: list[dict[str, Any]]) -> list[Thing]:
        found: list[Thing] = []
        missing: list[Reference] = []
        for row in rows:
            ref = Reference.to(row["type"], row["id"])
            known = self.compiled.get((self.tx.hospital, ref, row["version"], row["last_updated"]))
            if known is None:
                missing.append(ref)
            else:
                self.things[ref] = known
                found.append(known)
        for row in await self._bodies(missing):
            version = opened(self.tx, row)
            thing = await self._thing(version)
            self.things[version.reference] = thing
            found.append(thing)
        return found

    async def _bodies(self, refs: list[Reference]) -> list[dict[str, Any]]:
        if not refs:
            return []
        return await self.tx.all(
            """
            select r.type, r.id, r.version, r.last_updated, r.owner, r.deleted, r.key_id, r.body
            from unnest(%s::text[], %s::text[]) as asked (type, id)
            join resource r on r.hospital = %s and r.type = asked.type and r.id = asked.id
            """,
            [[ref.resource_type for ref in refs], [ref.id for ref in refs], self.tx.hospital],
        )

    async def _thing(self, version: Version) -> Thing:
        key = (self.tx.hospital, version.reference, version.version, version.last_updated)
        known = self.compiled.get(key)
        if known is None:
            if len(version.text) > _LARGE:
                known = await asyncio.to_thread(lambda: compiled(version.body))
            else:
                known = compiled(version.body)
            self.compiled.keep(key, known)
        return known


def compiled(resource: Mapping[str, Any]) -> CodeSystem | ValueSet | ConceptMap | Profile:
    match resource.get("resourceType"):
        case "CodeSystem":
            return CodeSystem.of(resource)
        case "ValueSet":
            return ValueSet.of(resource)
        case "ConceptMap":
            return ConceptMap.of(resource)
        case _:
            return Profile({name: value for name, value in resource.items() if name != "text"})


def references(thing: Thing) -> Iterator[str]:
    """The canonical URLs that answers about a thing may rest on."""
    match thing:
        case ValueSet():
            for part in thing.parts:
                if part.system:
                    yield part.system
                yield from part.value_sets
            yield from {str(each.get("system", "")) for each in thing.given or ()} - {""}
        case CodeSystem() if thing.content == "supplement":
            yield str(thing.meta.get("supplements", ""))
        case Profile():
            yield from _of_profile(thing.resource)


def _of_profile(definition: Mapping[str, Any]) -> Iterator[str]:
    if "baseDefinition" in definition:
        yield str(definition["baseDefinition"])
    for form in ("snapshot", "differential"):
        for element in definition.get(form, {}).get("element", ()):
            for each in element.get("type", ()):
                yield from each.get("profile", ())
            if "valueSet" in element.get("binding", {}):
                yield element["binding"]["valueSet"]
