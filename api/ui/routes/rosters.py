"""Rosters: a week of a ward or department, duties entered and ended, last week copied, and the same as CSV."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from adapters.csv.writing import table
from api.accesses import accessed
from api.caller import Caller
from api.commands.duty import (
    Keeper,
    NewDuty,
    NewNeed,
    Viewer,
    submit_duty,
    submit_duty_end,
    submit_need,
    submit_need_end,
)
from api.places import is_ward
from api.present import present
from api.state import AppState, State
from api.ui import pages, reading
from api.ui.routes.said import notice_of
from api.ui.views.people import place_name
from api.ui.views.rosters import RosterFacts, Sent, bounds, roster_view, week_of
from api.ui.words import ZONE, Words
from domain.duty import span
from domain.errors import Conflict, Invalid
from domain.ids import Reference
from rules.access import Action, may
from store import records
from store.audit import AuditAction
from store.database import Transaction
from store.people import alarms, calendars, credentials, needs, rosters

router = APIRouter(include_in_schema=False)

Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,70}$")]
Text = Annotated[str, Form(max_length=200)]


@router.get("/rosters")
async def show_week(
    request: Request, state: State, caller: Viewer, *, place: str = "", week: str = "", said: str = ""
) -> Response:
    return await _week(request, state, caller, place, week, said=said)


@router.get("/rosters.csv")
async def as_csv(request: Request, state: State, caller: Viewer, place: str = "", week: str = "") -> Response:
    """The week of a place, as it stands: position, place, account, since, until."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        monday = _monday(week, at.now)
        found = [each for each in await rosters.entered(tx, *bounds(monday)) if each.place == place]
        await accessed(tx, caller, AuditAction.EXPORT, "rosters", at=at.real)
    lines = [
        (each.position.value, each.place, each.account, each.duty.since.isoformat(), each.duty.until.isoformat())
        for each in found
    ]
    body = table([("position", "place", "account", "since", "until"), *lines])
    headers = {"Content-Disposition": f'attachment; filename="roster-{monday}.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/rosters")
async def enter(
    request: Request,
    state: State,
    caller: Keeper,
    *,
    key: Key,
    place: Text = "",
    week: Text = "",
    position: Text = "",
    account: Text = "",
    since_day: Text = "",
    starts: Text = "",
    ends: Text = "",
) -> Response:
    values = {
        "position": position,
        "account": account,
        "since_day": since_day,
        "starts": starts,
        "ends": ends,
    }
    wrong: set[str] = set()
    try:
        since, until = span(_day(since_day), _clock(starts, "starts"), _clock(ends, "ends"))
        content = {"position": position, "place": place or None, "account": account, "since": since, "until": until}
        await submit_duty(state, caller, key, NewDuty.model_validate(content))
    except (ValidationError, Invalid) as refused:
        wrong = _fields(refused)
    except Conflict:
        wrong = {"twice"}
    if wrong:
        return await _week(request, state, caller, place, week, sent=Sent("duty", values, frozenset(wrong)))
    return pages.go("/rosters", place=place, week=week, said="duty-entered")


@router.post("/rosters/copy")
async def copy_last_week(state: State, caller: Keeper, *, key: Key, place: Text = "", week: Text = "") -> Response:
    """What stands in the week before, again; what is there already, or cannot be, is left out."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        monday = _monday(week, at.now)
        before = [
            each
            for each in await rosters.entered(tx, *bounds(monday - timedelta(days=7)))
            if each.place == place and each.stands and each.since >= bounds(monday - timedelta(days=7))[0]
        ]
    for number, each in enumerate(before):
        content = NewDuty(
            position=each.position,
            place=Reference(place) if place else None,
            account=each.account,
            since=each.since + timedelta(days=7),
            until=each.until + timedelta(days=7),
        )
        try:
            await submit_duty(state, caller, f"{key}-{number}", content)
        except (Invalid, Conflict):
            continue
    return pages.go("/rosters", place=place, week=monday.isoformat(), said="week-copied")


@router.post("/rosters/needs")
async def enter_need(
    request: Request,
    state: State,
    caller: Keeper,
    *,
    key: Key,
    place: Text = "",
    week: Text = "",
    position: Text = "",
    days: Text = "",
    starts: Text = "",
    ends: Text = "",
) -> Response:
    values = {"position": position, "days": days, "starts": starts, "ends": ends}
    wrong: set[str] = set()
    try:
        async with state.database.transaction(caller.hospital) as tx:
            now = (await present(tx, state)).now
        content = values | {"place": place or None, "since": min(_monday(week, now), now.astimezone(ZONE).date())}
        await submit_need(state, caller, key, NewNeed.model_validate(content))
    except (ValidationError, Invalid) as refused:
        wrong = _fields(refused)
    except Conflict:
        wrong = {"days"}
    if "place" in wrong:  # no field of this form: the page's address names it
        raise Invalid("no such place", field="place")
    if wrong:
        return await _week(request, state, caller, place, week, sent=Sent("need", values, frozenset(wrong)))
    return pages.go("/rosters", place=place, week=week, said="need-entered")


@router.post("/rosters/{duty_id}/end")
async def end(state: State, caller: Keeper, *, duty_id: UUID, key: Key, place: Text = "", week: Text = "") -> Response:
    await submit_duty_end(state, caller, f"{key}-{duty_id.hex[:8]}", duty_id)
    return pages.go("/rosters", place=place, week=week, said="duty-ended")


@router.post("/rosters/needs/{need_id}/end")
async def end_need(
    state: State, caller: Keeper, *, need_id: UUID, key: Key, place: Text = "", week: Text = ""
) -> Response:
    await submit_need_end(state, caller, f"{key}-{need_id.hex[:8]}", need_id)
    return pages.go("/rosters", place=place, week=week, said="need-ended")


async def _week(
    request: Request,
    state: AppState,
    caller: Caller,
    place: str,
    week: str,
    *,
    said: str = "",
    sent: Sent | None = None,
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        facts = await _facts(tx, state, words, place, week)
        await accessed(tx, caller, AuditAction.QUERY, "rosters", at=state.now())
    view = roster_view(
        words, facts, key=uuid4().hex, may_change=may(caller.roles, Action.KEEP_ROSTERS), sent=sent or Sent()
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if sent and sent.wrong else HTTPStatus.OK
    title = words.gettext("Rosters")
    return pages.page(request, "rosters/week.html", title, status=status, notice=notice_of(words, said), view=view)


async def _facts(tx: Transaction, state: AppState, words: Words, place: str, week: str) -> RosterFacts:
    at = await present(tx, state)
    monday = _monday(week, at.now)
    places = {
        reference: place_name(words, body) for reference, body in (await reading.places(tx)).items() if is_ward(body)
    }
    for found in await records.find(tx, "Organization", limit=1000):
        places[found.reference] = place_name(words, found.body)
    duties = [each for each in await rosters.entered(tx, *bounds(monday)) if each.place == place]
    known = await credentials.may(tx, at.now)
    return RosterFacts(
        monday=monday,
        place=place if not place or place in places else "",
        places=places,
        people=await reading.people(tx, words, known),
        accounts=known,
        calendar=await calendars.calendar(tx),
        duties=duties,
        absences=await rosters.away(tx, *bounds(monday)),
        needs=[each for each in await needs.standing(tx) if each.place == place],
        gaps=[
            each
            for each in await needs.gaps(tx, monday, monday + timedelta(days=6))
            if (each.need.place or "") == place
        ],
        alarms=await alarms.standing(tx),
        now=at.now,
    )


def _monday(week: str, now: datetime) -> date:
    """The Monday that is asked for; this week's for anything else."""
    try:
        asked = date.fromisoformat(week)
        return week_of(asked) if 2000 <= asked.year <= 2200 else week_of(now.astimezone(ZONE).date())
    except ValueError:
        return week_of(now.astimezone(ZONE).date())


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Invalid("not a day", field="/since_day") from None
    if not 2000 <= found.year <= 2200:
        raise Invalid("not a day of ours", field="/since_day")
    return found


def _clock(text: str, field: str) -> time:
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise Invalid("not a time", field=f"/{field}") from None


def _fields(refused: ValidationError | Invalid) -> set[str]:
    if isinstance(refused, Invalid):
        return {refused.params.get("field", "").strip("/") or "position"}
    return {str(error["loc"][0]) for error in refused.errors(include_input=False, include_context=False)}
