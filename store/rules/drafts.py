"""Drafts of rules: saved by revision, submitted, returned or approved by other eyes.

Each change names the revision that its author saw. One of many savers wins; the others hear who did.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from domain.errors import AlreadyDone, Conflict, Forbidden, NotFound, StaleRevision
from domain.rule_versions import Draft, DraftState, Person, RuleText
from store.database import Transaction
from store.rules import history, policies


async def begin(
    tx: Transaction,
    id_: UUID,
    text: RuleText,
    *,
    reason: str,
    by: str,
    now: datetime,
    on_behalf_of: str | None = None,
) -> Draft:
    """A new draft. Raises Conflict, naming it, when one of this rule and place is open already.

    on_behalf_of: the colleague for whom `by` acts; an author, too, since the text is theirs as well.
    """
    made = await tx.rows(
        Draft,
        """
        insert into rule_draft (hospital, id, rule, version, point, level, place, document, digest, parent, reason,
                                state, revision, authors, saved_by, saved_at)
        values (%(hospital)s, %(id)s, %(rule)s, %(version)s, %(point)s, %(level)s, %(place)s, %(document)s, %(digest)s,
                %(parent)s, %(reason)s, 'draft', 1, %(eyes)s::text[], %(by)s, %(now)s)
        on conflict do nothing returning *
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "reason": reason,
            "by": by,
            "eyes": _eyes(by, on_behalf_of),
            "now": now,
            **text.model_dump(),
        },
    )
    if not made:
        other = await tx.one(
            """
            select id, saved_by, saved_at from rule_draft
            where hospital = %s and level = %s and place = %s and rule = %s
              and state in ('draft', 'in-review', 'approved')
            """,
            [tx.hospital, text.level, text.place, text.rule],
        )
        told = (
            {"draft": str(other["id"]), "by": other["saved_by"], "at": other["saved_at"].isoformat()} if other else {}
        )
        raise Conflict("this rule is being written already", **told)
    await _noted(tx, "begin", made[0], by=by, now=now, reason=reason)
    return made[0]


async def save(
    tx: Transaction,
    id_: UUID,
    text: RuleText,
    *,
    revision: int,
    reason: str,
    by: str,
    now: datetime,
    on_behalf_of: str | None = None,
) -> Draft:
    """The next text of a draft. Raises NotFound, StaleRevision (by, at), AlreadyDone for one that is no draft now."""
    saved = await _change(
        tx,
        id_,
        """
        update rule_draft
        set version = %(version)s, document = %(document)s, digest = %(digest)s, parent = %(parent)s,
            reason = %(reason)s, revision = revision + 1, saved_by = %(by)s, saved_at = %(now)s,
            authors = authors || array(select eye from unnest(%(eyes)s::text[]) as eye where eye <> all(authors))
        where hospital = %(hospital)s and id = %(id)s and revision = %(revision)s and state = any(%(states)s)
          and rule = %(rule)s and level = %(level)s and place = %(place)s and point = %(point)s
        returning *
        """,
        {"reason": reason, "by": by, "eyes": _eyes(by, on_behalf_of), "now": now, **text.model_dump()},
        revision=revision,
        states=(DraftState.DRAFT,),
    )
    await _noted(tx, "save", saved, by=by, now=now)
    return saved


async def submit(
    tx: Transaction, id_: UUID, *, revision: int, by: str, now: datetime, on_behalf_of: str | None = None
) -> Draft:
    """Ask for review. From here on its text stands still."""
    submitted = await _change(
        tx,
        id_,
        """
        update rule_draft
        set state = 'in-review', revision = revision + 1, submitted_by = %(by)s, submitted_at = %(now)s,
            authors = authors || array(select eye from unnest(%(lent)s::text[]) as eye where eye <> all(authors))
        where hospital = %(hospital)s and id = %(id)s and revision = %(revision)s and state = any(%(states)s)
        returning *
        """,
        {"by": by, "now": now, "lent": [on_behalf_of] if on_behalf_of else []},
        revision=revision,
        states=(DraftState.DRAFT,),
    )
    await _noted(tx, "submit", submitted, by=by, now=now)
    return submitted


async def send_back(tx: Transaction, id_: UUID, *, revision: int, by: str, now: datetime, reason: str) -> Draft:
    """Back to its authors, from review or after the approval."""
    returned = await _change(
        tx,
        id_,
        """
        update rule_draft set state = 'draft', revision = revision + 1, submitted_by = null, submitted_at = null,
                              approved_by = null, approved_at = null
        where hospital = %(hospital)s and id = %(id)s and revision = %(revision)s and state = any(%(states)s)
        returning *
        """,
        revision=revision,
        states=(DraftState.IN_REVIEW, DraftState.APPROVED),
    )
    await _noted(tx, "return", returned, by=by, now=now, reason=reason)
    return returned


