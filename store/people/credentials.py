"""What licences and posts allow, kept beside the resources that say so and written in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from domain.ids import Reference
from domain.licences import credentials
from domain.roles import Role
from store.database import Transaction
from store.people.held import held
from store.search.keyed import target_key

SAYING = frozenset({"Practitioner", "PractitionerRole"})


class May(BaseModel, frozen=True):
    """An account with the roles that it may act in at the moment asked for, and all that it has."""

    account: str
    roles: frozenset[Role]
    all: frozenset[Role]
    disabled: bool


_MAY = f"""
select a.name as account, {held("a.roles", "a.hospital", "a.name", moment="%(moment)s")} as roles, a.roles as all,
       a.disabled
from account a where a.hospital = %(hospital)s and (%(names)s::text[] is null or a.name = any(%(names)s))
order by a.name
""".encode()  # noqa: S608  # a piece of SQL of ours


async def keep(tx: Transaction, written: Sequence[tuple[Reference, Mapping[str, Any] | None, int]]) -> None:
    """Bring the table up to what these resources say now. Each: reference, body (None: deleted), new version."""
    named = [each for each in written if each[0].resource_type in SAYING]
    if not named:
        return
    replaced = [target_key(ref) for ref, _, version in named if version > 1]
    if replaced:
        await tx.execute(
            "delete from credential where hospital = %s and source = any(%s::uuid[])", [tx.hospital, replaced]
        )
    for ref, body, _ in named:
        for each in credentials(ref, body) if body else []:
            await tx.execute(
                """
                insert into credential (hospital, source, number, kind, practitioner, roles, places, since, until)
                values (%(hospital)s, %(source)s, %(number)s, %(kind)s, %(practitioner)s, %(roles)s, %(places)s,
                        %(since)s, %(until)s)
                on conflict do nothing
                """,
                {"hospital": tx.hospital, "source": target_key(ref), **vars(each)}
                | {"roles": list(each.roles), "places": list(each.places)},
            )


async def may(tx: Transaction, moment: datetime, names: Sequence[str] | None = None) -> dict[str, May]:
    """What accounts may act in at a moment of hospital time; all of the hospital's, without `names`."""
    asked = None if names is None else list(names)
    found = await tx.rows(May, _MAY, {"hospital": tx.hospital, "moment": moment, "names": asked})
    return {each.account: each for each in found}
