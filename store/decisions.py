"""The decision log: what a rule was asked, with all its facts, and what it said (engine room, 13)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel

from domain.canonical import kept_json
from domain.clock import HospitalClock
from domain.decisions import Decision, DecisionPoint, DecisionRequest, PastDecision
from domain.errors import NotFound
from domain.rule_versions import Edition
from store.database import Transaction
from store.pipeline import Pending
from store.sealing import KeyRing, Sealed, SealedColumn, open_, place, seal

_PURPOSE = "decision"
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_EXISTING: Final = "select * from decision_log where hospital = %s and workflow_id = %s and step = %s"


@dataclass(frozen=True)
class Before:
    """What must be known before a step decides. started_at: when its process began, None without a process row."""

    decision: Decision | None
    edition: Edition
    started_at: datetime | None
    clock: HospitalClock


async def before(tx: Transaction, workflow_id: str, step: str) -> Before:
    """The decision that the step took already, and what it needs where it did not: then in one round trip."""
    around = await tx.one(
        """
        select coalesce(e.edition, 0) as own, s.edition as shared, p.started_at, c.epoch, c.base, c.rate,
               exists (select from decision_log d where d.hospital = %(hospital)s
                       and d.workflow_id = %(workflow_id)s and d.step = %(step)s) as taken
        from shared_rule_edition s
        left join rule_edition e on e.hospital = %(hospital)s
        left join process p on p.hospital = %(hospital)s and p.workflow_id = %(workflow_id)s
        left join hospital_clock c on c.hospital = %(hospital)s
        where s.name = 'rules'
        """,
        {"hospital": tx.hospital, "workflow_id": workflow_id, "step": step},
    )
    assert around is not None  # noqa: S101  # its row came with the table
    taken = await existing(tx, workflow_id, step) if around["taken"] else None
    clock = HospitalClock() if around["epoch"] is None else HospitalClock.model_validate(around)
    edition = Edition(own=around["own"], shared=around["shared"])
    return Before(taken, edition, around["started_at"], clock)


SEALED = SealedColumn(
    table="decision_log",
    order={"workflow_id": "text", "step": "text"},
    key="key_id",
    data="facts",
    purpose=_PURPOSE,
    place=lambda hospital, row: place(hospital, row["workflow_id"], row["step"]),
)


async def existing(tx: Transaction, workflow_id: str, step: str) -> Decision | None:
    """The decision that this step took already: it stands, whatever the rule says today."""
    row = await tx.one(_EXISTING, [tx.hospital, workflow_id, step])
    return None if row is None else _decision(row)


async def record(tx: Transaction, request: DecisionRequest, decision: Decision) -> Decision:
    """Log a decision and return the one that stands: another run of the step may have been first."""
    if await (await put(tx, request, decision)).fetchone() is not None:
        return decision
    return await existing(tx, request.workflow_id, request.step) or decision


async def put(tx: Transaction, request: DecisionRequest, decision: Decision) -> Pending:
    """Queue a row of the log. It answers with a row where it is the step's first."""
    facts = seal(
        tx.keys,
        kept_json(request.facts),
        place(tx.hospital, request.workflow_id, request.step),
        purpose=_PURPOSE,
        hospital=tx.hospital,
    )
    return await tx.connection.execute(
        """
        insert into decision_log (hospital, workflow_id, step, point, subject, decided_at, outcome, values, rule,
                                  version, digest, indeterminate, reason, missing, key_id, facts, trace, dictionary,
                                  derivation, department, outcomes, rows, number, wrong)
        values (%(hospital)s, %(workflow_id)s, %(step)s, %(point)s, %(subject)s, %(at)s, %(outcome)s, %(values)s,
                %(rule)s, %(version)s, %(digest)s, %(indeterminate)s, %(reason)s, %(missing)s, %(key_id)s, %(facts)s,
                %(trace)s, %(dictionary)s, %(derivation)s, %(department)s, %(outcomes)s, %(rows)s, %(number)s,
                %(wrong)s)
        on conflict do nothing returning step
        """,
        {
            "hospital": tx.hospital,
            "workflow_id": request.workflow_id,
            "step": request.step,
            "point": decision.point,
            "subject": request.subject,
            "at": request.at,
            "outcome": decision.outcome,
            "values": Jsonb(decision.values),
            "rule": decision.rule,
            "version": decision.version,
            "digest": decision.digest,
            "indeterminate": decision.indeterminate,
            "reason": decision.reason,
            "missing": list(decision.missing),
            "key_id": facts.key_id,
            "facts": facts.data,
            "trace": decision.trace,
            "dictionary": decision.dictionary,
            "derivation": decision.derivation,
            "department": request.department,
            "outcomes": list(decision.outcomes),
            "rows": Jsonb(list(decision.rows)),
            "number": decision.number,
            "wrong": list(decision.wrong),
        },
    )


