"""What a search may reach: a predicate on every resource it touches (engine room, 9)."""

from __future__ import annotations

from api.fhir.exchange import Call
from domain.errors import Forbidden
from store.search.sql import ScopePredicate, everything, only_types


def reach(call: Call) -> ScopePredicate:
    """Matches, chain hops and includes alike. Raises Forbidden when there is nothing that the caller may search."""
    types = call.asker.grants.types("s")
    if types is None:
        return everything
    if not types:
        raise Forbidden("scopes or roles do not allow this", action="*.s")
    return only_types(types)
