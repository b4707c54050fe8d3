"""Acting for a colleague: given by the colleague for a time and for some of the roles, ended by either at any time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from domain.errors import Invalid, NotFound
from domain.roles import Role
from store.database import Transaction


class Delegation(BaseModel, frozen=True):
    """`taker` may act on behalf of `giver`. Times are real, as those of sessions are."""

    id: UUID
    giver: str
    taker: str
    roles: frozenset[Role]
    since: datetime
    until: datetime
    ended_at: datetime | None


async def give(
    tx: Transaction,
    id_: UUID,
    *,
    giver: str,
    taker: str,
    roles: Collection[Role],
    since: datetime,
    until: datetime,
) -> Delegation:
    """Raises Invalid for oneself, a role that the giver does not hold, an unknown account or a wrong period."""
    held = await tx.all(
        "select name, roles, disabled from account where hospital = %s and name = any(%s)",
        [tx.hospital, [giver, taker]],
    )
    known = {row["name"]: row for row in held if not row["disabled"]}
    if taker == giver or taker not in known or giver not in known:
        raise Invalid("name a colleague with an account", field="/taker")
    if not roles or not {role.value for role in roles} <= set(known[giver]["roles"]):
        raise Invalid("only roles that one holds can be given", field="/roles")
    if until <= since:
        raise Invalid("it ends after it begins", field="/until")
    await tx.execute(
        """
        insert into delegation (hospital, id, giver, taker, roles, since, until)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [tx.hospital, id_, giver, taker, sorted(role.value for role in roles), since, until],
    )
    return Delegation(id=id_, giver=giver, taker=taker, roles=frozenset(roles), since=since, until=until, ended_at=None)


async def end(tx: Transaction, id_: UUID, *, by: str, now: datetime) -> None:
    """Raises NotFound for one that does not run or is not of `by`."""
    ended = await tx.one(
        """
        update delegation set ended_at = %s
        where hospital = %s and id = %s and (giver = %s or taker = %s) and ended_at is null returning id
        """,
        [now, tx.hospital, id_, by, by],
    )
    if ended is None:
        raise NotFound("no such delegation")


async def running(tx: Transaction, account: str, now: datetime) -> list[Delegation]:
    """What `account` has given or been given, that runs or is about to, the latest first."""
    return await tx.rows(
        Delegation,
        """
        select * from delegation
        where hospital = %(hospital)s and (giver = %(account)s or taker = %(account)s)
          and until > %(now)s and ended_at is null
        order by since desc, id
        """,
        {"hospital": tx.hospital, "account": account, "now": now},
    )
