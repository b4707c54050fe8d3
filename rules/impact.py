"""What another version of a rule would have decided about past cases, counted case by case."""

from __future__ import annotations

from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, Field

from domain.decisions import PastDecision
from rules.document import RuleDocument
from rules.engine import Evaluated, RuleEngine
from rules.facts import Facts, look_up

_SAMPLES: Final = 5  # for each way an answer changes
_PAYER: Final = ("insurance", "kind")
_ELSEWHERE: Final = ""  # neither ward nor payer is known
OPEN: Final = "indeterminate"


class Sample(BaseModel, frozen=True):
    """A case that would have been decided otherwise, by references: who may read its facts, reads them there."""

    workflow_id: str
    step: str
    trace: str | None
    at: AwareDatetime
    before: str
    after: str


class Group(BaseModel):
    """Cases of one ward or payer, and how many of them would change."""

    cases: int = 0
    changed: int = 0


class Impact(BaseModel):
    """Counts so far; a report goes on from it. outcomes: before → after → cases, changed or not.

    missing: facts that the version needed and the past lacked, with the number of cases.
    cursor: the last case that was counted.  expected: how many cases there were when the counting began.
    """

    expected: int | None = None

    cases: int = 0
    changed: int = 0
    outcomes: dict[str, dict[str, int]] = Field(default_factory=dict)
    wards: dict[str, Group] = Field(default_factory=dict)
    payers: dict[str, Group] = Field(default_factory=dict)
    missing: dict[str, int] = Field(default_factory=dict)
    samples: dict[str, list[Sample]] = Field(default_factory=dict)
    cursor: dict[str, str] | None = None


def count(engine: RuleEngine, document: RuleDocument, past: list[PastDecision], impact: Impact) -> None:
    """Count what `document` says to past cases into `impact`. Raises RuleUnusable for one that does not compile.

    An answer changes when its key does, or the values that stand behind the key.
    """
    for one in past:
        evaluated = engine.evaluate(document, one.facts)
        before, after = (
            OPEN if one.indeterminate else one.outcome,
            OPEN if evaluated.indeterminate else evaluated.outcome,
        )
        changed = before != after or _values(document, evaluated) != one.rows
        impact.cases += 1
        impact.changed += changed
        row = impact.outcomes.setdefault(before, {})
        row[after] = row.get(after, 0) + 1
        for groups, name in ((impact.wards, one.department), (impact.payers, _payer(one.facts))):
            group = groups.setdefault(name, Group())
            group.cases += 1
            group.changed += changed
        for fact in evaluated.missing if evaluated.indeterminate else ():
            impact.missing[fact] = impact.missing.get(fact, 0) + 1
        if changed:
            _sample(impact, one, before, after)
    if past:
        last = past[-1]
        impact.cursor = {"at": last.at.isoformat(), "workflow_id": last.workflow_id, "step": last.step}


def _sample(impact: Impact, one: PastDecision, before: str, after: str) -> None:
    kept = impact.samples.setdefault(f"{before} → {after}", [])
    if len(kept) < _SAMPLES:
        trace = str(one.trace) if one.trace else None
        kept.append(
            Sample(
                workflow_id=one.workflow_id,
                step=one.step,
                trace=trace,
                at=one.at,
                before=before,
                after=after,
            )
        )


def _values(document: RuleDocument, evaluated: Evaluated) -> list[dict[str, Any]]:
    return [document.outcomes[key].values for key in evaluated.outcomes]


def _payer(facts: Facts) -> str:
    found = look_up(facts, _PAYER)
    return found if isinstance(found, str) else _ELSEWHERE
