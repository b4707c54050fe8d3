"""Opening a record in an emergency, saying why a sensitive one is opened, reviewing, and acting for a colleague."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import Body, Instant, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.errors import Invalid, NotFound
from domain.ids import Reference
from domain.reach import Purpose
from domain.roles import Role
from rules.access import Action
from store import accounts, records
from store.audit import AuditAction
from store.care import delegations, glass, purposes
from store.care.delegations import Delegation
from store.care.glass import Broken, Reason, Verdict
from store.database import Transaction

router = APIRouter(prefix="/commands", tags=["care"])

BREAK_GLASS, REVIEW, PURPOSE = "break-glass", "review-break-glass", "state-purpose"
DELEGATE, END_DELEGATION, ACT = "delegate", "end-delegation", "act-for"

Words = Annotated[str, StringConstraints(min_length=10, max_length=2000)]


class BreakGlass(Body):
    """`words`: what happened, ten signs at least: a reviewer reads it."""

    patient: Reference
    reason: Reason
    words: Words


class Review(Body):
    verdict: Verdict
    remark: Annotated[str, StringConstraints(max_length=2000)] = ""


class StatedPurpose(Body):
    patient: Reference
    purpose: Purpose


class NewDelegation(Body):
    """`taker`: an account."""

    taker: str
    roles: list[Role]
    since: Instant | None = None
    until: Instant


class Acting(Body):
    """`for`: a colleague's account; null ends it."""

    colleague: Annotated[str | None, Field(alias="for")]


@router.post("/break-glass", status_code=HTTPStatus.CREATED)
async def break_glass(
    body: BreakGlass,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.BREAK_GLASS, step_up=True)],
) -> JSONResponse:
    """Open the record of somebody who is not in the caller's care, for an hour. It is announced and reviewed."""
    return answer(await submit_break_glass(state, caller, key, body))


@router.get("/break-glass")
async def list_broken(
    state: State, caller: Annotated[Caller, allow(Action.REVIEW_BREAK_GLASS)], reviewed: bool | None = None
) -> dict[str, Any]:
    """Uses, the latest first; `reviewed=false` gives those that wait."""
    async with state.database.transaction(caller.hospital) as tx:
        found = await read_broken(tx, state, caller, reviewed=reviewed)
    return {"uses": [_as_json(each) for each in found]}


@router.post("/break-glass/{use_id}/review")
async def review(
    use_id: UUID,
    body: Review,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.REVIEW_BREAK_GLASS)],
) -> JSONResponse:
    """Close a case with a verdict. Nobody reviews their own use."""
    return answer(await submit_review(state, caller, key, use_id, body))


@router.post("/purposes", status_code=HTTPStatus.CREATED)
async def state_purpose(
    body: StatedPurpose, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.STATE_PURPOSE)]
) -> JSONResponse:
    """Say why a patient's sensitive records are opened; good for twelve hours. It opens nothing else."""
    return answer(await submit_purpose(state, caller, key, body))


@router.get("/delegations")
async def list_delegations(state: State, caller: Annotated[Caller, allow(Action.DELEGATE)]) -> dict[str, Any]:
    """What the caller has given or been given, that runs or is about to."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        found = await delegations.running(tx, caller.actor, at.real)
    return {"delegations": [_delegation(each) for each in found]}


@router.post("/delegations", status_code=HTTPStatus.CREATED)
async def delegate(
    body: NewDelegation, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.DELEGATE)]
) -> JSONResponse:
    """Let a colleague act on the caller's behalf with some of the caller's roles, for a time."""
    return answer(await submit_delegation(state, caller, key, body))


@router.post("/delegations/{delegation_id}/end")
async def end_delegation(
    delegation_id: UUID, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.DELEGATE)]
) -> JSONResponse:
    """End one's own delegation, or give back what was given."""
    return answer(await submit_end(state, caller, key, delegation_id))


@router.post("/acting")
async def act(
    body: Acting, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.DELEGATE)]
) -> JSONResponse:
    """Act on behalf of a colleague who has lent roles, or with `for` null for oneself again, in this session."""
    return answer(await submit_acting(state, caller, key, body.colleague))


async def submit_acting(state: AppState, caller: Caller, key: str, colleague: str | None) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        if caller.csrf is None:
            raise Invalid("a token acts for itself alone; sign in to act for a colleague", field="/for")
        lent = await delegations.running(tx, caller.actor, at.real)
        if colleague is not None and not any(
            each.giver == colleague and each.taker == caller.actor and each.since <= at.real for each in lent
        ):
            raise Invalid("this colleague has lent nothing at the moment", field="/for")
        await accounts.act_for(tx, caller.session, colleague)
        await accessed(tx, caller, AuditAction.EXECUTE, ACT, at=at.real)
        return Planned.answered(HTTPStatus.OK, {"for": colleague})

    return await state.dispatcher.submit(caller, key=key, command=ACT, body={"for": colleague}, plan=plan)


