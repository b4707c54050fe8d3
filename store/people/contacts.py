"""How people are reached. Addresses are personal data: sealed here, opened for sending and for the person alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from domain.errors import Conflict, Invalid, NotFound
from domain.notices import Channel, ChannelKind
from store.database import Transaction
from store.sealing import Sealed, SealedColumn, open_, place, seal

_PURPOSE = "contact"
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_MOST = 6  # channels of one person


def _place(hospital: str, row: Mapping[str, Any]) -> bytes:
    return place(hospital, "contact", str(row["id"]))


SEALED = SealedColumn(
    table="contact", order={"id": "uuid"}, key="key_id", data="address", purpose=_PURPOSE, place=_place
)


class Contact(BaseModel, frozen=True):
    """A channel that stands. `address`: opened; for whoever sends, and the person."""

    id: UUID
    account: str
    kind: ChannelKind
    rank: int
    quiet_from: time | None
    quiet_until: time | None
    address: str = Field(repr=False)

    @property
    def channel(self) -> Channel:
        return Channel(self.id, self.kind, self.rank, self.quiet_from, self.quiet_until)

    @property
    def masked(self) -> str:
        """Its last two digits, for lists."""
        return f"…{self.address[-2:]}"


async def add(
    tx: Transaction,
    id_: UUID,
    *,
    account: str,
    kind: ChannelKind,
    address: str,
    rank: int,
    quiet_from: time | None,
    quiet_until: time | None,
    by: str,
    now: datetime,
) -> None:
    """Raises Invalid for what is no number and for half of quiet hours, Conflict for too many channels."""
    number = re.sub(r"[\s()-]", "", address)
    if not _NUMBER.fullmatch(number):
        raise Invalid("a number has 3 to 15 digits", field="/address")
    if (quiet_from is None) != (quiet_until is None):
        raise Invalid("quiet hours begin and end", field="/quiet_until")
    if len(await of(tx, account)) >= _MOST:
        raise Conflict("nobody is reached in more ways: end one first")
    sealed = seal(tx.keys, number.encode(), _place(tx.hospital, {"id": id_}), purpose=_PURPOSE, hospital=tx.hospital)
    await tx.execute(
        """
        insert into contact
            (hospital, id, account, kind, rank, key_id, address, quiet_from, quiet_until, made_at, made_by)
        values (%(hospital)s, %(id)s, %(account)s, %(kind)s, %(rank)s, %(key_id)s, %(address)s, %(quiet_from)s,
                %(quiet_until)s, %(now)s, %(by)s)
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "account": account,
            "kind": kind,
            "rank": rank,
            "key_id": sealed.key_id,
            "address": sealed.data,
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
            "now": now,
            "by": by,
        },
    )


async def end(tx: Transaction, id_: UUID, *, account: str | None, by: str, now: datetime) -> None:
    """account: whose it must be; None for whoever may end anybody's. Raises NotFound for one that does not stand."""
    row = await tx.one(
        """
        update contact set ended_at = %s, ended_by = %s
        where hospital = %s and id = %s and ended_at is null and (%s::text is null or account = %s) returning id
        """,
        [now, by, tx.hospital, id_, account, account],
    )
    if row is None:
        raise NotFound("no such contact")


async def of(tx: Transaction, account: str) -> list[Contact]:
    """Channels of a person, in the order in which they are tried."""
    rows = await tx.all(
        """
        select id, account, kind, rank, quiet_from, quiet_until, key_id, address from contact
        where hospital = %s and account = %s and ended_at is null order by rank, id
        """,
        [tx.hospital, account],
    )
    return [Contact.model_validate(row | {"address": _opened(tx, row)}) for row in rows]


async def reachable(tx: Transaction) -> frozenset[str]:
    """Accounts with a channel that a machine can use."""
    rows = await tx.all(
        """
        select distinct account from contact
        where hospital = %s and ended_at is null and kind = any(%s)
        """,
        [tx.hospital, [each.value for each in ChannelKind if each.by_machine]],
    )
    return frozenset(row["account"] for row in rows)


def _opened(tx: Transaction, row: Mapping[str, Any]) -> str:
    sealed = Sealed(row["key_id"], row["address"])
    return open_(tx.keys, sealed, _place(tx.hospital, row), purpose=_PURPOSE, hospital=tx.hospital).decode()
