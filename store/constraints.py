"""Names of constraints that code listens for. Apart from the tables, whose library no running server needs."""

from __future__ import annotations

ONE_OCCUPANT = "bed_occupancy_one_at_a_time"
"""A bed has one occupant at a time. Deferred: it may speak as late as at the commit."""

ONE_OF_AN_ID = frozenset({"resource_pkey", "resource_key"})
"""A type and an id name one resource. Whoever says that an id is new hears it at the commit."""
