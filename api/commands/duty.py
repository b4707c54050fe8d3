"""Rosters, absences, what has to be covered, the calendar: entered and ended; and who is on duty now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import Body, Instant, WallTime, answer
from api.deps import IdempotencyKey, allow
from api.present import Present, present
from api.state import AppState, State
from domain.duty import AbsenceReason, Days, DutyPosition
from domain.ids import Reference
from rules.access import Action
from store.audit import AuditAction
from store.database import Transaction
from store.people import calendars, needs, rosters

router = APIRouter(prefix="/commands", tags=["duty"])

Viewer = Annotated[Caller, allow(Action.SEE_DUTY)]
Keeper = Annotated[Caller, allow(Action.KEEP_ROSTERS)]
CalendarKeeper = Annotated[Caller, allow(Action.KEEP_CALENDAR)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Act = Callable[[Transaction, UUID, Present], Awaitable[object]]
"""Does it in the command's transaction; the id is the command's, and of what it makes."""


class NewDuty(Body):
    """`place`: null for the whole hospital."""

    position: DutyPosition
    place: Reference | None = None
    account: Name
    since: Instant
    until: Instant


class NewAbsence(Body):
    account: Name
    since: Instant
    until: Instant
    reason: AbsenceReason
    substitute: Name | None = None


class NewNeed(Body):
    """`starts`, `ends`: wall clock; an end at or before the start is on the next day."""

    position: DutyPosition
    place: Reference | None = None
    days: Days
    starts: WallTime
    ends: WallTime
    since: date
    until: date | None = None


class NewDay(Body):
    """`closed` false: the hospital works on a holiday."""

    day: date
    ko: Name
    en: Name
    closed: bool = True


class NewWeek(Body):
    """`weekdays`: ISO, 1 is Monday; business days of the week from `since` on."""

    since: date
    weekdays: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]


@router.get("/on-duty")
async def on_duty(
    state: State,
    caller: Viewer,
    position: DutyPosition,
    place: Reference | None = None,
    at: Instant | None = None,
) -> dict[str, Any]:
    """Whom a position comes to at a place and a moment; without `at`, now by the hospital's clock."""
    async with state.database.transaction(caller.hospital) as tx:
        now = await present(tx, state)
        found = await rosters.resolve(tx, position, place, at or now.now)
    people = [
        {"account": each.account, "until": each.until, "instead_of": each.instead_of, "place": each.place}
        for each in found.people
    ]
    return {"position": found.position, "moment": found.moment, "people": people, "vacant": list(found.vacant)}


@router.post("/duties", status_code=HTTPStatus.CREATED)
async def enter_duty(body: NewDuty, key: IdempotencyKey, state: State, caller: Keeper) -> JSONResponse:
    """Put somebody on duty; the next command sees it."""
    return answer(await submit_duty(state, caller, key, body))


@router.post("/duties/{duty_id}/end")
async def end_duty(duty_id: UUID, key: IdempotencyKey, state: State, caller: Keeper) -> JSONResponse:
    """Withdraw a duty. One that runs counted until now; both stay on record."""
    return answer(await submit_duty_end(state, caller, key, duty_id))


@router.post("/absences", status_code=HTTPStatus.CREATED)
async def enter_absence(body: NewAbsence, key: IdempotencyKey, state: State, caller: Keeper) -> JSONResponse:
    """Somebody is away; the substitute, if one is named, stands in for every duty meanwhile."""
    return answer(await submit_absence(state, caller, key, body))


@router.post("/absences/{absence_id}/end")
async def end_absence(absence_id: UUID, key: IdempotencyKey, state: State, caller: Keeper) -> JSONResponse:
    """The person is back, or does not go."""
    return answer(await submit_return(state, caller, key, absence_id))


@router.post("/duty-needs", status_code=HTTPStatus.CREATED)
async def enter_need(body: NewNeed, key: IdempotencyKey, state: State, caller: Keeper) -> JSONResponse:
    """Say that a place needs somebody in a position; the roster shows where nobody is."""
    return answer(await submit_need(state, caller, key, body))


@router.post("/duty-needs/{need_id}/end")
async def end_need(need_id: UUID, key: IdempotencyKey, state: State, caller: Keeper) -> JSONResponse:
    """It is not needed any more."""
    return answer(await submit_need_end(state, caller, key, need_id))


