"""Which value set a question is about: of a URL, of the address, of the body, or that of an element."""

from __future__ import annotations

from typing import NamedTuple

from api.fhir.exchange import Call
from api.fhir.parameters import Given
from api.fhir.terminology import instance, terminology
from domain import fhir
from domain.errors import Invalid, NotFound
from domain.terminology import Canonical, Shelves, ValueSet
from store.database import Transaction
from store.fhir.versions import Version
from store.terminology import Terminology, references

WHICH = {"url": "uri", "context": "uri", "valueSet": "ValueSet", "valueSetVersion": "string"}


class Asked(NamedTuple):
    """`touched`: the resources of the hospital that the address names."""

    value_set: ValueSet
    shelves: Shelves
    touched: list[Version]
    found: Terminology


async def asked_for(call: Call, tx: Transaction, read: Given) -> Asked:
    """Raises Invalid when it is not said or said twice, NotFound where nobody knows it."""
    found = await terminology(call, tx)
    sent, url, context = read.part("valueSet"), read.text("url"), read.text("context")
    if call.address.id:
        if sent or url or context:
            raise Invalid("the address names the value set already", field="url" if url else "valueSet")
        version, thing = await instance(call, found)
        assert isinstance(thing, ValueSet)  # noqa: S101  # the address names the type
        return Asked(thing, found.shelves.beside(value_set=thing), [version], found)
    if sent is not None:
        made = ValueSet.of(sent)
        await found.find(*references(made))
        return Asked(made, found.shelves.beside(value_set=made), [], found)
    if context and not url:
        url = _bound(context)
    if not url:
        raise Invalid("url, valueSet or context says which value set", field="url")
    named = Canonical.of(url)
    if read.text("valueSetVersion"):
        named = Canonical(named.url, read.text("valueSetVersion"))
    await found.find(named.url)
    shelves = found.shelves
    known = shelves.value_set(named)
    if known is None:
        known = _whole_system(shelves, named)
    if known is None:
        raise NotFound(f"the value set {named} is not known here", field="url")
    return Asked(known, shelves, [], found)


def _bound(context: str) -> str:
    """The value set that an element of R4 is bound to: `…/StructureDefinition/Patient#Patient.gender`."""
    path = context.rpartition("#")[2].rpartition("/")[2]
    element = fhir.element(path)
    if element is None or not element.binding:
        raise NotFound("no element of R4 with a value set has this path", field="context")
    return element.binding[1]


def _whole_system(shelves: Shelves, named: Canonical) -> ValueSet | None:
    """The value set of all codes of a code system, where the system names it so and nobody wrote it down."""
    for systems in shelves.systems.values():
        for system in systems:
            if system.meta.get("valueSet") == named.url:
                include = [{"system": system.url}]
                return ValueSet.of({"url": named.url, "status": "active", "compose": {"include": include}})
    return None
