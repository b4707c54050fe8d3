"""Codes of the house as words."""

from __future__ import annotations

from api.ui.words import Words
from domain.admission import CancelReason
from domain.worklist import Priority, ReassignReason, TaskKind


def priority_name(words: Words, priority: Priority) -> str:
    _ = words.gettext
    return {
        Priority.ROUTINE: _("routine"),
        Priority.URGENT: _("urgent"),
        Priority.ASAP: _("as soon as possible"),
        Priority.STAT: _("immediately"),
    }[priority]


def cancel_reason(words: Words, reason: CancelReason) -> str:
    _ = words.gettext
    return {
        CancelReason.PATIENT_DECLINED: _("the patient declined"),
        CancelReason.NO_LONGER_NEEDED: _("no longer needed"),
        CancelReason.OTHER_HOSPITAL: _("admitted to another hospital"),
        CancelReason.ENTERED_IN_ERROR: _("entered in error"),
    }[reason]


def reassign_reason(words: Words, reason: ReassignReason) -> str:
    _ = words.gettext
    return {
        ReassignReason.ABSENT: _("the owner is absent"),
        ReassignReason.OVERLOADED: _("the owner has too much to do"),
        ReassignReason.SHIFT_END: _("the shift ended"),
        ReassignReason.WRONG_PERSON: _("it was the wrong person's"),
        ReassignReason.OTHER: _("another reason"),
    }[reason]


def task_name(words: Words, kind: TaskKind) -> str:
    _ = words.gettext
    return {
        TaskKind.ASSIGN_BED: _("Assign a bed"),
        TaskKind.COMMAND_REFUSED: _("Refused after you left"),
    }[kind]