@router.post("/holidays", status_code=HTTPStatus.CREATED)
async def enter_holiday(body: NewDay, key: IdempotencyKey, state: State, caller: CalendarKeeper) -> JSONResponse:
    """A day of the hospital's own; it stands above the public holiday of that day."""
    return answer(await submit_day(state, caller, key, body))


@router.post("/holidays/{holiday_id}/end")
async def end_holiday(holiday_id: UUID, key: IdempotencyKey, state: State, caller: CalendarKeeper) -> JSONResponse:
    return answer(await submit_day_end(state, caller, key, holiday_id))


@router.post("/business-weeks", status_code=HTTPStatus.CREATED)
async def enter_week(body: NewWeek, key: IdempotencyKey, state: State, caller: CalendarKeeper) -> JSONResponse:
    """Business days of the week, from a day on."""
    return answer(await submit_week(state, caller, key, body))


async def submit_duty(state: AppState, caller: Caller, key: str, body: NewDuty) -> Outcome:
    async def act(tx: Transaction, id_: UUID, at: Present) -> None:
        await rosters.enter(tx, id_, **dict(body), by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "enter-duty", body.model_dump(mode="json"), act=act, made="duty")


async def submit_duty_end(state: AppState, caller: Caller, key: str, duty_id: UUID) -> Outcome:
    async def act(tx: Transaction, _: UUID, at: Present) -> None:
        await rosters.end(tx, duty_id, by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "end-duty", {"duty": str(duty_id)}, act=act)


async def submit_absence(state: AppState, caller: Caller, key: str, body: NewAbsence) -> Outcome:
    async def act(tx: Transaction, id_: UUID, at: Present) -> None:
        await rosters.leave(tx, id_, **dict(body), by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "enter-absence", body.model_dump(mode="json"), act=act, made="absence")


async def submit_return(state: AppState, caller: Caller, key: str, absence_id: UUID) -> Outcome:
    async def act(tx: Transaction, _: UUID, at: Present) -> None:
        await rosters.return_(tx, absence_id, by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "end-absence", {"absence": str(absence_id)}, act=act)


async def submit_need(state: AppState, caller: Caller, key: str, body: NewNeed) -> Outcome:
    async def act(tx: Transaction, id_: UUID, at: Present) -> None:
        await needs.ask(tx, id_, **dict(body), by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "enter-need", body.model_dump(mode="json"), act=act, made="need")


async def submit_need_end(state: AppState, caller: Caller, key: str, need_id: UUID) -> Outcome:
    async def act(tx: Transaction, _: UUID, at: Present) -> None:
        await needs.end(tx, need_id, by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "end-need", {"need": str(need_id)}, act=act)


async def submit_day(state: AppState, caller: Caller, key: str, body: NewDay) -> Outcome:
    async def act(tx: Transaction, id_: UUID, at: Present) -> None:
        await calendars.enter_day(tx, id_, **dict(body), by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "enter-holiday", body.model_dump(mode="json"), act=act, made="holiday")


async def submit_day_end(state: AppState, caller: Caller, key: str, holiday_id: UUID) -> Outcome:
    async def act(tx: Transaction, _: UUID, at: Present) -> None:
        await calendars.end_day(tx, holiday_id, by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "end-holiday", {"holiday": str(holiday_id)}, act=act)


async def submit_week(state: AppState, caller: Caller, key: str, body: NewWeek) -> Outcome:
    async def act(tx: Transaction, _: UUID, at: Present) -> None:
        await calendars.set_week(tx, body.since, body.weekdays, by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "enter-week", body.model_dump(mode="json"), act=act, made="week")


async def carried_out(
    state: AppState,
    caller: Caller,
    key: str,
    command: str,
    body: dict[str, Any],
    *,
    act: Act,
    made: str = "",
    said: dict[str, Any] | None = None,
) -> Outcome:
    """One change with its audit row, once for its key.

    made: what its id is called in the answer.  said: the answer where it is neither that nor the body with its time.
    """

    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        await act(tx, command_id, at)
        await accessed(tx, caller, AuditAction.EXECUTE, command, at=at.real)
        if made:
            return Planned.answered(HTTPStatus.CREATED, {made: str(command_id)})
        return Planned.answered(HTTPStatus.OK, said or body | {"ended_at": at.now.isoformat()})

    return await state.dispatcher.submit(caller, key=key, command=command, body=body, plan=plan)
