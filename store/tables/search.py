"""What resources are found by: typed rows, one for each value (engine room, 9).

`parameter` is the hash of the place in a resource that the value stands at (`store.search.places`); `resource` is
`Resource.number`. Each table is read from both sides: from a value to its resources, and from a resource to its values.
Only hashes, integers, instants and byte-ordered text are compared, because only their operators are leakproof.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, Uuid
from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant


class SearchString(HospitalTable, table=True):
    """Normalised text and URIs. `exact` is the hash of the text as written, 0 for a URI."""

    parameter: int = Field(primary_key=True, sa_type=BigInteger)
    value: str = Field(primary_key=True, sa_type=Code)
    exact: int = Field(primary_key=True, sa_type=BigInteger)
    resource: int = Field(primary_key=True, sa_type=BigInteger)

    __table_args__ = (Index("search_string_resource", "hospital", "resource", "parameter"),)


class SearchToken(HospitalTable, table=True):
    """Codes and identifiers as keyed hashes. `system` is 0 where the value has none.

    The resources of a code stand in the order of their numbers, whatever the system: a page of them is read as it is.
    """

    parameter: int = Field(primary_key=True, sa_type=BigInteger)
    code: int = Field(primary_key=True, sa_type=BigInteger)
    resource: int = Field(primary_key=True, sa_type=BigInteger)
    system: int = Field(primary_key=True, sa_type=BigInteger)

    __table_args__ = (Index("search_token_resource", "hospital", "resource", "parameter"),)


class SearchReference(HospitalTable, table=True):
    """References. `target` is the hash of `Type/id`, of a URL or of a URN; `kind` the type it names, or ''."""

    parameter: int = Field(primary_key=True, sa_type=BigInteger)
    target: UUID = Field(primary_key=True, sa_type=Uuid)
    resource: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str = Field(sa_type=Code)

    __table_args__ = (Index("search_reference_resource", "hospital", "resource", "parameter"),)


class SearchDate(HospitalTable, table=True):
    """The time that a value may mean, `[low, high)`: a year is a year long. Open ends are infinite."""

    parameter: int = Field(primary_key=True, sa_type=BigInteger)
    low: datetime = Field(primary_key=True, sa_type=Instant)
    high: datetime = Field(primary_key=True, sa_type=Instant)
    resource: int = Field(primary_key=True, sa_type=BigInteger)

    __table_args__ = (
        Index("search_date_high", "hospital", "parameter", "high"),
        Index("search_date_resource", "hospital", "resource", "parameter"),
    )


class SearchQuantity(HospitalTable, table=True):
    """Numbers and quantities, `[low, high]` as scaled integers (`store.search.scaled`).

    unit: the hash of the canonical unit that the value was converted to, 0 for the number alone.
    """

    parameter: int = Field(primary_key=True, sa_type=BigInteger)
    unit: int = Field(primary_key=True, sa_type=BigInteger)
    low: int = Field(primary_key=True, sa_type=BigInteger)
    high: int = Field(primary_key=True, sa_type=BigInteger)
    resource: int = Field(primary_key=True, sa_type=BigInteger)

    __table_args__ = (Index("search_quantity_resource", "hospital", "resource", "parameter"),)