async def submit_end(state: AppState, caller: Caller, key: str, delegation_id: UUID) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        await delegations.end(tx, delegation_id, by=caller.actor, now=at.real)
        await accessed(tx, caller, AuditAction.EXECUTE, END_DELEGATION, at=at.real)
        return Planned.answered(HTTPStatus.OK, {"delegation": str(delegation_id), "ended_at": at.real.isoformat()})

    content = {"delegation": str(delegation_id)}
    return await state.dispatcher.submit(caller, key=key, command=END_DELEGATION, body=content, plan=plan)


async def submit_break_glass(state: AppState, caller: Caller, key: str, body: BreakGlass) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        await _refuse_no_patient(tx, body.patient)
        made = await glass.break_glass(
            tx,
            command_id,
            actor=caller.actor,
            patient=body.patient,
            reason=body.reason,
            words=body.words,
            now=at.now,
        )
        await purposes.state(
            tx, actor=caller.actor, patient=body.patient, purpose=Purpose.BREAK_THE_GLASS, now=at.now, lasts=glass.LASTS
        )
        await accessed(
            tx,
            caller,
            AuditAction.BREAK_GLASS,
            BREAK_GLASS,
            at=at.real,
            entities=[body.patient],
            patients=[body.patient],
            purpose=Purpose.BREAK_THE_GLASS.value,
            reason=f"{body.reason}: {body.words}",
        )
        return Planned.answered(HTTPStatus.CREATED, _opened(made))

    # The words are sealed in their own row; the ledger keeps their digest only.
    content = body.model_dump(mode="json")
    return await state.dispatcher.submit(caller, key=key, command=BREAK_GLASS, body=content, plan=plan)


async def submit_review(state: AppState, caller: Caller, key: str, use_id: UUID, body: Review) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        made = await glass.review(tx, use_id, by=caller.actor, verdict=body.verdict, remark=body.remark, now=at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, REVIEW, at=at.real, patients=[made.patient])
        return Planned.answered(HTTPStatus.OK, {"use": str(use_id), "verdict": made.verdict})

    content = {"use": str(use_id), **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command=REVIEW, body=content, plan=plan)


async def submit_purpose(state: AppState, caller: Caller, key: str, body: StatedPurpose) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        await _refuse_no_patient(tx, body.patient)
        until = await purposes.state(tx, actor=caller.actor, patient=body.patient, purpose=body.purpose, now=at.now)
        detail = f"{PURPOSE}/{body.purpose.value}"
        await accessed(
            tx,
            caller,
            AuditAction.EXECUTE,
            detail,
            at=at.real,
            entities=[body.patient],
            patients=[body.patient],
            purpose=body.purpose.value,
        )
        return Planned.answered(HTTPStatus.CREATED, {"patient": body.patient, "until": until.isoformat()})

    content = body.model_dump(mode="json")
    return await state.dispatcher.submit(caller, key=key, command=PURPOSE, body=content, plan=plan)


async def submit_delegation(state: AppState, caller: Caller, key: str, body: NewDelegation) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        given = await delegations.give(
            tx,
            command_id,
            giver=caller.actor,
            taker=body.taker,
            roles=body.roles,
            since=body.since or at.real,
            until=body.until,
        )
        await accessed(tx, caller, AuditAction.EXECUTE, DELEGATE, at=at.real)
        return Planned.answered(HTTPStatus.CREATED, _delegation(given))

    content = body.model_dump(mode="json")
    return await state.dispatcher.submit(caller, key=key, command=DELEGATE, body=content, plan=plan)


async def read_broken(tx: Transaction, state: AppState, caller: Caller, *, reviewed: bool | None) -> list[Broken]:
    """The reviewers' queue, written down as one access."""
    found = await glass.listed(tx, reviewed=reviewed)
    at = await present(tx, state)
    patients = [each.patient for each in found]
    await accessed(tx, caller, AuditAction.QUERY, REVIEW, at=at.real, patients=patients)
    return found


async def _refuse_no_patient(tx: Transaction, patient: Reference) -> None:
    if patient.resource_type != "Patient":
        raise Invalid("not a reference to a patient", field="/patient")
    try:
        await records.read(tx, patient)
    except NotFound:
        raise Invalid("no such patient in this hospital", field="/patient") from None


def _opened(made: Broken) -> dict[str, Any]:
    return {"use": str(made.id), "patient": made.patient, "until": made.until.isoformat()}


def _as_json(made: Broken) -> dict[str, Any]:
    return made.model_dump(mode="json")


def _delegation(given: Delegation) -> dict[str, Any]:
    return given.model_dump(mode="json") | {"roles": sorted(given.roles)}
