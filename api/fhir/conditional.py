"""Conditional interactions: the one resource that a search names (hl7.org/fhir/R4/http.html#ccreate, #cond-update)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl

from api.fhir.code_sets import code_sets
from api.fhir.exchange import Call
from api.fhir.persons import staying
from api.fhir.reach import reach
from api.fhir.veil import refuse_hidden
from domain.errors import Invalid, MultipleMatches
from domain.ids import Reference
from store.database import Transaction
from store.fhir import conditions
from store.search import parse_query, searching

_ONE_PERSON = 20
"""Records of one patient that may have been merged and still answer to the same criteria."""

Pairs = Sequence[tuple[str, str]]

_RESULT = frozenset({"_format", "_pretty", "_summary", "_elements"})
"""Parameters of the answer; any other that begins so is a criterion, such as _id."""


def criteria_of(query: str, field: str) -> list[tuple[str, str]]:
    """The pairs of a search in a header or in an entry. Raises Invalid."""
    before, mark, after = query.partition("?")
    given = after if mark and "=" not in before else query  # `Patient?…` and `?…` are written, too
    try:
        return parse_qsl(given, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Invalid("not a search such as identifier=system|value", field=field) from None


def named_by(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """The criteria among parameters, in one order whatever the client's."""
    return sorted((name, value) for name, value in pairs if name not in _RESULT)


async def alone_with(tx: Transaction, searches: Iterable[tuple[str, Pairs]]) -> None:
    """Until the transaction ends nobody else looks for the same: two cannot both find nothing and create twice."""
    wanted = [(kind, named_by(pairs)) for kind, pairs in searches]
    if wanted:
        await conditions.alone_with(tx, wanted)


async def the_one(
    tx: Transaction, call: Call, resource_type: str, pairs: Pairs, field: str, *, alone: bool = True
) -> Reference | None:
    """The reference of the one resource that meets the criteria, None when none does; of merged patients the survivor.

    alone: take the search first, as `alone_with` does.
    Raises MultipleMatches; Invalid for criteria that are empty or hold an unknown parameter: they would name anything.
    """
    criteria = named_by(pairs)
    if not any(value for _, value in criteria):
        raise Invalid("a conditional interaction needs criteria", field=field)
    codes = await code_sets(call, tx, criteria)
    query = parse_query(resource_type, criteria, strict=True, base=call.base, codes=codes)
    # Only what the caller may search can be named: a match would tell that it exists.
    call.require("s", resource_type)
    refuse_hidden(call, query)
    if alone:
        await alone_with(tx, [(resource_type, criteria)])
    patients = resource_type == "Patient"
    found = await searching.references(tx, query, scope=await reach(call, tx), limit=_ONE_PERSON if patients else 2)
    if patients:
        found = await staying(tx, found)
    if len(found) > 1:
        raise MultipleMatches("the criteria name more than one resource", field=field)
    return found[0] if found else None
