"""What the operations of terminology have in common: what they may look at, and which code they are asked about.

HL7's own definitions are everybody's; a hospital's are seen with the caller's scopes on their types.
"""

from __future__ import annotations

from typing import NamedTuple

from api.fhir.exchange import Call
from api.fhir.parameters import Given
from api.fhir.reach import reach
from api.fhir.text import Json
from domain.errors import Invalid, NotFound
from domain.ids import Reference
from domain.terminology import Canonical, CodeSystem, Languages
from store.database import Transaction
from store.fhir.versions import Version
from store.search.sql import nothing
from store.terminology import Terminology, Thing


class Coded(NamedTuple):
    """A code that is asked about, with the place in the question that brought it."""

    system: str
    version: str
    code: str
    display: str
    where: str


async def terminology(call: Call, tx: Transaction) -> Terminology:
    """What of the hospital's the caller may read, and nothing of it where that is nothing."""
    reads = call.asker.grants.types("r")
    return Terminology(tx, call.state.compiled, nothing if reads == frozenset() else await reach(call, tx, "r"))


async def instance(call: Call, found: Terminology) -> tuple[Version, Thing]:
    """The resource that the address names. Raises NotFound, Deleted."""
    return await found.kept(Reference.to(call.address.type, call.address.id))


def languages(call: Call, given: Given) -> Languages:
    """`displayLanguage`, and without it what the client accepts."""
    return Languages.of(given.text("displayLanguage") or call.headers.get("accept-language"))


def codings(given: Given, *, system: str = "", version: str = "version") -> list[Coded]:
    """What is asked about: a code with its system, a Coding, or the codings of a CodeableConcept.

    system: the system of a bare code, where another parameter says it.  version: the parameter that says its version.
    Raises Invalid when there is none of them, or more than one.
    """
    brought = [name for name in ("code", "coding", "codeableConcept") if name in given.values]
    if len(brought) != 1:
        raise Invalid("one of code, coding and codeableConcept is needed", field=brought[1] if brought else "code")
    of_system = given.text("system") or system
    if brought == ["code"]:
        named = Canonical.of(of_system)
        code = given.text("code")
        return [Coded(named.url, given.text(version) or named.version, code, given.text("display"), "code")]
    if brought == ["coding"]:
        coding = given.part("coding") or {}
        if "code" not in coding:
            raise Invalid("a coding to look at has a code", field="coding")
        return [coded(coding, "coding", system)]
    listed = (given.part("codeableConcept") or {}).get("coding", ())
    found = [
        coded(each, f"codeableConcept.coding[{index}]", system) for index, each in enumerate(listed) if "code" in each
    ]
    if not found:
        raise Invalid("a concept to look at has a coding with a code", field="codeableConcept")
    return found


def coded(coding: Json, where: str, system: str = "") -> Coded:
    named = [str(coding.get(name, "")) for name in ("system", "version", "code", "display")]
    return Coded(named[0] or system, named[1], named[2], named[3], where)


def known_system(found: Terminology, canonical: Canonical) -> CodeSystem:
    """Raises NotFound where nobody knows it."""
    system = found.shelves.code_system(canonical)
    if system is None:
        raise NotFound(f"the code system {canonical} is not known here")
    return system
