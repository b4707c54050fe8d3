"""$lookup: what is known of a code (hl7.org/fhir/R4/codesystem-operation-lookup.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.fhir import auditing
from api.fhir.exchange import Answer, Call
from api.fhir.parameters import answer, given, part, parts
from api.fhir.terminology import codings, instance, known_system, languages, terminology
from api.fhir.text import Json
from domain.errors import Invalid, NotFound
from domain.terminology import Canonical, CodeSystem, Concept, grammar
from store.audit import AuditAction
from store.database import Transaction

_KNOWN = {
    "code": "code",
    "system": "uri",
    "version": "string",
    "coding": "Coding",
    "date": "dateTime",
    "displayLanguage": "code",
    "property": "code*",
}


async def lookup(call: Call, tx: Transaction) -> Answer:
    """Name, display, designations and properties. Raises NotFound for a code or a code system that nobody knows."""
    call.require("r", "CodeSystem")
    read = await given(call, _KNOWN)
    found = await terminology(call, tx)
    touched, system = [], None
    if call.address.id:
        version, thing = await instance(call, found)
        assert isinstance(thing, CodeSystem)  # noqa: S101  # the address names the type
        touched, system = [version], thing
    (asked,) = codings(read, system=system.url if system else "")
    if not asked.system:
        raise Invalid("a code is looked up in a code system", field="system")
    await found.find(asked.system)
    await auditing.note(tx, call, AuditAction.QUERY, touched)
    canonical = Canonical(asked.system, asked.version)
    if system is None and found.shelves.code_system(canonical) is None and grammar(asked.system) is not None:
        return _recognised(canonical, asked.code)
    if system is not None and system.url != asked.system:
        raise Invalid("the code is of another code system than the address", field="system")
    system = system or known_system(found, canonical)
    concept = system.find(asked.code)
    if concept is None:
        said = "has no such code" if system.is_whole else "is known here in part only, without this code"
        raise NotFound(f"the code system {system.canonical} {said}")
    wanted = languages(call, read)
    display = wanted.pick(concept.display, system.language, system.designations(concept)) or concept.code
    told: list[Json] = [
        part("name", valueString=str(system.meta.get("name") or system.meta.get("title") or system.url))
    ]
    if system.version:
        told.append(part("version", valueString=system.version))
    told.append(part("display", valueString=display))
    properties = frozenset(read.texts("property"))
    told += _designations(system, concept, properties)
    told += _properties(system, concept, properties)
    return answer(*told)


def _recognised(system: Canonical, code: str) -> Answer:
    """A code of a grammar: there is nothing to tell but that it is one."""
    recognises = grammar(system.url)
    if recognises is None or not recognises(code):
        raise NotFound(f"{system} has no such code, as far as is known here")
    return answer(part("name", valueString=system.url), part("display", valueString=code))


def _designations(system: CodeSystem, concept: Concept, wanted: frozenset[str]) -> Iterator[Json]:
    """All of them, or those that `designation` or `lang.X` asks for where properties are asked for."""
    for each in system.designations(concept):
        language = str(each.get("language", ""))
        if wanted and "designation" not in wanted and f"lang.{language}" not in wanted:
            continue
        yield parts(
            "designation",
            part("language", valueCode=language) if language else None,
            part("use", valueCoding=each["use"]) if "use" in each else None,
            part("value", valueString=each["value"]),
        )


def _properties(system: CodeSystem, concept: Concept, wanted: frozenset[str]) -> Iterator[Json]:
    described = {str(each.get("code")): each.get("description") for each in system.meta.get("property", ())}
    for code, value in _values(system, concept):
        if wanted and code not in wanted:
            continue
        about = described.get(code)
        yield parts(
            "property",
            part("code", valueCode=code),
            {"name": "value", **value},
            part("description", valueString=about) if about else None,
        )


def _values(system: CodeSystem, concept: Concept) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """hl7.org/fhir/R4/codesystem.html#defined-props, and those of the system itself."""
    if concept.definition:
        yield "definition", {"valueString": concept.definition}
    own = [(str(each.get("code")), each) for each in system.properties(concept)]
    named = {code for code, _ in own}
    if "inactive" not in named:
        yield "inactive", {"valueBoolean": concept.place in system.inactive}
    if concept.place in system.abstract and not named & {"abstract", "notSelectable"}:
        yield "abstract", {"valueBoolean": True}
    for parent in system.parents(concept):
        yield "parent", {"valueCode": parent.code}
    for child in system.children(concept):
        yield "child", {"valueCode": child.code}
    for code, each in own:
        if code not in {"parent", "child"}:
            yield code, {name: value for name, value in each.items() if name.startswith("value")}
