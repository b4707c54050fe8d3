"""The order of codes, for sorting by a token: the tables hold keyed hashes, whose order means nothing.

The different codes of a parameter are few, so one resource of each is opened to learn what the hash stands for.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from domain.errors import TooCostly
from store.database import Transaction
from store.fhir.versions import opened
from store.search.keyed import token_hashes
from store.search.query import SortKey
from store.search.sql import one_of
from store.search.values import code_key, codings

MOST_CODES = 500
"""Different codes of a parameter that is sorted by."""

_REMEMBERED = 20_000
_known: OrderedDict[tuple[str, int], str] = OrderedDict()


async def ranks(tx: Transaction, key: SortKey) -> list[int]:
    """Hashes of the codes at a parameter's places, in the order of the codes. Raises TooCostly for identifiers."""
    found = await _codes(tx, key)
    if len(found) > MOST_CODES:
        raise TooCostly("too many different codes to sort by", limit=str(MOST_CODES), field="_sort")
    unknown = [each for each in found if (tx.hospital, each) not in _known]
    if unknown:
        await _learn(tx, key, unknown)
    return sorted(found, key=lambda each: _known.get((tx.hospital, each), ""))


async def _codes(tx: Transaction, key: SortKey) -> list[int]:
    # Each step asks the index for the next greater code: reading all rows would cost as much as there are resources.
    rows = await tx.all(
        """
        with recursive place (number) as (select unnest(%(numbers)s::int8[])), found (number, code) as (
            select number, (select min(code) from search_token x
                            where x.hospital = %(hospital)s and x.parameter = place.number)
            from place
            union all
            select number, (select min(code) from search_token x
                            where x.hospital = %(hospital)s and x.parameter = found.number and x.code > found.code)
            from found where found.code is not null
        )
        select distinct code from (select code from found where code is not null limit %(most)s) as listed
        """,
        {"numbers": key.parameter.numbers, "hospital": tx.hospital, "most": 2 * MOST_CODES},
    )
    return [int(row["code"]) for row in rows]


async def _learn(tx: Transaction, key: SortKey, codes: list[int]) -> None:
    places = one_of("x.parameter", "int8", key.parameter.numbers)
    rows = await tx.all(
        f"""
        select r.type, r.id, r.version, r.last_updated, r.owner, r.deleted, r.key_id, r.body
        from unnest(%s::int8[]) as asked (code)
        cross join lateral (
            select x.resource from search_token x
            where x.hospital = %s and {places.text} and x.code = asked.code limit 1
        ) one
        join resource r on r.hospital = %s and r.number = one.resource
        """.encode(),
        [codes, tx.hospital, *places.values, tx.hospital],
    )
    for row in rows:
        _remember(tx, key, opened(tx, row).body)


def _remember(tx: Transaction, key: SortKey, body: dict[str, Any]) -> None:
    for place in key.parameter.places:
        for value in place.values(body):
            for _, code in codings(value, place.fhir_type):
                for hash_ in token_hashes(tx.keys, tx.hospital):
                    _known[(tx.hospital, hash_(code_key(code)))] = code
    while len(_known) > _REMEMBERED:
        _known.popitem(last=False)
