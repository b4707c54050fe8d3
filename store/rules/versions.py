"""Published rules: immutable versions, when they apply, and what was switched off.

Every change raises the hospital's edition in its transaction. Whoever keeps rules in memory asks for the edition in
the transaction that decides, so nobody decides by rules that were changed before (ADR 0020).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from domain.errors import AlreadyDone, Conflict, Invalid, NotFound
from domain.rule_versions import Draft, Edition, KeptVersion, Proven, Span
from store import outbox
from store.database import Transaction
from store.rules import drafts, history, policies, reports

TOPIC = "rules"


class Disablement(BaseModel, frozen=True):
    """A version switched off until it comes back by itself, or is lifted."""

    id: UUID
    digest: str
    since: datetime
    until: datetime
    reason: str
    disabled_by: str
    lifted_by: str | None
    lifted_at: datetime | None


async def edition(tx: Transaction) -> Edition:
    """Of what applies in the hospital of the transaction."""
    found = await tx.rows(
        Edition,
        """
        select coalesce((select edition from rule_edition where hospital = %s), 0) as own,
               (select edition from shared_rule_edition where name = 'rules') as shared
        """,
        [tx.hospital],
    )
    return found[0]


async def applying(tx: Transaction) -> tuple[str, list[KeptVersion]]:
    """The hospital's network ('' for none), and every version that was ever published for it, shared ones included."""
    here = await tx.one("select network from shared_hospital where code = %s", [tx.hospital])
    network = (here or {}).get("network") or ""
    spans: dict[str, list[Span]] = defaultdict(list)
    for each in await tx.rows(Disablement, "select * from rule_disablement where hospital = %s", [tx.hospital]):
        ends = min(each.until, each.lifted_at) if each.lifted_at else each.until
        if each.since < ends:
            spans[each.digest].append(Span(since=each.since, until=ends))
    rows = await tx.all(
        """
        select digest, rule, version, point, level, place, document, since, until, published_at, null as parent,
               signer as owner from shared_rule where level = 'national' or place = %(network)s
        union all
        select digest, rule, version, point, level, place, document, since, until, published_at, parent,
               submitted_by as owner from rule_version where hospital = %(hospital)s
        """,
        {"hospital": tx.hospital, "network": network},
    )
    return network, [KeptVersion(**row, disabled=tuple(spans[row["digest"]])) for row in rows]


async def publish(
    tx: Transaction,
    draft_id: UUID,
    *,
    revision: int,
    proven: Proven,
    since: datetime,
    until: datetime | None,
    by: str,
    now: datetime,
) -> Draft:
    """Make an approved draft a version that applies from `since` on, which may lie ahead, never behind.

    Raises Invalid below the hospital's policy, Conflict when the version's number is taken, StaleRevision, AlreadyDone.
    """
    if since < now or (until is not None and until <= since):
        raise Invalid("a rule applies from now or later, and ends after it began", field="/since")
    await _refuse_unproven(tx, await drafts.get(tx, draft_id), proven)
    draft = await drafts.close(tx, draft_id, revision=revision)
    report = await reports.signed_for(tx, draft.digest)
    made = await tx.one(
        """
        insert into rule_version (hospital, digest, rule, version, point, level, place, document, parent, reason, draft,
                                  authors, submitted_by, approved_by, approved_at, published_by, published_at, tests,
                                  branch_coverage, row_coverage, report, since, until)
        select hospital, digest, rule, version, point, level, place, document, parent, reason, id, authors,
               submitted_by, approved_by, approved_at, %(by)s, %(now)s, %(tests)s, %(branches)s, %(rows)s, %(report)s,
               %(since)s, %(until)s
        from rule_draft where hospital = %(hospital)s and id = %(id)s
        on conflict do nothing returning digest
        """,
        {
            "hospital": tx.hospital,
            "id": draft_id,
            "by": by,
            "now": now,
            "tests": proven.tests,
            "branches": proven.branch_coverage,
            "rows": proven.row_coverage,
            "report": report,
            "since": since,
            "until": until,
        },
    )
    if made is None:
        raise Conflict("this version was published before: give the rule a new number", rule=draft.rule)
    told = {"since": since.isoformat(), "until": until.isoformat() if until else None, "version": draft.version}
    await _changed(
        tx, "publish", rule=draft.rule, digest=draft.digest, by=by, now=now, reason=draft.reason, detail=told
    )
    return draft


async def _refuse_unproven(tx: Transaction, draft: Draft, proven: Proven) -> None:
    policy = await policies.policy(tx)
    if not proven.passed or not proven.tests:
        raise Invalid("the rule's own tests do not pass", field="/tests")
    if proven.branch_coverage < policy.branch_coverage or proven.row_coverage < policy.row_coverage:
        asked, shown = (
            f"{100 * branches:.0f}% of branches and {100 * rows:.0f}% of rows"
            for branches, rows in (
                (policy.branch_coverage, policy.row_coverage),
                (proven.branch_coverage, proven.row_coverage),
            )
        )
        raise Invalid(f"the tests reach {shown}; this hospital asks for {asked}", field="/tests")
    if policy.impact_signed and await reports.signed_for(tx, draft.digest) is None:
        raise Invalid("this hospital asks for a signed impact report of this very text", field="/report")


