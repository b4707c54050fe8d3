"""Opening a record in an emergency, saying why, and the reviewers' queue, as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from api.ui.views.names import Names
from api.ui.views.people import PatientView, patient_view
from api.ui.views.stays import Choice
from api.ui.views.times import Moment, moment
from api.ui.words import Words
from domain.reach import Purpose
from store.care.glass import Broken, Reason, Verdict


@dataclass(frozen=True)
class DoorView:
    """A form that opens a record. errors: a sentence by field.  next: where the person wanted to go."""

    key: str
    next: str
    choices: tuple[Choice, ...]
    chosen: str
    words: str
    errors: Mapping[str, str]


@dataclass(frozen=True)
class UseView:
    """One use of the broken glass, for those who review it. own: nobody reviews their own."""

    id: str
    who: str
    patient: PatientView
    reason: str
    words: str
    at: Moment
    open: bool
    own: bool
    verdict: str
    remark: str
    reviewer: str
    reviewed_at: Moment | None


def reason_name(words: Words, reason: Reason) -> str:
    _ = words.gettext
    return {
        "emergency": _("An emergency: life or health is at risk now"),
        "covering": _("I stand in for the colleague in charge"),
        "consultation": _("A colleague asked me for advice"),
        "patient-unknown": _("The patient has just come, and nothing is recorded yet"),
        "other": _("Another reason, written below"),
    }[reason]


def purpose_name(words: Words, purpose: Purpose) -> str:
    _ = words.gettext
    return {
        Purpose.TREATMENT: _("Treatment"),
        Purpose.EMERGENCY_TREATMENT: _("Emergency treatment"),
        Purpose.BREAK_THE_GLASS: _("Emergency access"),
        Purpose.PAYMENT: _("Billing and insurance"),
        Purpose.OPERATIONS: _("Running the hospital: quality, records, beds"),
        Purpose.PATIENT_REQUEST: _("The patient asked for it"),
        Purpose.LEGAL: _("A legal duty"),
        Purpose.RESEARCH: _("Approved research"),
    }[purpose]


def verdict_name(words: Words, verdict: Verdict) -> str:
    _ = words.gettext
    return {
        "justified": _("Justified"),
        "not-justified": _("Not justified"),
        "to-be-clarified": _("To be clarified with the person"),
    }[verdict]


def reasons(words: Words) -> tuple[Choice, ...]:
    return tuple(Choice(reason, reason_name(words, reason)) for reason in get_args(Reason))


def purposes(words: Words) -> tuple[Choice, ...]:
    """What a person can state: a broken glass has a door of its own."""
    return tuple(
        Choice(purpose.value, purpose_name(words, purpose))
        for purpose in Purpose
        if purpose is not Purpose.BREAK_THE_GLASS
    )


def verdicts(words: Words) -> tuple[Choice, ...]:
    return tuple(Choice(verdict, verdict_name(words, verdict)) for verdict in get_args(Verdict))


def uses(
    words: Words,
    found: Sequence[Broken],
    patients: Mapping[str, Mapping[str, Any]],
    names: Names,
    now: datetime,
    *,
    reader: str,
) -> tuple[UseView, ...]:
    return tuple(
        UseView(
            id=str(each.id),
            who=names.person(each.actor),
            patient=patient_view(words, patients[each.patient], now),
            reason=reason_name(words, each.reason),
            words=each.words,
            at=moment(words, each.broken_at, now),
            open=each.reviewed_at is None,
            own=each.actor == reader,
            verdict=verdict_name(words, each.verdict) if each.verdict else "",
            remark=each.remark or "",
            reviewer=names.person(each.reviewed_by) if each.reviewed_by else "",
            reviewed_at=moment(words, each.reviewed_at, now) if each.reviewed_at else None,
        )
        for each in found
    )
