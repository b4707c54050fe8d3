"""People with licences, duty and absences; and everybody's own calls and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.accesses import accessed
from api.caller import Caller
from api.commands.duty import Keeper, NewAbsence, submit_absence, submit_return
from api.commands.people import (
    Called,
    Licences,
    Manager,
    NewContact,
    submit_acknowledgement,
    submit_contact,
    submit_contact_end,
    submit_licences,
)
from api.deps import allow
from api.present import present
from api.state import AppState, State
from api.ui import pages, reading
from api.ui.routes.said import notice_of
from api.ui.views.names import Names
from api.ui.views.person import PersonRow, calls_view, person_row, person_view, today_of
from api.ui.words import ZONE, Words
from domain.errors import Conflict, Invalid, NotFound
from domain.licences import Licence, licences
from rules.access import Action, may
from store import accounts, records
from store.accounts import Account
from store.audit import AuditAction
from store.care import standing
from store.database import Transaction
from store.people import contacts, credentials, notices, rosters

router = APIRouter(include_in_schema=False)

Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,70}$")]
Text = Annotated[str, Form(max_length=200)]
Viewer = Annotated[Caller, allow(Action.SEE_PEOPLE)]
_AHEAD = timedelta(days=60)


@router.get("/people")
async def show_people(request: Request, state: State, caller: Viewer) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        known = await accounts.accounts(tx)
        held, reachable = await credentials.may(tx, at.now), await contacts.reachable(tx)
        rows = [
            person_row(
                words,
                each,
                held[each.name],
                await _licences(tx, each.name, at.now),
                reachable=each.name in reachable,
                today=today_of(at.now),
            )
            for each in known
        ]
        await accessed(tx, caller, AuditAction.QUERY, "people", at=at.real)
    ordered = sorted(rows, key=lambda each: (each.closed, not each.lost, not each.missing, each.name))
    return pages.page(request, "people/index.html", words.gettext("People"), rows=ordered)


@router.get("/people/{account}")
async def show_person(request: Request, state: State, caller: Viewer, account: str, said: str = "") -> Response:
    return await _person(request, state, caller, account, said=said)


@router.post("/people/{account}/licences")
async def change_licences(
    request: Request,
    state: State,
    caller: Manager,
    *,
    account: str,
    key: Key,
    kind: Text = "",
    number: Text = "",
    issuer: Text = "",
    first: Text = "",
    last: Text = "",
    remove: Text = "",
) -> Response:
    """Add one, or take one away: `remove` is its number in the list."""
    values = {"kind": kind, "number": number, "issuer": issuer, "first": first, "last": last}
    try:
        async with state.database.transaction(caller.hospital) as tx:
            await accounts.account(tx, account)
            held = await _licences(tx, account, (await present(tx, state)).now)
        kept = [vars(each) for number_, each in enumerate(held) if str(number_) != remove]
        if not remove:
            new = {"kind": kind, "number": number, "issuer": issuer, "first": first or None, "last": last or None}
            kept.append(new)
        await submit_licences(state, caller, key, account, Licences.model_validate({"licences": kept}))
    except (ValidationError, Invalid) as wrong:
        return await _person(request, state, caller, account, form="licence", values=values, wrong=_fields(wrong))
    return pages.go(f"/people/{account}", said="licences-set")


@router.post("/people/{account}/absences")
async def enter_absence(
    request: Request,
    state: State,
    caller: Keeper,
    *,
    account: str,
    key: Key,
    since: Text = "",
    until: Text = "",
    reason: Text = "",
    substitute: Text = "",
) -> Response:
    values = {"since": since, "until": until, "reason": reason, "substitute": substitute}
    try:
        content = {"account": account, "reason": reason, "substitute": substitute or None}
        times = {"since": _instant(since, "since"), "until": _instant(until, "until")}
        await submit_absence(state, caller, key, NewAbsence.model_validate(content | times))
    except (ValidationError, Invalid) as wrong:
        if not may(caller.roles, Action.SEE_PEOPLE):
            raise Invalid("the absence cannot be entered as it is", field="/since") from None
        return await _person(request, state, caller, account, form="absence", values=values, wrong=_fields(wrong))
    return pages.go(f"/people/{account}", said="absence-entered")


@router.post("/people/{account}/absences/{absence_id}/end")
async def end_absence(state: State, caller: Keeper, *, account: str, absence_id: UUID, key: Key) -> Response:
    await submit_return(state, caller, f"{key}-{absence_id.hex[:8]}", absence_id)
    return pages.go(f"/people/{account}", said="absence-ended")


@router.get("/calls")
async def show_calls(request: Request, state: State, caller: Called, said: str = "") -> Response:
    return await _calls(request, state, caller, said=said)


@router.post("/calls/contacts")
async def add_contact(
    request: Request,
    state: State,
    caller: Called,
    *,
    key: Key,
    kind: Text = "",
    address: Text = "",
    rank: Text = "1",
    quiet_from: Text = "",
    quiet_until: Text = "",
) -> Response:
    values = {"kind": kind, "address": address, "rank": rank, "quiet_from": quiet_from, "quiet_until": quiet_until}
    try:
        content = values | {"quiet_from": quiet_from or None, "quiet_until": quiet_until or None}
        await submit_contact(state, caller, key, NewContact.model_validate(content))
    except (ValidationError, Invalid) as wrong:
        return await _calls(request, state, caller, values=values, wrong=_fields(wrong))
    except Conflict:
        return await _calls(request, state, caller, values=values, wrong=frozenset({"most"}))
    return pages.go("/calls", said="contact-added")


@router.post("/calls/contacts/{contact_id}/end")
async def end_contact(state: State, caller: Called, *, contact_id: UUID, key: Key) -> Response:
    await submit_contact_end(state, caller, f"{key}-{contact_id.hex[:8]}", contact_id)
    return pages.go("/calls", said="contact-ended")


@router.post("/calls/{notice_id}/acknowledge")
async def acknowledge(state: State, caller: Called, *, notice_id: UUID, key: Key) -> Response:
    await submit_acknowledgement(state, caller, f"{key}-{notice_id.hex[:8]}", notice_id)
    return pages.go("/calls", said="acknowledged")


async def _person(
    request: Request,
    state: AppState,
    caller: Caller,
    account: str,
    *,
    said: str = "",
    form: str = "",
    values: Mapping[str, str] | None = None,
    wrong: frozenset[str] = frozenset(),
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        known = await accounts.account(tx, account)
        row = await _row(tx, words, known, at.now)
        colleagues = await reading.people(tx, words, [each.name for each in await accounts.accounts(tx)])
        duties = [
            each
            for each in await rosters.entered(tx, at.now, at.now + _AHEAD)
            if each.account == account and each.stands
        ]
        absences = [each for each in await rosters.away(tx, at.now, at.now + _AHEAD) if each.account == account]
        names = await reading.names(tx, words, [each.substitute for each in absences])
        await accessed(tx, caller, AuditAction.READ, "people", at=at.real)
    view = person_view(
        words,
        row,
        key=uuid4().hex,
        duties=duties,
        absences=absences,
        names=names,
        colleagues=colleagues,
        may_change=may(caller.roles, Action.MANAGE_PEOPLE),
        may_roster=may(caller.roles, Action.KEEP_ROSTERS),
        form=form,
        values=values,
        wrong=wrong,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return pages.page(request, "people/show.html", row.name, status=status, notice=notice_of(words, said), view=view)


async def _row(tx: Transaction, words: Words, account: Account, now: datetime) -> PersonRow:
    held = (await credentials.may(tx, now, [account.name]))[account.name]
    reachable = account.name in await contacts.reachable(tx)
    own = await _licences(tx, account.name, now)
    return person_row(words, account, held, own, reachable=reachable, today=today_of(now))


async def _licences(tx: Transaction, account: str, now: datetime) -> list[Licence]:
    person = (await standing.standing(tx, account, now)).practitioner
    if person is None:
        return []
    try:
        return licences((await records.read(tx, person)).body)
    except NotFound:
        return []


async def _calls(
    request: Request,
    state: AppState,
    caller: Caller,
    *,
    said: str = "",
    values: Mapping[str, str] | None = None,
    wrong: frozenset[str] = frozenset(),
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        told = await notices.to(tx, caller.actor)
        ways = await contacts.of(tx, caller.actor)
        names = await reading.names(tx, words, []) if told else Names()
    view = calls_view(words, told, ways, names=names, now=at.now, key=uuid4().hex, values=values, wrong=wrong)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    title = words.gettext("Calls to me")
    return pages.page(request, "calls/show.html", title, status=status, notice=notice_of(words, said), view=view)


def _instant(text: str, field: str) -> str:
    """What a person types is the hospital's wall clock."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE).isoformat()
    except ValueError:
        raise Invalid("not a day and a time", field=f"/{field}") from None


def _fields(refused: ValidationError | Invalid) -> frozenset[str]:
    if isinstance(refused, Invalid):
        return frozenset({refused.params.get("field", "").strip("/") or "kind"})
    found = refused.errors(include_input=False, include_context=False)
    return frozenset(str(error["loc"][-1]) for error in found if error["loc"])
