"""Pieces of SQL with their parameters, and predicates of scope made of them.

A scope is asked for every resource that a search reaches: match, hop of a chain, `_has`, include (engine room, 9).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.fhir import compartment as compartment_codes
from domain.fhir import resource_types
from store.search.keyed import target_key
from store.search.places import parameter


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement; its values stand at `%s`, in order."""

    text: str
    values: tuple[Any, ...] = ()


ScopePredicate = Callable[[str, str], Sql | None]
"""(resource type, alias of its row in `resource`) → a condition on that row, or None where all of the type may be seen.
The type is "" in a search of all types: the condition then holds for each type by itself."""

TRUE = Sql("true")
FALSE = Sql("false")


def joined(pieces: Iterable[Sql], between: str) -> Sql:
    listed = list(pieces)
    return Sql(between.join(each.text for each in listed), tuple(value for each in listed for value in each.values))


def both(*pieces: Sql | None) -> Sql:
    """All of them, as one condition."""
    listed = [each for each in pieces if each is not None and each != TRUE]
    return joined((Sql(f"({each.text})", each.values) for each in listed), " and ") if listed else TRUE


def either(pieces: Iterable[Sql]) -> Sql:
    """Any of them; false of none."""
    listed = [each for each in pieces if each != FALSE]
    if not listed:
        return FALSE
    if len(listed) == 1:
        return listed[0]
    whole = joined((Sql(f"({each.text})", each.values) for each in listed), " or ")
    return Sql(f"({whole.text})", whole.values)


def negated(found: Sql) -> Sql:
    if found == FALSE:
        return TRUE
    return FALSE if found == TRUE else Sql(f"not ({found.text})", found.values)


def one_of(column: str, kind: str, values: Collection[Any]) -> Sql:
    """`column` is any of the values."""
    listed = list(dict.fromkeys(values))
    if not listed:
        return FALSE
    if len(listed) == 1:
        return Sql(f"{column} = %s::{kind}", (listed[0],))
    return Sql(f"{column} = any(%s::{kind}[])", (listed,))


def everything(_resource_type: str, _alias: str) -> Sql | None:
    """The scope of somebody who may see all of the hospital."""
    return None


def nothing(_resource_type: str, _alias: str) -> Sql | None:
    return FALSE


def only_types(types: frozenset[str]) -> ScopePredicate:
    """Resources of these types, and no others."""

    def of(resource_type: str, alias: str) -> Sql | None:
        if resource_type:
            return None if resource_type in types else FALSE
        return Sql(f"{alias}.type = any(%s::text[])", (sorted(types),))

    return of


def all_of(*predicates: ScopePredicate) -> ScopePredicate:
    """What every one of the predicates allows."""

    def of(resource_type: str, alias: str) -> Sql | None:
        whole = both(*(each(resource_type, alias) for each in predicates))
        return None if whole == TRUE else whole

    return of


def within(compartment: tuple[str, str]) -> ScopePredicate:
    """Resources in a compartment, as R4 defines it, its focus included (hl7.org/fhir/R4/compartmentdefinition.html)."""
    focus = f"{compartment[0]}/{compartment[1]}"
    return lambda resource_type, alias: in_compartment(focus, resource_type, alias)


def in_compartment(focus: str, resource_type: str, alias: str, others: Sequence[str] = ()) -> Sql:
    """others: records of the same kind that count as the focus."""
    kind = focus.partition("/")[0]
    types = (resource_type,) if resource_type else tuple(sorted(resource_types()))
    numbers = [number for each in types for number in membership(kind, each)]
    keys = [target_key(each) for each in (focus, *others)]
    itself = one_of(f"{alias}.key", "uuid", keys) if resource_type in {"", kind} else FALSE
    # The hospital is row security's: a predicate does not know it, and has no need to.
    refers = one_of("m.parameter", "int8", numbers)
    if refers != FALSE:
        meant = both(one_of("m.target", "uuid", keys), refers)
        refers = Sql(
            "exists (select from search_reference m where m.hospital = "
            f"{alias}.hospital and m.resource = {alias}.number and {meant.text})",
            meant.values,
        )
    return either([itself, refers])


def of_patients(keys: Collection[UUID] | None, resource_type: str, alias: str) -> Sql:
    """In the compartment of any patient, or with keys of one of these patients; of Patients only they themselves.

    resource_type: "" for any type.
    """
    if resource_type == "Patient":
        return TRUE if keys is None else one_of(f"{alias}.key", "uuid", keys)
    types = [resource_type] if resource_type else sorted(resource_types() - {"Patient"})
    places = one_of("m.parameter", "int8", [number for each in types for number in membership("Patient", each)])
    to = Sql("m.kind = 'Patient'") if keys is None else one_of("m.target", "uuid", keys)
    refers = FALSE
    if FALSE not in (places, to):
        refers = Sql(
            f"exists (select from search_reference m where m.hospital = {alias}.hospital"
            f" and m.resource = {alias}.number and {places.text} and {to.text})",
            (*places.values, *to.values),
        )
    if resource_type:
        return refers
    itself = both(Sql(f"{alias}.type = 'Patient'"), of_patients(keys, "Patient", alias))
    return either([itself, refers])


def membership(kind: str, resource_type: str) -> list[int]:
    """The places in resources of a type that put them into the compartments of `kind`."""
    found = [parameter(resource_type, code) for code in compartment_codes(kind, resource_type)]
    return [number for each in found if each is not None and each.kind == "reference" for number in each.numbers]
