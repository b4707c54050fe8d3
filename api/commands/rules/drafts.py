"""Drafts of rules: checked, saved by revision, submitted, sent back, approved, dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.rules import books
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.canonical import canonical_digest
from domain.errors import Invalid, NotFound, StaleRevision
from domain.rule_versions import Draft
from rules.access import Action
from rules.checking.checker import check
from store.audit import AuditAction
from store.database import Transaction
from store.rules import drafts, reports
from store.rules.reports import Report

router = APIRouter(prefix="/commands/rules", tags=["rules"])

Reason = Annotated[str, StringConstraints(max_length=2000)]
Change = Callable[[Transaction, datetime], Awaitable[Draft]]


class Document(Body):
    document: dict[str, Any]


class NewDraft(Body):
    """`reason`: why this place has a rule of its own; a reviewer reads it beside the difference to the parent."""

    document: dict[str, Any]
    reason: Annotated[str, StringConstraints(min_length=3, max_length=2000)]


class SavedDraft(NewDraft):
    """`revision`: of the draft as its author saw it."""

    revision: Annotated[int, Field(ge=1)]


class Seen(Body):
    revision: Annotated[int, Field(ge=1)]
    reason: Reason = ""


@router.post("/check")
async def check_document(
    body: Document, state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]
) -> dict[str, Any]:
    """What keeps a document from being saved or published, and what its tests reach. Nothing is kept."""
    found = await asyncio.to_thread(check, body.document, state.rule_engine.registry)
    told: dict[str, Any] = {"findings": books.findings_json(found), "saves": not any(each.refuses for each in found)}
    if told["saves"]:
        document = await books.checked(body.document, state)
        proof, proven = await books.proof_of(state, document)
        told |= {"digest": document.digest, "proof": proven.model_dump()}
        told["findings"] += books.findings_json(proof.findings)
    return told


@router.get("/drafts")
async def list_drafts(
    state: State, caller: Annotated[Caller, allow(Action.READ_RULES)], rule: str | None = None
) -> dict[str, Any]:
    """Open drafts, the one saved last at the top."""
    async with state.database.transaction(caller.hospital) as tx:
        found = await drafts.listed(tx, rule=rule)
    return {"drafts": [books.draft_json(each) for each in found]}


@router.get("/drafts/{draft_id}")
async def read_draft(
    draft_id: UUID, state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]
) -> dict[str, Any]:
    """A draft with its text, what its tests show, and how it differs from the rule that it overrides."""
    async with state.database.transaction(caller.hospital) as tx:
        draft = await drafts.get(tx, draft_id)
        rules = await books.bundle(tx, state)
        asked = await reports.listed(tx, draft.digest)
    document = books.document_of(draft)
    proof, proven = await books.proof_of(state, document)
    try:
        against = books.difference(rules.document(draft.parent), document) if draft.parent else []
    except NotFound:
        against = []
    return books.draft_json(draft) | {
        "document": json.loads(draft.document),
        "difference_to_parent": against,
        "proof": proven.model_dump(),
        "reports": [_asked(report) for report in asked],
        "findings": books.findings_json(
            (*await asyncio.to_thread(check, json.loads(draft.document), state.rule_engine.registry), *proof.findings)
        ),
    }


@router.post("/drafts", status_code=HTTPStatus.CREATED)
async def begin_draft(
    body: NewDraft, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WRITE_RULE)]
) -> JSONResponse:
    """Begin a draft. There is one open draft of a rule and place."""
    return answer(await submit_new(state, caller, key, body))


@router.post("/drafts/{draft_id}")
async def save_draft(
    draft_id: UUID,
    body: SavedDraft,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WRITE_RULE)],
) -> JSONResponse:
    """Save the next text. Who comes second hears who was first, and what was changed."""
    return answer(await submit_save(state, caller, key, draft_id, body))


@router.post("/drafts/{draft_id}/submit")
async def submit_draft(
    draft_id: UUID, body: Seen, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WRITE_RULE)]
) -> JSONResponse:
    """Ask for review. Its own tests must pass."""

    async def change(tx: Transaction, now: datetime) -> Draft:
        _, proven = await books.proof_of(state, books.document_of(await drafts.get(tx, draft_id)))
        if not proven.passed:
            raise Invalid("the rule's own tests do not pass", field="/tests")
        return await drafts.submit(
            tx, draft_id, revision=body.revision, by=caller.actor, now=now, on_behalf_of=caller.on_behalf_of
        )

    return answer(await _submit(state, caller, key, change, command="submit-rule", draft_id=draft_id, body=body))


@router.post("/drafts/{draft_id}/return")
async def return_draft(
    draft_id: UUID, body: Seen, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.APPROVE_RULE)]
) -> JSONResponse:
    """Back to its authors, with a reason."""

    async def change(tx: Transaction, now: datetime) -> Draft:
        return await drafts.send_back(
            tx, draft_id, revision=body.revision, by=caller.actor, now=now, reason=body.reason
        )

    return answer(await _submit(state, caller, key, change, command="return-rule", draft_id=draft_id, body=body))


@router.post("/drafts/{draft_id}/approve")
async def approve_draft(
    draft_id: UUID,
    body: Seen,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.APPROVE_RULE, step_up=True)],
) -> JSONResponse:
    """Approve what somebody else wrote."""

    async def change(tx: Transaction, now: datetime) -> Draft:
        return await drafts.approve(tx, draft_id, revision=body.revision, person=books.person(caller), now=now)

    return answer(await _submit(state, caller, key, change, command="approve-rule", draft_id=draft_id, body=body))


@router.post("/drafts/{draft_id}/drop")
async def drop_draft(
    draft_id: UUID, body: Seen, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WRITE_RULE)]
) -> JSONResponse:
    """Give a draft up."""

    async def change(tx: Transaction, now: datetime) -> Draft:
        return await drafts.drop(tx, draft_id, revision=body.revision, by=caller.actor, now=now)

    return answer(await _submit(state, caller, key, change, command="drop-rule", draft_id=draft_id, body=body))


def _asked(report: Report) -> dict[str, Any]:
    """An impact report of the present text, as far as one chooses by it."""
    return {
        "report": str(report.id),
        "state": report.state,
        "asked_by": report.asked_by,
        "cases": report.progress["cases"],
        "changed": report.progress["changed"],
        "signed_by": report.signed_by,
    }


async def submit_new(state: AppState, caller: Caller, key: str, body: NewDraft) -> Outcome:
    document = await books.checked(body.document, state)

    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        text = books.kept_text(document, await books.bundle(tx, state), at.now)
        draft = await drafts.begin(
            tx,
            command_id,
            text,
            reason=body.reason,
            by=caller.actor,
            now=at.now,
            on_behalf_of=caller.on_behalf_of,
        )
        await accessed(tx, caller, AuditAction.CREATE, f"rule-draft/{draft.rule}", at=at.real)
        return Planned.answered(HTTPStatus.CREATED, books.draft_json(draft))

    content = {"digest": canonical_digest(body.document), "reason": body.reason}
    return await state.dispatcher.submit(caller, key=key, command="begin-rule", body=content, plan=plan)


async def submit_save(state: AppState, caller: Caller, key: str, draft_id: UUID, body: SavedDraft) -> Outcome:
    document = await books.checked(body.document, state)

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        text = books.kept_text(document, await books.bundle(tx, state), at.now)
        try:
            draft = await drafts.save(
                tx,
                draft_id,
                text,
                revision=body.revision,
                reason=body.reason,
                by=caller.actor,
                now=at.now,
                on_behalf_of=caller.on_behalf_of,
            )
        except StaleRevision as stale:
            # Between what is kept now and what this person wanted to keep.
            other = books.document_of(await drafts.get(tx, draft_id))
            told = json.dumps(books.difference(other, document), ensure_ascii=False)
            raise StaleRevision(str(stale), **stale.params, difference=told) from stale
        await accessed(tx, caller, AuditAction.UPDATE, f"rule-draft/{draft.rule}", at=at.real)
        return Planned.answered(HTTPStatus.OK, books.draft_json(draft))

    content = {
        "draft": str(draft_id),
        "revision": body.revision,
        "digest": canonical_digest(body.document),
        "reason": body.reason,
    }
    return await state.dispatcher.submit(caller, key=key, command="save-rule", body=content, plan=plan)


async def _submit(
    state: AppState, caller: Caller, key: str, change: Change, *, command: str, draft_id: UUID, body: Body
) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        draft = await change(tx, at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, f"{command}/{draft.rule}", at=at.real)
        return Planned.answered(HTTPStatus.OK, books.draft_json(draft))

    content = {"draft": str(draft_id), **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command=command, body=content, plan=plan)
