"""One stay: who, where it stands, why it waits, and its story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.ui.views.codes import cancel_reason, priority_name, task_name
from api.ui.views.duty import asked_name
from api.ui.views.frame import role_names
from api.ui.views.journal import JournalView, journal_view
from api.ui.views.names import Names
from api.ui.views.people import PatientView, patient_view
from api.ui.views.times import Due, Moment, due, moment
from api.ui.words import Words
from domain.admission import AdmissionPhase, AdmissionState, CancelReason
from domain.roles import Role
from domain.worklist import Priority, TaskKind
from store.journal import JournalLine
from store.worklist import Task

_ENDED = {AdmissionPhase.ADMITTED, AdmissionPhase.CANCELLED}


@dataclass(frozen=True)
class Waiting:
    """The card "why waiting". then: what happens if nobody acts.  task_href: empty for who may not open it."""

    what: str
    whom: str
    since: Moment
    since_text: str
    due: Due
    then: str
    task_href: str


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True)
class StayView:
    """number: the Encounter's id.  phase: where the stay stands, in words; tone: `waiting`, `done` or `stopped`.

    waiting: None when nothing is waited for.  reasons: why one may withdraw the request; empty for who may not.
    """

    number: str
    patient: PatientView
    phase: str
    tone: str
    place_label: str
    place: str
    urgency: str
    waiting: Waiting | None
    journal: tuple[JournalView, ...]
    reasons: tuple[Choice, ...]
    key: str
    here: str


@dataclass(frozen=True)
class StayFacts:
    """candidates: roles that may take the open task."""

    encounter: Mapping[str, Any]
    patient: Mapping[str, Any]
    admission: AdmissionState | None
    task: Task | None
    candidates: Sequence[Role]
    journal: Sequence[JournalLine]
    names: Names


def stay_view(words: Words, facts: StayFacts, now: datetime, *, key: str, may_cancel: bool, may_work: bool) -> StayView:
    _ = words.gettext
    admission = facts.admission
    number = str(facts.encounter["id"])
    phase, tone = _phase(words, facts)
    bed = admission.bed if admission else None
    cancellable = may_cancel and admission is not None and admission.phase not in _ENDED
    return StayView(
        number=number,
        patient=patient_view(words, facts.patient, now),
        phase=phase,
        tone=tone,
        place_label=_("Bed") if bed else _("Ward asked for"),
        place=_place(facts, bed),
        urgency=priority_name(words, Priority(admission.priority)) if admission else "",
        waiting=_waiting(words, facts, now, may_work=may_work),
        journal=tuple(journal_view(words, line, facts.names, now) for line in reversed(facts.journal)),
        reasons=tuple(Choice(reason.value, cancel_reason(words, reason)) for reason in CancelReason)
        if cancellable
        else (),
        key=key,
        here=f"/stays/{number}",
    )


def _place(facts: StayFacts, bed: str | None) -> str:
    if facts.admission is None:
        return ""
    return facts.names.place(bed or facts.admission.ward)


def _phase(words: Words, facts: StayFacts) -> tuple[str, str]:
    _ = words.gettext
    if facts.admission is None:
        return str(facts.encounter.get("status", "")), "waiting"
    return {
        AdmissionPhase.REQUESTED: (_("Admission requested"), "waiting"),
        AdmissionPhase.AWAITING_BED: (_("Waiting for a bed"), "waiting"),
        AdmissionPhase.BED_ASSIGNED: (_("Bed assigned"), "waiting"),
        AdmissionPhase.ADMITTED: (_("In hospital"), "done"),
        AdmissionPhase.CANCELLED: (_("Request withdrawn"), "stopped"),
    }[facts.admission.phase]


def _waiting(words: Words, facts: StayFacts, now: datetime, *, may_work: bool) -> Waiting | None:
    _ = words.gettext
    task = facts.task
    if task is None:
        return None
    if task.owner:
        whom = _("{person} has taken it").format(person=facts.names.person(task.owner))
    else:
        whom = _("nobody has taken it; asked: {roles}").format(roles=role_names(words, facts.candidates))
    if task.escalated:
        then = _("Whoever is on duty has been called. While nobody takes it, the next in charge are called in turn.")
    else:
        bed_task = facts.admission.bed_task if facts.admission else None
        then = _("If no bed is assigned by then, the {role} is asked as well.").format(
            role=asked_name(words, bed_task.then_ask if bed_task else Role.WARD_MANAGER)
        )
    return Waiting(
        what=task_name(words, TaskKind(task.kind)),
        whom=whom,
        since=moment(words, task.opened_at, now),
        since_text=words.ago(task.opened_at, now),
        due=due(words, task.due_at, now),
        then=then,
        task_href=f"/worklist/{task.id}" if may_work else "",
    )
