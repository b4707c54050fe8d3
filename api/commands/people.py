"""People: their licences, how they are reached, and what they were told and have acknowledged."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome
from api.commands.duty import carried_out
from api.commands.shapes import Body, WallTime, answer
from api.deps import IdempotencyKey, allow
from api.present import Present, present
from api.state import AppState, State
from domain.care import ACCOUNT
from domain.ids import Reference
from domain.licences import Licence, LicenceKind, with_licences
from domain.notices import ChannelKind
from rules.access import Action
from store import accounts, records
from store.audit import AuditAction
from store.care import standing
from store.database import Transaction
from store.people import contacts, notices

router = APIRouter(prefix="/commands", tags=["people"])

Manager = Annotated[Caller, allow(Action.MANAGE_PEOPLE, step_up=True)]
Called = Annotated[Caller, allow(Action.ANSWER_CALLS)]
Text = Annotated[str, StringConstraints(max_length=100)]


class OneLicence(Body):
    """first, last: days, both included; null for no limit."""

    kind: LicenceKind
    number: Text = ""
    issuer: Text = ""
    first: date | None = None
    last: date | None = None


class Licences(Body):
    """All that the person has from now on; what is left out has ended."""

    licences: Annotated[list[OneLicence], Field(max_length=20)]


class NewContact(Body):
    """quiet_from, quiet_until: wall clock between which only stat is sent; null for never."""

    kind: ChannelKind
    address: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    rank: Annotated[int, Field(ge=1, le=9)] = 1
    quiet_from: WallTime | None = None
    quiet_until: WallTime | None = None


@router.post("/people/{account}/licences")
async def set_licences(
    account: str, body: Licences, key: IdempotencyKey, state: State, caller: Manager
) -> JSONResponse:
    """Say which licences a person has. It counts from the person's next request on."""
    return answer(await submit_licences(state, caller, key, account, body))


@router.get("/notices")
async def list_notices(state: State, caller: Called) -> dict[str, Any]:
    """What the caller was told, the latest first."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        found = await notices.to(tx, caller.actor)
        await accessed(tx, caller, AuditAction.QUERY, "notices", at=at.real)
    return {"notices": [each.model_dump(mode="json", exclude={"contact", "turn", "attempts"}) for each in found]}


@router.post("/notices/{notice_id}/acknowledge")
async def acknowledge(notice_id: UUID, key: IdempotencyKey, state: State, caller: Called) -> JSONResponse:
    """The message arrived, and the caller sees to it: a ladder that called does not climb at its next look."""
    return answer(await submit_acknowledgement(state, caller, key, notice_id))


@router.post("/contacts", status_code=201)
async def add_contact(body: NewContact, key: IdempotencyKey, state: State, caller: Called) -> JSONResponse:
    """A way in which the caller is reached. The number is sealed, and given to the gateway only."""
    return answer(await submit_contact(state, caller, key, body))


@router.post("/contacts/{contact_id}/end")
async def end_contact(contact_id: UUID, key: IdempotencyKey, state: State, caller: Called) -> JSONResponse:
    """End one of the caller's own."""
    return answer(await submit_contact_end(state, caller, key, contact_id))


async def submit_licences(state: AppState, caller: Caller, key: str, account: str, body: Licences) -> Outcome:
    async def act(tx: Transaction, id_: UUID, at: Present) -> None:
        known = await accounts.account(tx, account)
        held = [Licence(each.kind, each.number, each.issuer, each.first, each.last) for each in body.licences]
        person = (await standing.standing(tx, account, at.now)).practitioner
        if person is None:
            made = Reference.to("Practitioner", str(id_))
            names = {"name": [{"text": known.display_ko}], "identifier": [{"system": ACCOUNT, "value": account}]}
            new = {"resourceType": "Practitioner", "active": True, **names}
            await records.create(tx, with_licences(new, held), id=made.id, now=at.now)
            await standing.be(tx, account, made)
            return
        stored = await records.read(tx, person)
        await records.update(tx, with_licences(stored.body, held), if_match=stored.version, now=at.now)

    content = {"account": account, **body.model_dump(mode="json")}
    return await carried_out(state, caller, key, "set-licences", content, act=act, made="licences")


async def submit_acknowledgement(state: AppState, caller: Caller, key: str, notice_id: UUID) -> Outcome:
    async def act(tx: Transaction, _: UUID, at: Present) -> None:
        await notices.acknowledge(tx, notice_id, account=caller.actor, how="screen", now=at.now)

    return await carried_out(state, caller, key, "acknowledge-notice", {"notice": str(notice_id)}, act=act)


async def submit_contact(state: AppState, caller: Caller, key: str, body: NewContact) -> Outcome:
    async def act(tx: Transaction, id_: UUID, at: Present) -> None:
        await contacts.add(tx, id_, **dict(body), account=caller.actor, by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "add-contact", body.model_dump(mode="json"), act=act, made="contact")


async def submit_contact_end(state: AppState, caller: Caller, key: str, contact_id: UUID) -> Outcome:
    async def act(tx: Transaction, _: UUID, at: Present) -> None:
        await contacts.end(tx, contact_id, account=caller.actor, by=caller.actor, now=at.now)

    return await carried_out(state, caller, key, "end-contact", {"contact": str(contact_id)}, act=act)
