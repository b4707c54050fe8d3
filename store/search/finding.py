"""Patients found by what somebody types: rows of `search_token` under the keys of `domain.matching.finding`.

Keys are hashed with a key of the hospital, as all tokens: who steals the table reads no names out of it.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domain.ids import Reference
from domain.matching.finding import Term, find_keys
from store.database import Transaction
from store.fhir.versions import COLUMNS, Version, opened
from store.search.keyed import hashed, token_hashes
from store.search.links import any_links, survivors
from store.search.matching import NAME, in_scope
from store.search.places import parameter
from store.search.sql import ScopePredicate, Sql, both
from store.search.values import code_key

FIND = hashed("Patient|find")

_TELLING = 4
"""From this weight on a term has so few people that the search begins at them."""


def find_rows(patient: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Place and key of each row of `search_token` that a Patient is found by when somebody types."""
    for key in find_keys(patient):
        yield FIND, f"d{key}"


async def found(tx: Transaction, terms: Sequence[Term], scope: ScopePredicate, *, limit: int) -> list[Version]:
    """Patients in use who meet all terms, as the records that they go by now, in no order; `limit` at most."""
    if not terms:
        return []
    where = [_meets(tx, each) for each in terms]
    return await _those(tx, where, scope, limit=limit, telling=terms[0].weight >= _TELLING)


async def by_number(tx: Transaction, number: str, scope: ScopePredicate, *, limit: int) -> list[Version]:
    """Patients with this very identifier, a resident registration number for one: by its hash."""
    places = parameter("Patient", "identifier")
    codes = [hash_(code_key(number)) for hash_ in token_hashes(tx.keys, tx.hospital)]
    sql = Sql("x.parameter = any(%s::int8[]) and x.code = any(%s::int8[])", (places.numbers if places else [], codes))
    return await _those(tx, [sql], scope, limit=limit, telling=True)


def _meets(tx: Transaction, term: Term) -> Sql:
    """A condition on rows of search_token."""
    hashes = token_hashes(tx.keys, tx.hospital)
    codes = [hash_(f"d{key}") for hash_ in hashes for key in sorted(term.keys)]
    sounds = [hash_(f"m{key}") for hash_ in hashes for key in sorted(term.sounds)]
    if not sounds:
        return Sql("x.parameter = %s and x.code = any(%s::int8[])", (FIND, codes))
    return Sql("x.parameter = any(%s::int8[]) and x.code = any(%s::int8[])", ([FIND, NAME], [*codes, *sounds]))


async def _those(
    tx: Transaction, where: Sequence[Sql], scope: ScopePredicate, *, limit: int, telling: bool
) -> list[Version]:
    first, *others = where
    columns = ", ".join(f"r.{each}" for each in COLUMNS.split(", "))
    rest = [_exists(tx, each) for each in others]
    own = Sql("r.hospital = %s and r.type = 'Patient' and not r.deleted", (tx.hospital,))
    if telling:
        start = f"select distinct x.resource from search_token x where x.hospital = %s and {first.text}"
        met = both(own, *rest, scope("Patient", "r"))
        text = f"with a as materialized ({start}) select {columns} from a join resource r on r.number = a.resource"
        values: tuple[Any, ...] = (tx.hospital, *first.values, *met.values)
    else:  # so many that reading all of them first would take longest
        met = both(own, _exists(tx, first), *rest, scope("Patient", "r"))
        text, values = f"select {columns} from resource r", met.values
    rows = await tx.all(f"{text} where {met.text} limit {limit:d}".encode(), values)
    return await _now(tx, [opened(tx, row) for row in rows], scope)


def _exists(tx: Transaction, met: Sql) -> Sql:
    return Sql(
        f"exists (select from search_token x where x.hospital = %s and x.resource = r.number and {met.text})",
        (tx.hospital, *met.values),
    )


async def _now(tx: Transaction, versions: Sequence[Version], scope: ScopePredicate) -> list[Version]:
    """A record that was replaced speaks for the one that stays; each person once."""
    if not versions or not await any_links(tx):
        return list(versions)
    known: dict[Reference, Version] = {each.reference: each for each in versions}
    now = await survivors(tx, list(known))
    known |= await in_scope(tx, set(now.values()) - known.keys(), scope)
    return [known[each] for each in dict.fromkeys(now.values()) if each in known]
