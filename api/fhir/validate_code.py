"""$validate-code: is this a code of the code system, is it in the value set, and is that its name?

hl7.org/fhir/R4/codesystem-operation-validate-code.html, valueset-operation-validate-code.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from api.fhir import auditing
from api.fhir.exchange import Answer, Call
from api.fhir.parameters import answer, given, part
from api.fhir.terminology import Coded, codings, instance, known_system, languages, terminology
from api.fhir.text import Json
from api.fhir.value_sets import WHICH, asked_for
from domain.errors import Invalid
from domain.terminology import Canonical, CodeSystem, Concept, Languages, Library, ValueSet, Verdict, contains, grammar
from store.audit import AuditAction
from store.database import Transaction

_ASKED = {
    "code": "code",
    "display": "string",
    "coding": "Coding",
    "codeableConcept": "CodeableConcept",
    "date": "dateTime",
    "abstract": "boolean",
    "displayLanguage": "code",
}
_OF_SYSTEM = {**_ASKED, "url": "uri", "codeSystem": "CodeSystem", "version": "string", "system": "uri"}
_OF_SET = {**_ASKED, **WHICH, "system": "uri", "systemVersion": "string"}


@dataclass(frozen=True)
class _Judged:
    """`wrong`: why not; empty where the code is right. `display`: the name that the asker should show."""

    wrong: str
    display: str = ""


async def validate_code(call: Call, tx: Transaction) -> Answer:
    """`result` with `message` and `display`; a codeableConcept is right when one of its codings is."""
    call.require("r", call.address.type)
    if call.address.type == "CodeSystem":
        return await _in_code_system(call, tx)
    return await _in_value_set(call, tx)


async def _in_code_system(call: Call, tx: Transaction) -> Answer:
    read = await given(call, _OF_SYSTEM)
    found = await terminology(call, tx)
    sent, url, touched = read.part("codeSystem"), read.text("url") or read.text("system"), []
    system: CodeSystem | None = None
    if call.address.id:
        version, thing = await instance(call, found)
        assert isinstance(thing, CodeSystem)  # noqa: S101  # the address names the type
        system, touched = thing, [version]
    elif sent is not None:
        system = CodeSystem.of(sent)
    asked = codings(read, system=system.url if system else url)
    if not url and system is None:
        url = next((each.system for each in asked if each.system), "")
    if system is None and not url:
        raise Invalid("url says which code system", field="url")
    await auditing.note(tx, call, AuditAction.QUERY, touched)
    recognises = grammar(url)
    wanted = languages(call, read)
    named = Canonical.of(url)
    if system is None:
        version_asked = read.text("version") or named.version or next((each.version for each in asked), "")
        await found.find(named.url)
        canonical = Canonical(named.url, version_asked)
        system = found.shelves.code_system(canonical)
        if system is None and recognises is not None:
            return _answer([_recognised(each, recognises(each.code)) for each in asked])
        system = system or known_system(found, canonical)
    return _answer([_of_system(system, each, wanted, abstract=read.flag("abstract") is True) for each in asked])


def _recognised(asked: Coded, recognised: bool | None) -> _Judged:
    return _Judged("" if recognised else "the code is not one of the code system, as far as is known here", asked.code)


def _of_system(system: CodeSystem, asked: Coded, wanted: Languages, *, abstract: bool) -> _Judged:
    if asked.system not in {"", system.url}:
        return _Judged(f"the code is of the code system {asked.system}, not of {system.url}")
    if asked.version not in {"", system.version} and not system.version.startswith(f"{asked.version}."):
        return _Judged(f"version {asked.version} of the code system {system.url} is not the one known here")
    concept = system.find(asked.code)
    if concept is None:
        known = "has no such code" if system.is_whole else "is known here in part only, without this code"
        return _Judged(f"the code system {system.canonical} {known}")
    return _named(asked, wanted, system, concept, {}, abstract=abstract)


async def _in_value_set(call: Call, tx: Transaction) -> Answer:
    read = await given(call, _OF_SET)
    asked = codings(read, version="systemVersion")
    value_set, shelves, touched, found = await asked_for(call, tx, read)
    await found.find(*(each.system for each in asked))
    shelves = found.shelves.beside(value_set=value_set)
    await auditing.note(tx, call, AuditAction.QUERY, touched)
    if not asked[0].system and len(asked) == 1:
        if not read.text("context"):
            raise Invalid("a code is asked about with its code system", field="system")
        asked = [*_with_systems(shelves, value_set, asked[0])]
    wanted = languages(call, read)
    abstract = read.flag("abstract") is True
    return _answer([_of_set(shelves, value_set, each, wanted, abstract=abstract) for each in asked])


def _with_systems(library: Library, value_set: ValueSet, asked: Coded) -> Iterator[Coded]:
    """A code without system, in the context of an element: of any system that the value set draws from."""
    waiting, seen = [value_set], {value_set.url}
    while waiting:
        for each in waiting.pop().parts:
            if each.system:
                yield asked._replace(system=each.system)
            for url in each.value_sets:
                other = library.value_set(Canonical.of(url)) if url not in seen else None
                seen.add(url)
                if other is not None:
                    waiting.append(other)


def _of_set(library: Library, value_set: ValueSet, asked: Coded, wanted: Languages, *, abstract: bool) -> _Judged:
    verdict: Verdict = contains(library, value_set, asked.system, asked.code, asked.version)
    if verdict.inside is not True:
        named = str(value_set.canonical) or "that was sent"
        why = f"it cannot be told: {verdict.unknown}" if verdict.inside is None else "the code is not in it"
        return _Judged(f"value set {named}: {why}")
    system = library.code_system(Canonical(asked.system, asked.version))
    concept = system.find(asked.code) if system else None
    return _named(asked, wanted, system, concept, _said(value_set, asked), abstract=abstract)


def _said(value_set: ValueSet, asked: Coded) -> Json:
    """What the value set itself says of the code."""
    for each in value_set.includes:
        if each.system == asked.system and each.concepts and asked.code in each.concepts:
            return dict(each.concepts[asked.code])
    return {}


def _named(
    asked: Coded, wanted: Languages, system: CodeSystem | None, concept: Concept | None, said: Json, *, abstract: bool
) -> _Judged:
    """A code that is right so far: its name, and whether it may be used."""
    listed = [*said.get("designation", ())]
    own = str(said.get("display") or (concept.display if concept else ""))
    if system is not None and concept is not None:
        listed += system.designations(concept)
        if concept.place in system.abstract and not abstract:
            return _Judged("the code is abstract: it groups others and stands for nothing itself", own)
    language = system.language if system is not None and not said.get("display") else ""
    display = wanted.pick(own, language, listed) or own
    names = [own, concept.display if concept else "", *(str(each.get("value", "")) for each in listed)]
    if asked.display and any(names) and _plain(asked.display) not in {_plain(each) for each in names if each}:
        return _Judged(f"the display is not one of the code {asked.code}", display)
    return _Judged("", display)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _answer(judged: Iterable[_Judged]) -> Answer:
    listed = list(judged)
    right = next((each for each in listed if not each.wrong), None)
    told = right or (listed[0] if listed else _Judged("the value set draws from no code system"))
    message = "" if right else "; ".join(dict.fromkeys(each.wrong for each in listed)) or told.wrong
    parts = [part("result", valueBoolean=right is not None)]
    if message:
        parts.append(part("message", valueString=message))
    if told.display:
        parts.append(part("display", valueString=told.display))
    return answer(*parts)
