"""My work: the list, a task, and what people do with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond, refuse_without_purpose, veiled_patients
from api.commands.processes import refusal
from api.commands.worklist.completing import Completion, submit_completion
from api.commands.worklist.lists import LIMIT, read_list
from api.commands.worklist.owning import submit_release, submit_start
from api.commands.worklist.shapes import person_of
from api.deps import allow
from api.present import Present, present
from api.state import AppState, State
from api.ui import pages, reading
from api.ui.routes.said import notice_of
from api.ui.views.beds import free_beds
from api.ui.views.frame import Notice
from api.ui.views.journal import named_in, sentence
from api.ui.views.worklist import Show, TaskView, WorklistFacts, WorklistView, task_view, worklist_view
from api.ui.words import Words
from domain.errors import BedTaken, Conflict, Forbidden, Invalid
from domain.ids import Reference, WorkflowId
from domain.journal import JournalKey
from domain.worklist import TaskKind
from rules.access import Action, may
from store import beds, journal, ledger, worklist
from store.audit import AuditAction
from store.database import Transaction
from store.worklist import Task

router = APIRouter(include_in_schema=False)

Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,80}$")]
_ENDINGS = {JournalKey.BED_ASSIGNED, JournalKey.ADMISSION_CANCELLED}


@router.get("/worklist")
async def show_list(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.SEE_WORKLIST)],
    show: Show = Show.OPEN,
    said: str = "",
) -> Response:
    return await _list(request, state, caller, show, notice_of(pages.words_of(request), said))


@router.get("/worklist/{task_id}")
async def show_task(
    request: Request,
    state: State,
    task_id: str,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
    said: str = "",
) -> Response:
    return await _task(request, state, caller, task_id, notice=notice_of(pages.words_of(request), said))


@router.post("/worklist/{task_id}/claim")
async def claim(
    request: Request,
    state: State,
    *,
    task_id: str,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
    revision: Annotated[int, Form()],
    show: Annotated[str, Form()] = Show.OPEN,
) -> Response:
    await submit_start(state, caller, uuid4().hex, Reference.to("Task", task_id), revision)
    return await _afterwards(request, state, caller, task_id=task_id, show=show, said="claimed")


@router.post("/worklist/{task_id}/release")
async def release(
    request: Request,
    state: State,
    *,
    task_id: str,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
    revision: Annotated[int, Form()],
    show: Annotated[str, Form()] = Show.OPEN,
) -> Response:
    await submit_release(state, caller, uuid4().hex, Reference.to("Task", task_id), revision)
    return await _afterwards(request, state, caller, task_id=task_id, show=show, said="released")


@router.post("/worklist/{task_id}/complete")
async def complete(
    request: Request,
    state: State,
    *,
    task_id: str,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
    revision: Annotated[int, Form()],
    key: Key,
    bed: Annotated[str, Form()] = "",
) -> Response:
    """Assign the bed. What can be put right is said beside the beds, with the task still open."""
    words, ref = pages.words_of(request), Reference.to("Task", task_id)
    if not bed and await _waits_for_bed(state, caller, ref):
        error = words.gettext("Choose a bed first.")
        return await _task(request, state, caller, task_id, error=error, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        order = Completion(revision=revision, bed=Reference(bed) if bed else None)
        outcome = await submit_completion(state, caller, key, ref, order)
    except (BedTaken, Invalid) as refused:
        if not await _waits_for_bed(state, caller, ref):
            raise
        said = await pages.refusal_sentences(request, refused)
        error = f"{said.title}. {said.advice}"
        return await _task(request, state, caller, task_id, error=error, status=said.status)
    except Conflict as refused:
        said = await pages.refusal_sentences(request, refused)
        notice = Notice("refused", said.title, said.detail, said.advice)
        return await _task(request, state, caller, task_id, notice=notice, status=said.status)
    if outcome.status == HTTPStatus.ACCEPTED:
        return pages.go(f"/kept/{key}")
    return pages.go(f"/worklist/{task_id}", said="bed-assigned") if bed else pages.go("/worklist")


async def _waits_for_bed(state: AppState, caller: Caller, ref: Reference) -> bool:
    """Whether the caller has the form before them that a bed is chosen in."""
    async with state.database.transaction(caller.hospital) as tx:
        task = await worklist.get(tx, ref)
    return task.kind is TaskKind.ASSIGN_BED and task.status.open and task.owner == caller.actor


async def _afterwards(
    request: Request, state: AppState, caller: Caller, *, task_id: str, show: str, said: str
) -> Response:
    """Back to where the button stood: the list, as a part or whole, or the task itself."""
    if show not in set(Show):
        return pages.go(f"/worklist/{task_id}", said=said)
    if pages.is_part(request):
        return await _list(request, state, caller, Show(show), notice_of(pages.words_of(request), said))
    return pages.go("/worklist", show=show, said=said)


async def _list(request: Request, state: AppState, caller: Caller, show: Show, notice: Notice | None) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        # A colleague's change refreshes the list of everybody who looks at it: that is an access only where it shows
        # a patient who was not there before (engine room, 11).
        again = pages.is_part(request) and request.method == "GET"
        tasks = await read_list(tx, caller, at, shown=state.shown if again else None)
        facts = await _facts(tx, words, caller, tasks, at=at)
    view: WorklistView = worklist_view(words, facts, caller, show, at.now)
    template = "worklist/_refreshed.html" if pages.is_part(request) else "worklist/index.html"
    return pages.page(request, template, words.gettext("My work"), live=True, notice=notice, work=view)


async def _facts(
    tx: Transaction,
    words: Words,
    caller: Caller,
    tasks: list[Task],
    *,
    at: Present,
    places: reading.Bodies | None = None,
) -> WorklistFacts:
    veiled = await veiled_patients(tx, caller, [task.patient for task in tasks], at.now)
    bodies = await reading.patients(tx, [task.patient for task in tasks if task.patient not in veiled])
    return WorklistFacts(
        tasks=tasks,
        patients=bodies | {each: {"name": [{"text": words.gettext("Sensitive record")}]} for each in veiled},
        names=await reading.names(tx, words, [task.owner for task in tasks], places),
        counts=await worklist.counts(tx, await person_of(tx, caller, at.now), at.now),
        limit=LIMIT,
    )


async def _task(
    request: Request,
    state: AppState,
    caller: Caller,
    task_id: str,
    *,
    notice: Notice | None = None,
    error: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    words, ref = pages.words_of(request), Reference.to("Task", task_id)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        task = await worklist.get(tx, ref)
        await _refuse_others(tx, caller, task, at)
        located = await reading.places(tx)
        facts = await _facts(tx, words, caller, [task], at=at, places=located)
        view: TaskView = task_view(
            words,
            task,
            facts,
            caller,
            at.now,
            key=uuid4().hex,
            wards=free_beds(words, located, set(await beds.occupied(tx)), task.ward)
            if task.owner == caller.actor and task.kind is TaskKind.ASSIGN_BED
            else (),
            ended="" if task.status.open else await _ending(tx, words, task, located, at),
            error=error,
            refused=await _refusal(request, tx, task) if task.kind is TaskKind.COMMAND_REFUSED else None,
        )
        await accessed(tx, caller, AuditAction.READ, "task", at=at.real, entities=[ref], patients=[task.patient])
    title = f"{view.row.what} – {view.row.patient.name}"
    return pages.page(request, "worklist/task.html", title, status=status, notice=notice, task=view)


async def _refuse_others(tx: Transaction, caller: Caller, task: Task, at: Present) -> None:
    """Raises Forbidden, or OutOfReach for a task of others about somebody who is not in the caller's care."""
    asked = await worklist.candidates(tx, task.ref)
    if task.owner == caller.actor or not asked.isdisjoint(caller.roles):
        await refuse_without_purpose(tx, caller, task.patient, at.now)
    elif may(caller.roles, Action.READ_STAY):
        await refuse_beyond(tx, caller, Action.READ_STAY, task.patient, at.now)
    else:
        raise Forbidden("the task is not for these roles", roles=",".join(sorted(asked)))


async def _refusal(request: Request, tx: Transaction, task: Task) -> Notice:
    """Why the command was refused that this task is about: they have one id."""
    kept = (await ledger.by_id(tx, UUID(task.id))).answer or {}
    error = refusal(str(kept.get("code", "refused")), kept.get("params", {}))
    said = await pages.refusal_sentences(request, error)
    return Notice("refused", said.title, said.detail, said.advice)


async def _ending(tx: Transaction, words: Words, task: Task, located: reading.Bodies, at: Present) -> str:
    """How a closed task ended, as the journal tells it."""
    lines = await journal.read(tx, WorkflowId.parse(task.workflow_id).subject)
    for line in reversed(lines):
        if line.key in _ENDINGS:
            return sentence(words, line, await reading.names(tx, words, named_in(line), located), at.now)
    return words.gettext("This task is closed.")
