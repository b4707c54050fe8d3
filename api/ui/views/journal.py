"""The story of a stay in words: one sentence for each kind of journal line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.refusals import N_
from api.ui.views.codes import cancel_reason, priority_name
from api.ui.views.duty import position_name
from api.ui.views.frame import role_name
from api.ui.views.names import Names
from api.ui.views.times import Moment, moment
from api.ui.words import Words
from domain.admission import CancelReason
from domain.duty import DutyPosition
from domain.journal import JournalKey
from domain.roles import Role
from domain.worklist import Priority
from store.journal import JournalLine

SENTENCES: dict[JournalKey, str] = {
    JournalKey.PATIENT_REGISTERED: N_("{actor} registered the patient."),
    JournalKey.ADMISSION_REQUESTED: N_("{actor} requested admission to {ward}. Urgency: {priority}."),
    JournalKey.DUE_TIME_DECIDED: N_(
        "The rule allows {minutes} minutes to find a bed (rule {rule}, version {version})."
    ),
    JournalKey.DUE_TIME_FALLBACK: N_(
        "The rule lacked what it needs ({missing}), so {minutes} minutes were set for safety."
    ),
    JournalKey.BED_TASK_OPENED: N_("A bed is to be assigned by {due}. Asked: {role}."),
    JournalKey.TASK_CLAIMED: N_("{actor} took the task."),
    JournalKey.TASK_RELEASED: N_("{actor} gave the task back."),
    JournalKey.BED_TASK_ESCALATED: N_("No bed was assigned by {due}. Also asked: {role}."),
    JournalKey.DUTY_CALLED: N_("No bed was assigned by {due}. Called by roster: {people} ({position})."),
    JournalKey.DUTY_VACANT: N_(
        "No bed was assigned by {due}. Nobody is left on duty up to the {position}; also asked: {role}."
    ),
    JournalKey.BED_ASSIGNED: N_("{actor} assigned bed {bed}."),
    JournalKey.ADMITTED: N_("The patient was admitted to bed {bed}."),
    JournalKey.ADMISSION_CANCELLED: N_("{actor} withdrew the request: {reason}."),
    JournalKey.PATIENTS_MERGED: N_("{actor} merged two records of this patient into one."),
    JournalKey.COMMAND_REFUSED: N_("What {actor} had asked for was kept, and could not be done any more."),
}

_MARKS: dict[JournalKey, str] = {
    JournalKey.DUE_TIME_DECIDED: "rule",
    JournalKey.DUE_TIME_FALLBACK: "rule",
    JournalKey.BED_TASK_OPENED: "waiting",
    JournalKey.BED_TASK_ESCALATED: "late",
    JournalKey.DUTY_CALLED: "late",
    JournalKey.DUTY_VACANT: "late",
    JournalKey.BED_ASSIGNED: "bed",
    JournalKey.ADMITTED: "done",
    JournalKey.ADMISSION_CANCELLED: "stopped",
    JournalKey.COMMAND_REFUSED: "stopped",
}


@dataclass(frozen=True)
class JournalView:
    """mark: which icon stands beside the line."""

    mark: str
    text: str
    at: Moment


def journal_view(words: Words, line: JournalLine, names: Names, now: datetime) -> JournalView:
    return JournalView(
        mark=_MARKS.get(line.key, "person"),
        text=sentence(words, line, names, now),
        at=moment(words, line.occurred_at, now),
    )


def sentence(words: Words, line: JournalLine, names: Names, now: datetime) -> str:
    """A line in words. A parameter that an older release did not write shows as an ellipsis."""
    shown = {name: _shown(words, name, value, names, now) for name, value in line.params.items()}
    shown["actor"] = names.person(line.actor) if line.actor else words.gettext("The house")
    return words.gettext(SENTENCES[line.key]).format_map(_Forgiving(shown))


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _shown(words: Words, name: str, value: str, names: Names, now: datetime) -> str:  # noqa: PLR0911  (one a kind)
    match name:
        case "ward" | "bed":
            return names.place(value)
        case "role":
            return ", ".join(role_name(words, Role(role)) for role in value.split(","))
        case "people":
            return ", ".join(names.person(account) for account in value.split(","))
        case "position":
            return position_name(words, DutyPosition(value))
        case "priority":
            return priority_name(words, Priority(value))
        case "reason":
            return cancel_reason(words, CancelReason(value))
        case "due":
            return words.clock(datetime.fromisoformat(value), now)
        case _:
            return value
