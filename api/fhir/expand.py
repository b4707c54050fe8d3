"""$expand: the codes of a value set (hl7.org/fhir/R4/valueset-operation-expand.html).

Flat and in a stable order, so that `offset` and `count` make pages; nested when `excludeNested=false` asks for
all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from api.fhir import auditing
from api.fhir.exchange import Answer, Call
from api.fhir.parameters import Given, given
from api.fhir.terminology import languages
from api.fhir.text import Json, write
from api.fhir.value_sets import WHICH, Asked, asked_for
from domain.errors import Invalid, TooCostly
from domain.terminology import Canonical, Expanded, Languages, Member, Pinned, ValueSet, Wanted, expand
from store.audit import AuditAction
from store.database import Transaction

LARGEST = 10_000
"""Codes in one answer. More are fetched in pages."""

_LARGE = 20_000  # concepts

_KNOWN = {
    **WHICH,
    "filter": "string",
    "date": "dateTime",
    "offset": "integer",
    "count": "integer",
    "includeDesignations": "boolean",
    "designation": "string*",
    "includeDefinition": "boolean",
    "activeOnly": "boolean",
    "excludeNested": "boolean",
    "displayLanguage": "code",
    "exclude-system": "uri*",
    "system-version": "uri*",
    "check-system-version": "uri*",
    "force-system-version": "uri*",
}
_ECHOED = {"boolean": "valueBoolean", "integer": "valueInteger", "uri": "valueUri"}
_BRIEF = ("id", "url", "version", "name", "title", "status", "experimental", "copyright")


async def expand_value_set(call: Call, tx: Transaction) -> Answer:
    """A ValueSet with its expansion. Raises NotFound for what it draws from and nobody knows, TooCostly."""
    call.require("r", "ValueSet")
    read = await given(call, _KNOWN, about="valueSet")
    offset, count = (_not_negative(read, name) for name in ("offset", "count"))
    asked = await asked_for(call, tx, read)
    await auditing.note(tx, call, AuditAction.QUERY, asked.touched)
    wanted = Wanted(
        text=read.text("filter"),
        active_only=read.flag("activeOnly") is True,
        without=tuple(Canonical.of(each) for each in read.texts("exclude-system")),
    )
    pinned = _pinned(asked, read)
    if asked.shelves.weight > _LARGE:  # tenths of a second, in which others are answered
        expanded = await asyncio.to_thread(expand, pinned, asked.value_set, wanted)
    else:
        expanded = expand(pinned, asked.value_set, wanted)
    members = expanded.members[offset or 0 :]
    if count is None and len(members) > LARGEST:
        raise TooCostly(
            f"the value set has {len(members)} codes, and one answer at most {LARGEST}: ask for pages with count and"
            " offset, or use a filter",
            limit=str(LARGEST),
        )
    members = members[: min(LARGEST, count)] if count is not None else members
    made = _Shown(languages(call, read), read)
    nested = read.flag("excludeNested") is False and offset is None and count is None and not wanted.text
    expansion: Json = {
        "identifier": f"urn:uuid:{uuid5(NAMESPACE_URL, _identity(asked.value_set, expanded, read))}",
        "timestamp": _instant(call.now),
        "total": len(expanded.members),
    }
    if offset is not None or count is not None:
        expansion["offset"] = offset or 0
    expansion["parameter"] = _parameters(read, expanded)
    listed = made.tree(members) if nested else [made.one(each) for each in members]
    if listed:
        expansion["contains"] = listed
    return Answer(HTTPStatus.OK, write({**_head(asked.value_set, read), "expansion": expansion}))


def _not_negative(read: Given, name: str) -> int | None:
    number = read.number(name)
    if number is not None and number < 0:
        raise Invalid("a number of codes is not negative", field=name)
    return number


def _pinned(asked: Asked, read: Given) -> Pinned:
    def versions(name: str) -> Mapping[str, str]:
        named = [Canonical.of(each) for each in read.texts(name)]
        if any(not each.version for each in named):
            raise Invalid("a version of a code system reads system|version", field=name)
        return dict(named)

    default, forced = versions("system-version"), versions("force-system-version")
    return Pinned(asked.shelves, default, forced, versions("check-system-version"))


def _head(value_set: ValueSet, read: Given) -> Json:
    kept = value_set.meta if read.flag("includeDefinition") else {n: value_set.meta.get(n) for n in _BRIEF}
    said = {name: value for name, value in kept.items() if value is not None}
    return {"resourceType": "ValueSet", "status": "active", **{n: v for n, v in said.items() if n != "meta"}}


def _parameters(read: Given, expanded: Expanded) -> list[Json]:
    """What was asked, and the versions of the code systems that were used."""
    told: list[Json] = []
    for name, values in read.values.items():
        if name not in {"valueSet", "url", "context"}:
            element = _ECHOED.get(_KNOWN[name].rstrip("*"), "valueString")
            told += [{"name": name, element: value} for value in values]
    told += [{"name": "used-codesystem", "valueUri": str(each)} for each in expanded.used]
    partial = {
        member.known.canonical: member.known.content
        for member in expanded.members
        if member.known is not None and not member.known.is_whole
    }
    return told + [{"name": f"warning-{content}", "valueUri": str(named)} for named, content in partial.items()]


def _identity(value_set: ValueSet, expanded: Expanded, read: Given) -> str:
    """The same for every page of an expansion, another one when anything it rests on is another version."""
    asked = [(name, values) for name, values in sorted(read.values.items()) if name not in {"offset", "count"}]
    return f"{value_set.canonical} {len(expanded.members)} {[*map(str, expanded.used)]} {asked}"


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


class _Shown:
    """Members of an expansion as FHIR writes them."""

    def __init__(self, wanted: Languages, read: Given) -> None:
        self.wanted = wanted
        self.only = frozenset(each.rpartition("|")[2].lower() for each in read.texts("designation"))
        self.designations = read.flag("includeDesignations") is True or bool(self.only)

    def one(self, member: Member) -> Json:
        own = member.display
        display = self.wanted.pick(own, member.language, member.designations) if self.wanted.wanted else own
        made: Json = {"system": member.system} if member.system else {}
        if member.is_abstract:
            made["abstract"] = True
        if member.is_inactive:
            made["inactive"] = True
        if member.version:
            made["version"] = member.version
        made["code"] = member.code
        if display:
            made["display"] = display
        if self.designations:
            listed = [_designation(each) for each in member.designations if self._asked_for(each)]
            if display != own and own and not self.only:
                listed.insert(0, {"language": member.language, "value": own} if member.language else {"value": own})
            if listed:
                made["designation"] = listed
        return made

    def _asked_for(self, designation: Mapping[str, Any]) -> bool:
        named = {str(designation.get("language", "")).lower(), str(designation.get("use", {}).get("code", "")).lower()}
        return not self.only or not named.isdisjoint(self.only)

    def tree(self, members: Iterable[Member]) -> list[Json]:
        """Each beneath the nearest of its parents that is in the set, too; of several parents the first."""
        made = {(each.system, each.code): (each, self.one(each)) for each in members}
        roots: list[Json] = []
        for each, said in made.values():
            above = self._above(each, made)
            (roots if above is None else above.setdefault("contains", [])).append(said)
        return roots

    @staticmethod
    def _above(member: Member, made: Mapping[tuple[str, str], tuple[Member, Json]]) -> Json | None:
        known = member.known
        if known is None or member.concept is None:
            return None
        waiting, seen = [*known.parents(member.concept)], {member.concept.place}
        while waiting:
            parent = waiting.pop(0)
            if (member.system, parent.code) in made:
                # A parent that is also beneath the member would make a circle: the hierarchy is broken there.
                return None if member.concept.place in known.ancestors(parent) else made[member.system, parent.code][1]
            if parent.place not in seen:
                seen.add(parent.place)
                waiting += known.parents(parent)
        return None


def _designation(said: Mapping[str, Any]) -> Json:
    return {name: said[name] for name in ("language", "use", "value") if name in said}
