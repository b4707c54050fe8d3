"""Referential integrity, as far as PHIS_REFERENCE_CHECKS asks for it (hl7.org/fhir/R4/http.html#integrity).

`types`: a reference names a type that its element may point at.  `exist`: besides, what it names is there, and what
others refer to is not deleted. Asked after the writes of a whole transaction, so entries may name each other in any
order; a refusal undoes them. References to other servers, to versions and by identifier alone are nobody's to check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from api.fhir.exchange import Call
from api.fhir.outcome import Refusal, error
from api.fhir.text import Json
from domain.errors import Conflict
from domain.fhir import pointings, resource_types
from domain.ids import Reference
from store.database import Transaction
from store.fhir.referring import absent, referred
from store.fhir.writing import Write

_LOCAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?")
_MOST_ISSUES = 20

_Found = tuple[str, str, str, str]
"""Where, type, id, and what follows for a version."""


async def refuse_broken(call: Call, tx: Transaction, writes: Sequence[tuple[str, Write]]) -> None:
    """writes: what was just written, each with its place in a Bundle, "" without one.

    Raises Refusal 422 for references that are wrong, Conflict for a deletion of what others refer to.
    """
    mode = call.state.reference_checks
    if mode == "off":
        return
    wrong, named = list[Json](), dict[Reference, str]()
    for place, write in writes:
        if write.resource is not None:
            for where, kind, id_, version in _local(call, write.resource, place, wrong):
                if not version:
                    named.setdefault(Reference.to(kind, id_), where)
    if not wrong and mode == "exist":
        gone = await absent(tx, list(named)) if named else set()
        said = "there is no such resource in this hospital"
        wrong += [error("not-found", f"{each}: {said}", named[each]) for each in sorted(gone)]
    if wrong:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, *wrong[:_MOST_ISSUES])
    deleted = [write.reference for _, write in writes if write.resource is None]
    if mode == "exist" and deleted and (still := await referred(tx, deleted)):
        raise Conflict("other resources refer to it", reference=min(still))


def _local(call: Call, resource: Json, place: str, wrong: list[Json]) -> Iterator[_Found]:
    """References within the hospital; what is of a wrong type is added to `wrong`."""
    for path, text, targets in pointings(resource):
        match = _LOCAL.fullmatch(text.removeprefix(f"{call.base}/"))
        if match is None or match[1] not in resource_types():
            continue
        inner = f"{path}.reference"
        where = f"{place}.resource.{inner.partition('.')[2]}" if place else inner
        if targets and match[1] not in targets:
            wrong.append(error("value", f"may not point to {match[1]}: {', '.join(sorted(targets))}", where))
        else:
            yield where, match[1], match[2], match[3] or ""