async def approve(tx: Transaction, id_: UUID, *, revision: int, person: Person, now: datetime) -> Draft:
    """Raises Forbidden for its authors, its submitter, and whoever acts for one of them or stands outside the group.

    The constraint `rule_draft_four_eyes` holds this against every other way to the table.
    """
    draft = await get(tx, id_)
    await policies.refuse_stranger(tx, draft.place, person)
    if person.eyes & {*draft.authors, draft.submitted_by}:
        raise Forbidden("nobody approves a rule of their own", action="approve-rule", roles="rule-approver")
    approved = await _change(
        tx,
        id_,
        """
        update rule_draft set state = 'approved', revision = revision + 1, approved_by = %(by)s, approved_at = %(now)s
        where hospital = %(hospital)s and id = %(id)s and revision = %(revision)s and state = any(%(states)s)
        returning *
        """,
        {"by": person.account, "now": now},
        revision=revision,
        states=(DraftState.IN_REVIEW,),
    )
    await _noted(tx, "approve", approved, by=person.account, now=now)
    return approved


async def drop(tx: Transaction, id_: UUID, *, revision: int, by: str, now: datetime) -> Draft:
    """Give a draft up. Its texts stay in the table of drafts."""
    dropped = await _change(
        tx,
        id_,
        """
        update rule_draft set state = 'dropped', revision = revision + 1
        where hospital = %(hospital)s and id = %(id)s and revision = %(revision)s and state = any(%(states)s)
        returning *
        """,
        revision=revision,
        states=(DraftState.DRAFT, DraftState.IN_REVIEW, DraftState.APPROVED),
    )
    await _noted(tx, "drop", dropped, by=by, now=now)
    return dropped


async def close(tx: Transaction, id_: UUID, *, revision: int) -> Draft:
    """Its text is published in this transaction."""
    return await _change(
        tx,
        id_,
        """
        update rule_draft set state = 'published', revision = revision + 1
        where hospital = %(hospital)s and id = %(id)s and revision = %(revision)s and state = any(%(states)s)
        returning *
        """,
        revision=revision,
        states=(DraftState.APPROVED,),
    )


async def get(tx: Transaction, id_: UUID) -> Draft:
    """Raises NotFound."""
    found = await tx.rows(Draft, "select * from rule_draft where hospital = %s and id = %s", [tx.hospital, id_])
    if not found:
        raise NotFound("no such draft")
    return found[0]


async def listed(tx: Transaction, *, rule: str | None = None, limit: int = 200) -> list[Draft]:
    """Open drafts, the latest first."""
    return await tx.rows(
        Draft,
        """
        select * from rule_draft
        where hospital = %(hospital)s and state in ('draft', 'in-review', 'approved')
          and (%(rule)s::text is null or rule = %(rule)s)
        order by saved_at desc, id limit %(limit)s
        """,
        {"hospital": tx.hospital, "rule": rule, "limit": limit},
    )


async def _change(
    tx: Transaction,
    id_: UUID,
    sql: LiteralString,
    params: Mapping[str, Any] | None = None,
    *,
    revision: int,
    states: tuple[DraftState, ...],
) -> Draft:
    wanted = {"hospital": tx.hospital, "id": id_, "revision": revision, "states": list(states), **(params or {})}
    changed = await tx.rows(Draft, sql.encode(), wanted)
    if changed:
        return changed[0]
    present = await get(tx, id_)
    if present.revision != revision:
        raise StaleRevision(
            "somebody changed the draft",
            expected=str(revision),
            actual=str(present.revision),
            by=_last(present)[0],
            at=_last(present)[1].isoformat(),
        )
    if present.state not in states:
        raise AlreadyDone("the draft is not where this is done", status=present.state, by=_last(present)[0])
    raise Conflict("a draft stays the draft of its rule, decision point and place")


def _eyes(by: str, on_behalf_of: str | None) -> list[str]:
    return sorted(Person(account=by, on_behalf_of=on_behalf_of).eyes)


def _last(draft: Draft) -> tuple[str, datetime]:
    """Who changed it last, and when."""
    if draft.approved_by and draft.approved_at:
        return draft.approved_by, draft.approved_at
    if draft.submitted_by and draft.submitted_at:
        return draft.submitted_by, draft.submitted_at
    return draft.saved_by, draft.saved_at


async def _noted(tx: Transaction, action: str, draft: Draft, *, by: str, now: datetime, reason: str = "") -> None:
    await history.note(
        tx,
        action,
        rule=draft.rule,
        actor=by,
        at=now,
        digest=draft.digest,
        draft=draft.id,
        reason=reason,
        detail={"revision": draft.revision, "version": draft.version, "place": draft.place},
    )
