"""The story of a stay in words: one sentence for each kind of journal line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.refusals import N_
from api.ui.views.codes import cancel_reason, priority_name, reassign_reason
from api.ui.views.duty import position_name
from api.ui.views.frame import role_name
from api.ui.views.names import Names
from api.ui.views.times import Moment, moment
from api.ui.words import Words
from domain.admission import CancelReason
from domain.duty import DutyPosition
from domain.journal import JournalKey
from domain.roles import Role
from domain.worklist import Priority, ReassignReason
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
    JournalKey.TASK_STARTED: N_("{actor} began the task."),
    JournalKey.TASK_RELEASED: N_("{actor} gave the task back."),
    JournalKey.TASK_DELEGATED: N_("{actor} asked {to} to do the task."),
    JournalKey.TASK_RETURNED: N_("{actor} returned the task to {to}."),
    JournalKey.TASK_REASSIGNED: N_("{actor} gave the task to {to} ({why})."),
    JournalKey.TASK_FORWARDED: N_("{actor} sent the task on to {role}."),
    JournalKey.TASK_COMMENTED: N_("{actor} added a comment to the task."),
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


def named_in(line: JournalLine) -> list[str]:
    """Accounts whose names a line's sentence says."""
    told = (line.actor, line.params.get("to"), line.params.get("from"))
    return [who for who in (*told, *line.params.get("people", "").split(",")) if who]


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _shown(words: Words, name: str, value: str, names: Names, now: datetime) -> str:
    def roles() -> str:
        return ", ".join(role_name(words, Role(role)) for role in value.split(","))

    ways: dict[str, Callable[[], str]] = {
        "ward": lambda: names.place(value),
        "bed": lambda: names.place(value),
        "role": roles,
        "people": lambda: ", ".join(names.person(account) for account in value.split(",")),
        "position": lambda: position_name(words, DutyPosition(value)),
        "priority": lambda: priority_name(words, Priority(value)),
        "to": lambda: names.person(value) if value else words.gettext("nobody"),
        "from": lambda: names.person(value) if value else words.gettext("nobody"),
        "why": lambda: reassign_reason(words, ReassignReason(value)),
        "reason": lambda: cancel_reason(words, CancelReason(value)),
        "due": lambda: words.clock(datetime.fromisoformat(value), now),
    }
    return ways[name]() if name in ways else value
