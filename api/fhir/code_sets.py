"""The value sets and code systems that a search names, looked up before it is read.

hl7.org/fhir/R4/search.html#modifiers: `:in`, `:not-in`, `:above`, `:below`.
"""

from __future__ import annotations

from collections.abc import Sequence

from api.fhir.exchange import Call
from api.fhir.reach import refuse_unseen
from api.fhir.terminology import terminology
from domain.errors import NotFound
from domain.ids import FHIR_ID, Reference
from domain.terminology import ValueSet
from store.database import Transaction
from store.search import literals
from store.search.terminology import CodeSets

_OF_SETS = frozenset({"in", "not-in"})
_OF_CODES = frozenset({"above", "below"})


async def code_sets(call: Call, tx: Transaction, pairs: Sequence[tuple[str, str]]) -> CodeSets | None:
    """What the parameters need; None where they need nothing. A value set may be named by its URL or a reference."""
    sets, systems = _named(pairs)
    if not sets and not systems:
        return None
    found = await terminology(call, tx)
    await found.find(*sets, *systems)
    by_name: dict[str, ValueSet] = {}
    for name in sorted(sets):
        local = name.removeprefix(f"{call.base}/")
        kind, _, id_ = local.partition("/")
        if kind != "ValueSet" or not FHIR_ID.fullmatch(id_) or not call.asker.grants.allow("r", "ValueSet"):
            continue
        ref = Reference.to(kind, id_)
        try:
            await refuse_unseen(call, tx, [ref])
            _, thing = await found.kept(ref)
        except NotFound:
            continue
        if isinstance(thing, ValueSet):
            by_name[name] = thing
    return CodeSets(found.shelves, by_name)


def _named(pairs: Sequence[tuple[str, str]]) -> tuple[set[str], set[str]]:
    sets: set[str] = set()
    systems: set[str] = set()
    for name, value in pairs:
        modifier = name.rpartition(":")[2]
        if modifier in _OF_SETS:
            sets.update(each for each in literals.split(value, ",") if each)
        elif modifier in _OF_CODES:
            systems.update(each.partition("|")[0] for each in literals.split(value, ",") if "|" in each)
    return sets, systems - {""}
