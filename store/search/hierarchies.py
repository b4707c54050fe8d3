"""`:above` and `:below` of references: over what locations and organizations are part of."""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from typing import cast

from store.search.keyed import target_key
from store.search.places import parameter
from store.search.query import Matches, ReferenceValue
from store.search.sql import Sql, one_of


def hierarchy(hospital: str, asked: Matches, alias: str) -> Sql:
    """`:below` a location or organization: it and all its parts; `:above`: it and all that it is part of."""
    given = [target for each in asked.values for target in cast("ReferenceValue", each).targets]
    keys = [target_key(each) for each in given]
    parts = [parameter(kind, "partof") for kind in ("Location", "Organization")]
    numbers = [number for each in parts if each is not None for number in each.numbers]
    if asked.modifier == "below":
        step, known = "select r.key", "p.target = reached.key and r.number = p.resource"
    else:
        step, known = "select p.target", "r.key = reached.key and p.resource = r.number"
    places = one_of("x.parameter", "int8", asked.parameter.numbers)
    return Sql(
        f"exists (select from search_reference x where x.hospital = %s and x.resource = {alias}.number"
        f" and {places.text} and x.target in ("
        "with recursive reached (key) as (select unnest(%s::uuid[]) union "
        f"{step} from reached, search_reference p, resource r"
        " where p.hospital = %s and p.parameter = any(%s::int8[]) and r.hospital = %s and not r.deleted"
        f" and {known}) select key from reached))",
        (hospital, *places.values, keys, hospital, numbers, hospital),
    )