async def retire(tx: Transaction, digest: str, *, at: datetime, by: str, now: datetime, reason: str) -> None:
    """End a version at an instant, now or ahead. Raises NotFound, Invalid, AlreadyDone when it ends no later."""
    if at < now:
        raise Invalid("what has applied has applied: a rule ends now or later", field="/at")
    changed = await tx.one(
        """
        update rule_version set until = greatest(%(at)s, since), retired_by = %(by)s, retired_at = %(now)s
        where hospital = %(hospital)s and digest = %(digest)s and (until is null or until > %(at)s)
        returning rule
        """,
        {"hospital": tx.hospital, "digest": digest, "at": at, "by": by, "now": now},
    )
    if changed is None:
        kept = await tx.one(
            "select retired_by, until from rule_version where hospital = %s and digest = %s", [tx.hospital, digest]
        )
        if kept is None:
            raise NotFound("no such version of this hospital")
        raise AlreadyDone("it ends before that", at=kept["until"].isoformat(), by=kept["retired_by"] or "")
    told = {"at": at.isoformat()}
    await _changed(tx, "retire", rule=changed["rule"], digest=digest, by=by, now=now, reason=reason, detail=told)


async def disable(
    tx: Transaction, id_: UUID, digest: str, *, until: datetime, by: str, now: datetime, reason: str
) -> Disablement:
    """Switch a version off at once, here, until an instant. The next wider one applies meanwhile.

    A national or network version is switched off for this hospital alone. Raises NotFound, Invalid beyond the policy.
    """
    policy = await policies.policy(tx)
    if not now < until <= now + policy.longest:
        raise Invalid(f"an emergency lasts at most {policy.longest_disablement} hours", field="/until")
    rule = await rule_of(tx, digest)
    made = await tx.rows(
        Disablement,
        """
        insert into rule_disablement (hospital, id, digest, since, until, reason, disabled_by)
        values (%s, %s, %s, %s, %s, %s, %s) returning *
        """,
        [tx.hospital, id_, digest, now, until, reason, by],
    )
    told = {"until": until.isoformat()}
    await _changed(tx, "disable", rule=rule, digest=digest, by=by, now=now, reason=reason, detail=told)
    return made[0]


async def lift(tx: Transaction, id_: UUID, *, by: str, now: datetime) -> Disablement:
    """Switch it on again before its time. Raises NotFound, AlreadyDone."""
    lifted = await tx.rows(
        Disablement,
        """
        update rule_disablement set lifted_by = %(by)s, lifted_at = %(now)s
        where hospital = %(hospital)s and id = %(id)s and lifted_at is null and until > %(now)s returning *
        """,
        {"hospital": tx.hospital, "id": id_, "by": by, "now": now},
    )
    if not lifted:
        found = await tx.rows(
            Disablement, "select * from rule_disablement where hospital = %s and id = %s", [tx.hospital, id_]
        )
        if not found:
            raise NotFound("no such disablement")
        ended = found[0].lifted_at or found[0].until
        raise AlreadyDone("it has ended", by=found[0].lifted_by or "", at=ended.isoformat())
    rule = await rule_of(tx, lifted[0].digest)
    await _changed(tx, "lift", rule=rule, digest=lifted[0].digest, by=by, now=now)
    return lifted[0]


async def running(tx: Transaction, now: datetime) -> list[Disablement]:
    """What is switched off at an instant, the one that comes back first at the top."""
    return await tx.rows(
        Disablement,
        """
        select * from rule_disablement
        where hospital = %(hospital)s and since <= %(now)s and until > %(now)s and lifted_at is null order by until
        """,
        {"hospital": tx.hospital, "now": now},
    )


async def rule_of(tx: Transaction, digest: str) -> str:
    """The id of the rule that a version is of, own or shared. Raises NotFound."""
    row = await tx.one(
        """
        select rule from rule_version where hospital = %(hospital)s and digest = %(digest)s
        union all select rule from shared_rule where digest = %(digest)s
        """,
        {"hospital": tx.hospital, "digest": digest},
    )
    if row is None:
        raise NotFound("no such version")
    return str(row["rule"])


async def open_cases(tx: Transaction, digest: str, limit: int = 100) -> list[str]:
    """Open processes that a version has decided something for, the latest decision first."""
    rows = await tx.all(
        """
        select p.workflow_id, max(d.decided_at) as last from decision_log d
        join process p on p.hospital = d.hospital and p.workflow_id = d.workflow_id
        where d.hospital = %(hospital)s and d.digest = %(digest)s and p.closed_at is null
        group by p.workflow_id order by last desc, p.workflow_id limit %(limit)s
        """,
        {"hospital": tx.hospital, "digest": digest, "limit": limit},
    )
    return [row["workflow_id"] for row in rows]


async def _changed(
    tx: Transaction,
    action: str,
    *,
    rule: str,
    digest: str,
    by: str,
    now: datetime,
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    await tx.execute(
        """
        insert into rule_edition (hospital, edition) values (%s, 1)
        on conflict (hospital) do update set edition = rule_edition.edition + 1
        """,
        [tx.hospital],
    )
    await history.note(tx, action, rule=rule, actor=by, at=now, digest=digest, reason=reason, detail=detail)
    await outbox.put(tx, TOPIC, rule)
