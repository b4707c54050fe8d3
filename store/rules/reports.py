"""Impact reports: what a draft would have decided about past cases, kept and signed off."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel

from domain.errors import AlreadyDone, Forbidden, NotFound
from domain.rule_impact import ReportState
from domain.rule_versions import Person
from store.database import Transaction
from store.rules import history


class Report(BaseModel, frozen=True):
    """progress: the counts so far, and where to go on.  since, until: of which decisions."""

    id: UUID
    point: str
    rule: str
    digest: str
    document: bytes
    since: AwareDatetime | None
    until: AwareDatetime | None
    state: ReportState
    progress: dict[str, Any]
    asked_by: str
    asked_at: AwareDatetime
    done_at: AwareDatetime | None
    signed_by: str | None
    signed_at: AwareDatetime | None
    remark: str
    cancelled_by: str | None = None
    cancelled_at: AwareDatetime | None = None


async def begin(tx: Transaction, report: Report) -> None:
    """Keep a report that begins. The same id again changes nothing."""
    await tx.execute(
        """
        insert into rule_report (hospital, id, point, rule, digest, document, since, until, state, progress, asked_by,
                                 asked_at, remark)
        values (%(hospital)s, %(id)s, %(point)s, %(rule)s, %(digest)s, %(document)s, %(since)s, %(until)s, 'running',
                %(progress)s, %(asked_by)s, %(asked_at)s, '')
        on conflict do nothing
        """,
        {"hospital": tx.hospital, **report.model_dump(), "progress": Jsonb(report.progress)},
    )


async def advance(
    tx: Transaction, id_: UUID, *, before: int, progress: dict[str, Any], done_at: datetime | None
) -> bool:
    """Keep how far it came. before: cases counted as the caller read them; False when somebody else went on."""
    changed = await tx.one(
        """
        update rule_report
        set progress = %(progress)s, done_at = %(done_at)s,
            state = case when %(done_at)s::timestamptz is null then 'running' else 'done' end
        where hospital = %(hospital)s and id = %(id)s and state = 'running'
          and (progress->>'cases')::bigint = %(before)s
        returning id
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "before": before,
            "progress": Jsonb(progress),
            "done_at": done_at,
        },
    )
    return changed is not None


async def get(tx: Transaction, id_: UUID) -> Report:
    """Raises NotFound."""
    found = await tx.rows(Report, "select * from rule_report where hospital = %s and id = %s", [tx.hospital, id_])
    if not found:
        raise NotFound("no such report")
    return found[0]


async def sign(tx: Transaction, id_: UUID, *, person: Person, remark: str, now: datetime) -> Report:
    """Sign a finished report off. Raises Forbidden for whoever asked for it, AlreadyDone, NotFound."""
    report = await get(tx, id_)
    if report.asked_by in person.eyes:
        raise Forbidden("nobody signs a report of their own", action="approve-rule", roles="rule-approver")
    signed = await tx.rows(
        Report,
        """
        update rule_report set signed_by = %(by)s, signed_at = %(now)s, remark = %(remark)s
        where hospital = %(hospital)s and id = %(id)s and done_at is not null and signed_by is null returning *
        """,
        {"hospital": tx.hospital, "id": id_, "by": person.account, "now": now, "remark": remark},
    )
    if not signed:
        raise AlreadyDone("it is not finished, or signed already", status=report.state, by=report.signed_by or "")
    detail = {"report": str(id_)}
    await history.note(
        tx, "sign", rule=report.rule, actor=person.account, at=now, digest=report.digest, reason=remark, detail=detail
    )
    return signed[0]


async def signed_for(tx: Transaction, digest: str) -> UUID | None:
    """The latest signed report of a text, if there is one."""
    row = await tx.one(
        """
        select id from rule_report where hospital = %s and digest = %s and signed_by is not null
        order by signed_at desc limit 1
        """,
        [tx.hospital, digest],
    )
    return row["id"] if row else None


async def listed(tx: Transaction, digest: str) -> list[Report]:
    """The reports of a text, the latest first."""
    return await tx.rows(
        Report,
        "select * from rule_report where hospital = %s and digest = %s order by asked_at desc, id",
        [tx.hospital, digest],
    )


async def cancel(tx: Transaction, id_: UUID, *, by: str, reason: str, now: datetime) -> Report:
    """Stop a report that is being counted. What was counted stays, and cannot be signed.

    Raises AlreadyDone, NotFound.
    """
    stopped = await tx.rows(
        Report,
        """
        update rule_report set state = 'cancelled', cancelled_by = %(by)s, cancelled_at = %(now)s, remark = %(reason)s
        where hospital = %(hospital)s and id = %(id)s and state = 'running' returning *
        """,
        {"hospital": tx.hospital, "id": id_, "by": by, "now": now, "reason": reason},
    )
    if not stopped:
        raise AlreadyDone("it has ended", status=(await get(tx, id_)).state)
    report = stopped[0]
    detail = {"report": str(id_)}
    await history.note(
        tx, "cancel-impact", rule=report.rule, actor=by, at=now, digest=report.digest, reason=reason, detail=detail
    )
    return report


async def give_up(tx: Transaction, id_: UUID) -> None:
    """A report that no release can finish: it cannot be signed either."""
    await tx.execute(
        "update rule_report set state = 'failed' where hospital = %s and id = %s and state = 'running'",
        [tx.hospital, id_],
    )
