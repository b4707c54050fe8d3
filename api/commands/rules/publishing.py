"""Publishing rules, now or for later; ending, switching off and on again; going back to an older text."""

from __future__ import annotations

import json
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
from api.commands.shapes import Body, Instant, answer
from api.deps import IdempotencyKey, allow
from api.present import Present, present
from api.state import AppState, State
from domain.errors import Invalid
from rules.access import Action
from rules.document import RuleDocument
from store.audit import AuditAction
from store.database import Transaction
from store.rules import drafts, versions

router = APIRouter(prefix="/commands/rules", tags=["rules"])

Words = Annotated[str, StringConstraints(min_length=3, max_length=2000)]


class Publication(Body):
    """`since` and `until`: from when and to when it applies; without `since` at once."""

    revision: Annotated[int, Field(ge=1)]
    since: Instant | None = None
    until: Instant | None = None


class Retirement(Body):
    """`at`: its last moment; without it, now."""

    reason: Words
    at: Instant | None = None


class Emergency(Body):
    """`until`: when it applies again by itself."""

    reason: Words
    until: Instant


class Return(Body):
    reason: Words


@router.post("/drafts/{draft_id}/publish", status_code=HTTPStatus.CREATED)
async def publish(
    draft_id: UUID,
    body: Publication,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.PUBLISH_RULE, step_up=True)],
) -> JSONResponse:
    """Let an approved draft apply, from now or from a time ahead. Its tests are run once more."""
    return answer(await submit_publication(state, caller, key, draft_id, body))


@router.post("/versions/{digest}/retire")
async def retire(
    digest: str,
    body: Retirement,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.PUBLISH_RULE, step_up=True)],
) -> JSONResponse:
    """End a version, now or at a time ahead; the next wider rule applies then."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        ends = max(body.at or at.now, at.now) if body.at is None else body.at
        await versions.retire(tx, digest, at=ends, by=caller.actor, now=at.now, reason=body.reason)
        return await _done(tx, caller, at, command="retire-rule", digest=digest, told={"until": ends.isoformat()})

    content = {"digest": digest, **body.model_dump(mode="json")}
    return answer(await state.dispatcher.submit(caller, key=key, command="retire-rule", body=content, plan=plan))


@router.post("/versions/{digest}/disable", status_code=HTTPStatus.CREATED)
async def disable(
    digest: str,
    body: Emergency,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.PUBLISH_RULE, step_up=True)],
) -> JSONResponse:
    """Switch a version off here and now, until a time; a national or network one for this hospital alone."""

    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        made = await versions.disable(
            tx, command_id, digest, until=body.until, by=caller.actor, now=at.now, reason=body.reason
        )
        told = {"disablement": str(made.id), "until": made.until.isoformat()}
        return await _done(tx, caller, at, command="disable-rule", digest=digest, told=told, status=HTTPStatus.CREATED)

    content = {"digest": digest, **body.model_dump(mode="json")}
    return answer(await state.dispatcher.submit(caller, key=key, command="disable-rule", body=content, plan=plan))


@router.post("/disablements/{disablement_id}/lift")
async def lift(
    disablement_id: UUID,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.PUBLISH_RULE, step_up=True)],
) -> JSONResponse:
    """Switch it on again before its time."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        lifted = await versions.lift(tx, disablement_id, by=caller.actor, now=at.now)
        return await _done(
            tx, caller, at, command="lift-rule", digest=lifted.digest, told={"disablement": str(lifted.id)}
        )

    content = {"disablement": str(disablement_id)}
    return answer(await state.dispatcher.submit(caller, key=key, command="lift-rule", body=content, plan=plan))


@router.post("/versions/{digest}/roll-back", status_code=HTTPStatus.CREATED)
async def roll_back(
    digest: str,
    body: Return,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WRITE_RULE)],
) -> JSONResponse:
    """Begin a new version with the text of an older one of this hospital, submitted for review at once."""
    return answer(await submit_roll_back(state, caller, key, digest, body))


async def submit_publication(state: AppState, caller: Caller, key: str, draft_id: UUID, body: Publication) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        document = books.document_of(await drafts.get(tx, draft_id))
        _, proven = await books.proof_of(state, document)
        since = body.since or at.now
        _refuse_outside(document, since, body)
        draft = await versions.publish(
            tx,
            draft_id,
            revision=body.revision,
            proven=proven,
            since=since,
            until=body.until or document.effective.until,
            by=caller.actor,
            now=at.now,
        )
        told = {"version": draft.version, "since": since.isoformat()}
        return await _done(
            tx, caller, at, command="publish-rule", digest=draft.digest, told=told, status=HTTPStatus.CREATED
        )

    content = {"draft": str(draft_id), **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command="publish-rule", body=content, plan=plan)


async def submit_roll_back(state: AppState, caller: Caller, key: str, digest: str, body: Return) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        rules = await books.bundle(tx, state)
        older = rules.document(digest)
        same = [one for one in rules.published(older.decision_point) if one.rule == older.id]
        numbers = [tuple(map(int, one.version.split("."))) for one in same if one.scope == older.scope]
        major, minor, patch = max(numbers)
        raw = json.loads(older.canonical) | {"version": f"{major}.{minor}.{patch + 1}"}
        raw.pop("effective", None)  # its time was its time
        text = books.kept_text(await books.checked(raw, state), rules, at.now)
        by, lent = caller.actor, caller.on_behalf_of
        draft = await drafts.begin(tx, command_id, text, reason=body.reason, by=by, now=at.now, on_behalf_of=lent)
        draft = await drafts.submit(tx, draft.id, revision=draft.revision, by=by, now=at.now, on_behalf_of=lent)
        await accessed(tx, caller, AuditAction.CREATE, f"roll-back-rule/{draft.rule}", at=at.real)
        return Planned.answered(HTTPStatus.CREATED, books.draft_json(draft))

    content = {"digest": digest, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command="roll-back-rule", body=content, plan=plan)


def _refuse_outside(document: RuleDocument, since: Instant, body: Publication) -> None:
    """What the document itself says of its time is part of what was approved."""
    effective = document.effective
    if effective.since is not None and since < effective.since:
        raise Invalid("the approved text applies later than that", field="/since")
    if effective.until is not None and (since >= effective.until or (body.until or since) > effective.until):
        raise Invalid("the approved text ends earlier than that", field="/until")


async def _done(
    tx: Transaction,
    caller: Caller,
    at: Present,
    *,
    command: str,
    digest: str,
    told: dict[str, Any],
    status: int = HTTPStatus.OK,
) -> Planned:
    await books.tell_owners(tx, at.now)
    rule = await versions.rule_of(tx, digest)
    await accessed(tx, caller, AuditAction.EXECUTE, f"{command}/{rule}", at=at.real)
    return Planned.answered(status, {"rule": rule, "digest": digest, **told})
