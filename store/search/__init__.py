"""Search: parameters compiled from HL7's definitions, rows for each value, and queries over them.

`parse_query` reads a request, `searching` runs it, `extract` makes the rows that a write brings along.
"""

from store.search.parse import parse_query
from store.search.query import Query
from store.search.sql import ScopePredicate, all_of, everything, nothing, only_types, within

__all__ = ["Query", "ScopePredicate", "all_of", "everything", "nothing", "only_types", "parse_query", "within"]