async def request_of(tx: Transaction, workflow_id: str, step: str) -> DecisionRequest:
    """What was asked, facts included. Raises NotFound, SealBroken."""
    row = await tx.one(_EXISTING, [tx.hospital, workflow_id, step])
    if row is None:
        raise NotFound("no such decision", workflow_id=workflow_id, step=step)
    return _request(tx, row)


async def by_trace(tx: Transaction, trace: UUID) -> tuple[DecisionRequest, Decision]:
    """A decision by its number. Raises NotFound, SealBroken."""
    row = await tx.one("select * from decision_log where hospital = %s and trace = %s", [tx.hospital, trace])
    if row is None:
        raise NotFound("no such decision")
    return _request(tx, row), _decision(row)


class Cursor(BaseModel, frozen=True):
    """Where a reader of the log stands: behind this decision."""

    at: AwareDatetime
    workflow_id: str
    step: str


@dataclass(frozen=True)
class SealedPast:
    """Decisions as they are kept. To open them takes a processor's time: not for a loop that others wait for."""

    hospital: str
    keys: KeyRing
    rows: list[dict[str, Any]]

    @property
    def behind(self) -> Cursor | None:
        """Where the next ones begin."""
        if not self.rows:
            return None
        last = self.rows[-1]
        return Cursor(at=last["decided_at"], workflow_id=last["workflow_id"], step=last["step"])

    def opened(self) -> list[PastDecision]:
        """Raises SealBroken."""
        return [_past(self.keys, self.hospital, row) for row in self.rows]


async def how_many(tx: Transaction, point: str, *, since: datetime | None, until: datetime | None) -> int:
    """Decisions of a point in a period."""
    counted = await tx.one(
        """
        select count(*) as cases from decision_log
        where hospital = %(hospital)s and point = %(point)s
          and decided_at >= coalesce(%(since)s::timestamptz, '-infinity')
          and decided_at < coalesce(%(until)s::timestamptz, 'infinity')
        """,
        {"hospital": tx.hospital, "point": point, "since": since, "until": until},
    )
    assert counted is not None  # noqa: S101  # a count has a row
    cases: int = counted["cases"]
    return cases


async def past(
    tx: Transaction,
    point: str,
    *,
    since: datetime | None,
    until: datetime | None,
    after: Cursor | None,
    limit: int,
) -> SealedPast:
    """Decisions of a point in the order of their times, `limit` of them behind a cursor, with their facts."""
    rows = await tx.all(
        """
        select workflow_id, step, decided_at, department, outcome, indeterminate, rows, trace, key_id, facts,
               case when rows is null then values end as values
        from decision_log
        where hospital = %(hospital)s and point = %(point)s
          and decided_at >= coalesce(%(since)s::timestamptz, '-infinity')
          and decided_at < coalesce(%(until)s::timestamptz, 'infinity')
          and (decided_at, workflow_id, step) > (%(at)s, %(workflow_id)s, %(step)s)
        order by decided_at, workflow_id, step limit %(limit)s
        """,
        {
            "hospital": tx.hospital,
            "point": point,
            "since": since,
            "until": until,
            "limit": limit,
            "at": after.at if after else _FIRST,
            "workflow_id": after.workflow_id if after else "",
            "step": after.step if after else "",
        },
    )
    return SealedPast(tx.hospital, tx.keys, rows)


def _past(keys: KeyRing, hospital: str, row: Mapping[str, Any]) -> PastDecision:
    rows = row["rows"]
    if rows is None:  # of the first release: one answer and its values
        rows = [row["values"]] if row["values"] else []
    return PastDecision(
        row["workflow_id"],
        row["step"],
        row["decided_at"],
        row["department"] or "",
        _facts(keys, hospital, row),
        row["outcome"],
        row["indeterminate"],
        rows,
        row["trace"],
    )


def _facts(keys: KeyRing, hospital: str, row: Mapping[str, Any]) -> dict[str, Any]:
    opened = open_(
        keys,
        Sealed(row["key_id"], row["facts"]),
        place(hospital, row["workflow_id"], row["step"]),
        purpose=_PURPOSE,
        hospital=hospital,
    )
    facts: dict[str, Any] = json.loads(opened)
    return facts


def _request(tx: Transaction, row: Mapping[str, Any]) -> DecisionRequest:
    return DecisionRequest(
        workflow_id=row["workflow_id"],
        step=row["step"],
        point=DecisionPoint(row["point"]),
        subject=row["subject"],
        facts=_facts(tx.keys, tx.hospital, row),
        at=row["decided_at"],
        department=row["department"] or "",
    )


def _decision(row: Mapping[str, Any]) -> Decision:
    """Rows of the first release lack the later columns."""
    return Decision.model_validate({name: value for name, value in row.items() if value is not None})
