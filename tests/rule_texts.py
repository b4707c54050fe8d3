"""Rules of a hospital for tests: the shipped ones, changed a little."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from typing import Any
from uuid import uuid4

from domain.decisions import DecisionPoint
from domain.rule_versions import Draft, Person, Proven, RuleText
from rules.document import load
from rules.library import shipped
from rules.texts import text_of
from store.database import Transaction
from store.rules import drafts, versions

PROVEN = Proven(passed=True, tests=5, branch_coverage=1.0, row_coverage=1.0)
ANALYST, COLLEAGUE, APPROVER = Person(account="analyst"), Person(account="colleague"), Person(account="approver")


def raw(
    hospital: str, *, version: str = "2.0.0", department: str = "", minutes: int | None = None, **changes: Any
) -> dict[str, Any]:
    """The rule for a bed's due time, as this hospital would write it. minutes: what the urgent answer allows."""
    document = json.loads(shipped()[DecisionPoint.BED_ASSIGNMENT_DUE].canonical)
    scope = {"level": "hospital", "place": hospital}
    if department:
        scope = {"level": "department", "place": f"{hospital}/{department}"}
    document |= {"version": version, "scope": scope, **changes}
    if minutes is not None:
        document["outcomes"] = copy.deepcopy(document["outcomes"])
        document["outcomes"]["within-15-minutes"]["values"]["minutes"] = minutes
    return document


def text(hospital: str, **changes: Any) -> RuleText:
    parent = shipped()[DecisionPoint.BED_ASSIGNMENT_DUE].digest
    return text_of(load(raw(hospital, **changes)), parent)


async def approved(tx: Transaction, rule: RuleText, now: datetime) -> Draft:
    """A draft that has been through four eyes."""
    draft = await drafts.begin(tx, uuid4(), rule, reason="our beds are near", by="analyst", now=now)
    draft = await drafts.submit(tx, draft.id, revision=draft.revision, by="analyst", now=now)
    return await drafts.approve(tx, draft.id, revision=draft.revision, person=APPROVER, now=now)


async def published(
    tx: Transaction, rule: RuleText, now: datetime, *, since: datetime | None = None, until: datetime | None = None
) -> Draft:
    draft = await approved(tx, rule, now)
    return await versions.publish(
        tx,
        draft.id,
        revision=draft.revision,
        proven=PROVEN,
        since=since or now,
        until=until,
        by="approver",
        now=now,
    )
