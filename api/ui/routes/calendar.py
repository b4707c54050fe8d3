"""The hospital's calendar: public holidays of a year, days of its own, its week."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.caller import Caller
from api.commands.duty import (
    CalendarKeeper,
    NewDay,
    NewWeek,
    Viewer,
    submit_day,
    submit_day_end,
    submit_week,
)
from api.present import present
from api.state import AppState, State
from api.ui import pages
from api.ui.routes.said import notice_of
from api.ui.views.calendar import calendar_view
from api.ui.words import ZONE
from domain.errors import Conflict, Invalid
from rules.access import Action, may
from store.people import calendars

router = APIRouter(prefix="/calendar", include_in_schema=False)

Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,70}$")]
Text = Annotated[str, Form(max_length=200)]


@router.get("")
async def show(request: Request, state: State, caller: Viewer, year: str = "", said: str = "") -> Response:
    return await _page(request, state, caller, year=year, said=said)


@router.post("")
async def enter_day(
    request: Request,
    state: State,
    caller: CalendarKeeper,
    *,
    key: Key,
    day: Text = "",
    ko: Text = "",
    en: Text = "",
    closed: Text = "yes",
) -> Response:
    values = {"day": day, "ko": ko, "en": en, "closed": closed}
    try:
        body = NewDay.model_validate({"day": day, "ko": ko, "en": en, "closed": closed != "no"})
        await submit_day(state, caller, key, body)
    except ValidationError as invalid:
        wrong = {str(error["loc"][0]) for error in invalid.errors(include_input=False, include_context=False)}
        return await _page(request, state, caller, values=values, wrong=frozenset(wrong))
    except Invalid as refused:
        return await _page(request, state, caller, values=values, wrong=frozenset({refused.params["field"].strip("/")}))
    except Conflict:
        return await _page(request, state, caller, values=values, wrong=frozenset({"taken"}))
    return pages.go("/calendar", year=str(body.day.year), said="day-entered")


@router.post("/week")
async def set_week(
    request: Request,
    state: State,
    caller: CalendarKeeper,
    *,
    key: Key,
    weekday: Annotated[list[str] | None, Form(max_length=7)] = None,
) -> Response:
    async with state.database.transaction(caller.hospital) as tx:
        today = (await present(tx, state)).now.astimezone(ZONE).date()
    try:
        body = NewWeek.model_validate({"since": today, "weekdays": weekday or []})
        await submit_week(state, caller, key, body)
    except (ValidationError, Invalid):
        return await _page(request, state, caller, wrong=frozenset({"weekdays"}))
    return pages.go("/calendar", said="week-set")


@router.post("/{holiday_id}/end")
async def end_day(state: State, caller: CalendarKeeper, *, holiday_id: UUID, key: Key) -> Response:
    await submit_day_end(state, caller, f"{key}-{holiday_id.hex[:8]}", holiday_id)
    return pages.go("/calendar", said="day-ended")


async def _page(
    request: Request,
    state: AppState,
    caller: Caller,
    *,
    year: str = "",
    said: str = "",
    values: dict[str, str] | None = None,
    wrong: frozenset[str] = frozenset(),
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        known = await calendars.calendar(tx)
        own = await calendars.own_days(tx)
    today = at.now.astimezone(ZONE).date()
    asked = int(year) if year.isascii() and year.isdigit() and 2000 <= int(year[:5]) <= 2200 else today.year
    view = calendar_view(
        words,
        known,
        own,
        year=asked,
        today=today,
        key=uuid4().hex,
        may_change=may(caller.roles, Action.KEEP_CALENDAR),
        values=values,
        wrong=wrong,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    title = words.gettext("Calendar")
    return pages.page(request, "calendar/show.html", title, status=status, notice=notice_of(words, said), view=view)
