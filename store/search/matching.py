"""Patients who may be the one that is asked for: found by number, telephone, e-mail, or name and date of birth.

What they are found by stands in the search tables, names and telephone numbers under keys that make spellings one
(`domain.matching.keys`). Every way is narrow by itself: a family name alone, or a birthday, finds nobody.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from domain.errors import Invalid, TooCostly
from domain.ids import Reference
from domain.matching.keys import birth_dates, name_keys, phone_keys, telecoms
from store.database import Transaction
from store.fhir.versions import COLUMNS, Version, opened
from store.search.instants import span
from store.search.keyed import Hash, hashed, target_key, token_hashes
from store.search.places import parameter
from store.search.sql import ScopePredicate, Sql, both, joined, one_of
from store.search.values import code_key

NAME = hashed("Patient.name|match")
PHONE = hashed("Patient.telecom|match")

MOST = 500
"""Candidates that are compared: who asks for more has to say more."""


def match_keys(patient: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Place and key of each row of `search_token` that a Patient is found by."""
    for key in name_keys(patient):
        yield NAME, f"m{key}"
    for number in phone_keys(patient):
        yield PHONE, f"p{number}"


async def candidates(tx: Transaction, asked: dict[str, Any], scope: ScopePredicate) -> list[Version]:
    """Every patient in scope who may be the one, in the order of their numbers.

    Raises Invalid when too little is asked, TooCostly for more than MOST.
    """
    ways = list(_ways(asked, tx.hospital, token_hashes(tx.keys, tx.hospital)))
    if not ways:
        said = "too little to go by: give an identifier, a telephone number, an e-mail, or a name with a date of birth"
        raise Invalid(said, field="resource")
    union = joined(ways, " union ")
    found = await _versions(tx, Sql(f"r.number in ({union.text})", union.values), scope)
    if len(found) > MOST:
        raise TooCostly("too many patients may be meant; give more of what is known", limit=str(MOST))
    return found


async def in_scope(tx: Transaction, patients: Collection[Reference], scope: ScopePredicate) -> dict[Reference, Version]:
    """Those of the patients that are there and in scope."""
    keys = one_of("r.key", "uuid", [target_key(each) for each in sorted(patients)])
    return {each.reference: each for each in await _versions(tx, keys, scope)}


async def _versions(tx: Transaction, which: Sql, scope: ScopePredicate) -> list[Version]:
    own = Sql("r.hospital = %s and r.type = 'Patient' and not r.deleted", (tx.hospital,))
    where = both(own, which, scope("Patient", "r"))
    rows = await tx.all(
        f"select {', '.join(f'r.{each}' for each in COLUMNS.split(', '))} from resource r where {where.text}"
        f" order by r.number limit {MOST + 1}".encode(),
        where.values,
    )
    return [opened(tx, row) for row in rows]


def _ways(asked: dict[str, Any], hospital: str, hashes: Sequence[Hash]) -> Iterator[Sql]:
    """Statements that give numbers of resources."""
    listed = asked.get("identifier")
    values = [each["value"] for each in listed if "value" in each] if isinstance(listed, list) else []
    if values:
        yield _tokens(hospital, _places("identifier"), [hash_(code_key(each)) for hash_ in hashes for each in values])
    if numbers := phone_keys(asked):
        yield _tokens(hospital, [PHONE], [hash_(f"p{each}") for hash_ in hashes for each in numbers])
    if mails := set(telecoms(asked, "email")):
        yield _tokens(hospital, _places("email"), [hash_(code_key(each)) for hash_ in hashes for each in mails])
    born, names = asked.get("birthDate"), name_keys(asked)
    if isinstance(born, str) and names:
        whole = {each for each in names if each.startswith("n")}
        yield from _named_and_born(hospital, hashes, names - whole, _days([born], _exchanged(born)))
        near = _days(birth_dates(born) if len(born) == 10 else [born])
        yield from _named_and_born(hospital, hashes, whole, near, within=span(born))


def _exchanged(born: str) -> list[str]:
    return [f"{born[:4]}-{born[8:]}-{born[5:7]}"] if len(born) == 10 else []


def _days(*dates: Collection[str]) -> tuple[list[Any], list[Any]]:
    spans = [found for each in dates for text in sorted(each) if (found := span(text)) is not None]
    return [low for low, _ in spans], [high for _, high in spans]


def _named_and_born(
    hospital: str,
    hashes: Sequence[Hash],
    names: Collection[str],
    days: tuple[list[Any], list[Any]],
    within: tuple[Any, Any] | None = None,
) -> Iterator[Sql]:
    """Of these names, and born on one of the days; `within`: or on a date, in part on either side, that fits."""
    if not names:
        return
    found = _tokens(hospital, [NAME], [hash_(f"m{each}") for hash_ in hashes for each in sorted(names)])
    born = "d.low = any(%s::timestamptz[]) and d.high = any(%s::timestamptz[])"
    values: tuple[Any, ...] = days
    if within is not None:
        born, values = f"(({born}) or (d.low < %s and d.high > %s))", (*days, within[1], within[0])
    yield Sql(
        f"{found.text} and exists (select from search_date d where d.hospital = %s and d.resource = x.resource"
        f" and d.parameter = any(%s::int8[]) and {born})",
        (*found.values, hospital, _places("birthdate"), *values),
    )


def _tokens(hospital: str, places: list[int], codes: list[int]) -> Sql:
    return Sql(
        "select x.resource from search_token x where x.hospital = %s and x.parameter = any(%s::int8[])"
        " and x.code = any(%s::int8[])",
        (hospital, places, codes),
    )


def _places(code: str) -> list[int]:
    found = parameter("Patient", code)
    return found.numbers if found is not None else []
