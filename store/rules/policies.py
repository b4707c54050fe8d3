"""What a hospital asks before it publishes a rule, and who approves rules of which place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from domain.errors import Forbidden
from domain.rule_versions import Person, PublishingPolicy
from store.database import Transaction
from store.rules import history


async def policy(tx: Transaction) -> PublishingPolicy:
    """The hospital's policy, or the one that stands until it says otherwise."""
    found = await tx.rows(PublishingPolicy, "select * from rule_policy where hospital = %s", [tx.hospital])
    return found[0] if found else PublishingPolicy()


async def set_policy(tx: Transaction, wanted: PublishingPolicy, *, by: str, now: datetime) -> None:
    await tx.execute(
        """
        insert into rule_policy (hospital, branch_coverage, row_coverage, impact_signed, longest_disablement,
                                 changed_by, changed_at)
        values (%(hospital)s, %(branch_coverage)s, %(row_coverage)s, %(impact_signed)s, %(longest_disablement)s,
                %(by)s, %(now)s)
        on conflict (hospital) do update set branch_coverage = excluded.branch_coverage,
            row_coverage = excluded.row_coverage, impact_signed = excluded.impact_signed,
            longest_disablement = excluded.longest_disablement, changed_by = excluded.changed_by,
            changed_at = excluded.changed_at
        """,
        {"hospital": tx.hospital, "by": by, "now": now, **wanted.model_dump()},
    )
    await history.note(tx, "policy", rule="", actor=by, at=now, detail=wanted.model_dump())


async def approvers(tx: Transaction, place: str) -> list[str]:
    """The accounts that approve rules of a place; none: every account with the role does."""
    rows = await tx.all(
        "select account from rule_approver where hospital = %s and place = %s order by account", [tx.hospital, place]
    )
    return [row["account"] for row in rows]


async def set_approvers(tx: Transaction, place: str, accounts: Collection[str], *, by: str, now: datetime) -> None:
    """Name the accounts anew. place: the hospital's code, or `hospital/department`."""
    wanted = sorted(set(accounts))
    await tx.execute(
        "delete from rule_approver where hospital = %s and place = %s and account <> all(%s)",
        [tx.hospital, place, wanted],
    )
    await tx.execute(
        """
        insert into rule_approver (hospital, place, account, added_by, added_at)
        select %s, %s, account, %s, %s from unnest(%s::text[]) as account
        on conflict do nothing
        """,
        [tx.hospital, place, by, now, wanted],
    )
    await history.note(tx, "approvers", rule="", actor=by, at=now, detail={"place": place, "accounts": wanted})


async def refuse_stranger(tx: Transaction, place: str, person: Person) -> None:
    """Raises Forbidden for somebody outside of the group that approves rules of the place."""
    group = await approvers(tx, place)
    if group and person.account not in group:
        raise Forbidden("another group approves rules of this place", action="approve-rule", roles="rule-approver")
