"""My work: rows with what is late first, and one task with its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from api.caller import Caller
from api.ui.views.beds import WardBeds
from api.ui.views.codes import priority_name, task_name
from api.ui.views.frame import Notice
from api.ui.views.names import Names
from api.ui.views.people import PatientView, patient_view
from api.ui.views.times import Due, Moment, due, moment
from api.ui.words import Words
from domain.ids import WorkflowId
from domain.worklist import Priority, TaskKind, TaskStatus
from store.worklist import Counts, Task


class Show(StrEnum):
    """Which part of the list: the address says it, so it can be kept and shared."""

    OPEN = "open"
    FREE = "free"
    MINE = "mine"


@dataclass(frozen=True)
class Tab:
    href: str
    label: str
    count: str
    current: bool


@dataclass(frozen=True)
class Row:
    """number: the FHIR Task's id.  urgency: empty for routine.  owner: empty while nobody has it.

    claimable, releasable: which button stands in the row.
    """

    number: str
    href: str
    urgency: str
    priority: str
    patient: PatientView
    ward: str
    what: str
    why: str
    due: Due
    owner: str
    mine: bool
    since: str
    revision: int
    claimable: bool
    releasable: bool


@dataclass(frozen=True)
class WorklistView:
    """here: address of this very list, for its refresh.  empty: what an empty list says.  cut: set when more exist."""

    day: str
    tabs: tuple[Tab, ...]
    rows: tuple[Row, ...]
    late: str
    here: str
    show: str
    empty_title: str
    empty_text: str
    cut: str


@dataclass(frozen=True)
class WorklistFacts:
    """What the store gave: tasks in their order, patients' bodies by reference, names, counts."""

    tasks: Sequence[Task]
    patients: Mapping[str, Mapping[str, Any]]
    names: Names
    counts: Counts
    limit: int


def worklist_view(words: Words, facts: WorklistFacts, caller: Caller, show: Show, now: datetime) -> WorklistView:
    _ = words.gettext
    tabs = (
        (Show.OPEN, _("All open"), facts.counts.open),
        (Show.FREE, _("Not taken"), None),
        (Show.MINE, _("Mine"), facts.counts.mine),
    )
    shown = [task for task in facts.tasks if _belongs(task, caller, show)]
    empty = {
        Show.OPEN: (_("Nothing waits for you"), _("New work appears here by itself, the most urgent first.")),
        Show.FREE: (_("Everything is taken"), _("No open task of your roles is without a person.")),
        Show.MINE: (
            _("You have taken no task"),
            _("Take one from the open tasks; it then stays yours until it is done."),
        ),
    }[show]
    late = facts.counts.late
    return WorklistView(
        day=words.day(now),
        tabs=tuple(
            Tab(f"/worklist?show={which.value}", label, "" if count is None else str(count), which is show)
            for which, label, count in tabs
        ),
        rows=tuple(row_view(words, task, facts, caller, now) for task in shown),
        late=words.ngettext("{count} late", "{count} late", late).format(count=late) if late else "",
        here=f"/worklist?show={show.value}",
        show=show.value,
        empty_title=empty[0],
        empty_text=empty[1],
        cut=(
            _("The {limit} most urgent are shown.").format(limit=facts.limit) if len(facts.tasks) >= facts.limit else ""
        ),
    )


def _belongs(task: Task, caller: Caller, show: Show) -> bool:
    match show:
        case Show.OPEN:
            return True
        case Show.FREE:
            return task.owner is None
        case Show.MINE:
            return task.owner == caller.actor


def row_view(words: Words, task: Task, facts: WorklistFacts, caller: Caller, now: datetime) -> Row:
    ward = facts.names.place(task.ward)
    priority = Priority(task.priority)
    return Row(
        number=task.id,
        href=f"/worklist/{task.id}",
        urgency="" if priority is Priority.ROUTINE else priority_name(words, priority),
        priority=priority.value,
        patient=patient_view(words, facts.patients.get(task.patient, {}), now),
        ward=ward,
        what=task_name(words, TaskKind(task.kind)),
        why=why(words, task, now),
        due=due(words, task.due_at, now),
        owner=facts.names.person(task.owner) if task.owner else "",
        mine=task.owner == caller.actor,
        since=words.ago(task.owner_since, now) if task.owner_since else "",
        revision=task.revision,
        claimable=task.owner is None,
        releasable=task.owner == caller.actor,
    )


def why(words: Words, task: Task, now: datetime) -> str:
    """Why this waits, in one sentence. The ward stands beside it."""
    _ = words.gettext
    if task.kind is TaskKind.COMMAND_REFUSED:
        return _("What you asked for was kept, and could not be done any more. It was refused {ago}.").format(
            ago=words.ago(task.opened_at, now)
        )
    if task.escalated:
        said = _("Admission was requested {ago}; its time has passed without a bed, so others were asked too.")
    else:
        said = _("Admission was requested {ago} and no bed is assigned yet.")
    return said.format(ago=words.ago(task.opened_at, now))


@dataclass(frozen=True)
class TaskView:
    """One task. wards: where free beds are, the asked ward first; empty unless the task is mine.

    refused: for a command that was refused later, why and what to do instead; the form is then "seen".

    ended: what came of a closed task; None while it is open.  error: beside the choice of beds, after a refusal.
    """

    row: Row
    stay_href: str
    opened: Moment
    key: str
    wards: tuple[WardBeds, ...]
    no_beds: bool
    next: str
    ended: str
    error: str
    refused: Notice | None


def task_view(
    words: Words,
    task: Task,
    facts: WorklistFacts,
    caller: Caller,
    now: datetime,
    *,
    key: str,
    wards: Sequence[WardBeds] = (),
    ended: str = "",
    error: str = "",
    refused: Notice | None = None,
) -> TaskView:
    _ = words.gettext
    row = row_view(words, task, facts, caller, now)
    if refused:
        following = _("Nothing waits for this: it only tells you. Decide again where the matter stands now.")
    elif row.mine:
        following = _("When you assign a bed, the patient is admitted to it at once and the task leaves the list.")
    elif row.claimable:
        following = _("Take the task to choose a bed. Until then any colleague with your role may take it.")
    else:
        following = _("It goes on when {owner} assigns a bed, or gives the task back.").format(owner=row.owner)
    if not TaskStatus(task.status).open:
        following = _("Nothing is left to do here. The stay shows what comes next.")
    return TaskView(
        row=row,
        stay_href=f"/stays/{WorkflowId.parse(task.workflow_id).subject.id}",
        opened=moment(words, task.opened_at, now),
        key=key,
        wards=tuple(wards),
        no_beds=row.mine and not refused and not any(ward.beds for ward in wards),
        next=following,
        ended=ended,
        error=error,
        refused=refused,
    )
