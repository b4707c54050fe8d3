"""Is this a resource as FHIR R4 defines it? Fast where it is, precise where it is not; the document stays untouched.

`check` is for the hot path: structure, cardinality, primitive types, required bindings, form of references, narrative,
invariants. `check_fully` is for `$validate`: warnings, targets of references and profiles beside.
"""

from __future__ import annotations

from typing import Any

from adapters.fhir.validation.acceptance import accepted, validator
from adapters.fhir.validation.full import check_fully
from adapters.fhir.validation.invariants import broken
from adapters.fhir.validation.issues import Issue
from adapters.fhir.validation.structure import examine

__all__ = ["Issue", "accepted", "check", "check_fully", "warm_up"]


def check(resource: Any, *, conditional_references: bool = False) -> list[Issue]:
    """What is wrong with a parsed resource; nothing for one that may be stored.

    Numbers with a fraction come as Decimal. conditional_references: whether a reference may be a search
    (`Patient?identifier=…`), as in a transaction before its references are resolved.
    """
    if accepted(resource):
        return []
    return examine(resource, conditional_references=conditional_references) or broken(resource)


def warm_up(*resource_types: str) -> None:
    """Compile what is going to be needed, before somebody waits for it: 8 ms a type."""
    for each in resource_types:
        validator(each)
