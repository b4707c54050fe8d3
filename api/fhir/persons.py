"""Which patient is meant: by reference, by identifiers, and after a merge the one that stays."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus

from api.fhir.exchange import Call
from api.fhir.outcome import Refusal, error
from api.fhir.parameters import Given
from api.fhir.reach import reach, refuse_unseen
from api.fhir.text import Json
from domain.errors import Invalid, OutOfReach
from domain.ids import Reference
from domain.merging import has_identifiers
from store.database import Transaction
from store.fhir import reading
from store.search import parse_query, searching
from store.search.links import successors, survivors

_MARKS = re.compile(r"([\\$,|])")


@dataclass(frozen=True)
class Named:
    """A patient, and the identifiers that were given for it."""

    reference: Reference
    identifiers: tuple[Json, ...]


async def named(tx: Transaction, call: Call, asked: Given, name: str) -> Named:
    """The patient under `name` and `name`-identifier: both have to agree.

    Raises Invalid without either, Refusal 422 for identifiers that name nobody, several, or another patient, and for
    a patient out of the caller's reach, as for one who does not exist.
    """
    identifiers: list[Json] = asked.values.get(f"{name}-identifier", [])
    if any("value" not in each for each in identifiers):
        raise Invalid("an identifier that names somebody has a value", field=f"{name}-identifier")
    given = asked.part(name)
    if given is None and not identifiers:
        raise Invalid(f"the operation needs {name} or {name}-identifier", field=name)
    if given is None:
        return Named(await _identified(tx, call, identifiers, name), tuple(identifiers))
    ref = _reference(call, given, name)
    try:
        await refuse_unseen(call, tx, [ref], "u")
    except OutOfReach as unseen:
        raise not_there(ref, name) from unseen
    if identifiers:
        found = (await reading.read_many(tx, [ref])).get(ref)
        if found is not None and not has_identifiers(found.body, identifiers):
            raise _refused("conflict", "the patient does not have these identifiers", f"{name}-identifier")
    return Named(ref, tuple(identifiers))


def _reference(call: Call, given: Json, name: str) -> Reference:
    text = str(given.get("reference", "")).removeprefix(f"{call.base}/")
    try:
        ref = Reference(text)
    except Invalid:
        raise Invalid("a patient is named by a reference such as Patient/id", field=name) from None
    if ref.resource_type != "Patient":
        raise Invalid("the reference names no Patient", field=name)
    return ref


async def _identified(tx: Transaction, call: Call, identifiers: list[Json], name: str) -> Reference:
    """The patient in use who has all of them: what was merged away answers to its identifiers no more."""
    call.require("s", "Patient")
    pairs = [("identifier", _token(each)) for each in identifiers]
    query = parse_query("Patient", pairs, strict=True, base=call.base)
    found = await searching.references(tx, query, scope=await reach(call, tx), limit=20)
    ended = await successors(tx, found) if found else {}
    left = [each for each in found if each not in ended]
    if not left:
        raise _refused("not-found", "the identifiers name no patient in use", f"{name}-identifier")
    if len(left) > 1:
        raise _refused("multiple-matches", "the identifiers name more than one patient", f"{name}-identifier")
    return left[0]


def _token(identifier: Json) -> str:
    parts = (identifier[each] for each in ("system", "value") if each in identifier)
    return "|".join(_MARKS.sub(r"\\\1", each) for each in parts)


async def staying(tx: Transaction, found: Collection[Reference]) -> list[Reference]:
    """The records that patients go by now, each once: two of one person are one."""
    return list(dict.fromkeys((await survivors(tx, found)).values())) if found else []


def not_there(patient: Reference, name: str) -> Refusal:
    """Said of a patient who does not exist, and of one whom the caller may not reach."""
    return _refused("not-found", f"there is no {patient}", name)


def _refused(code: str, said: str, name: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error(code, said, name))
