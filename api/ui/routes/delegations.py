"""Acting for a colleague: lend roles, give them back, act on somebody's behalf."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.caller import Caller
from api.commands.care import NewDelegation, submit_acting, submit_delegation, submit_end
from api.deps import allow
from api.present import present
from api.state import AppState, State
from api.ui import pages
from api.ui.routes.said import notice_of
from api.ui.views.delegations import Typed, delegations_view
from api.ui.words import ZONE
from domain.errors import Invalid
from rules.access import Action
from store import accounts
from store.care import delegations

router = APIRouter(include_in_schema=False)

Self = Annotated[Caller, allow(Action.DELEGATE)]
Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,80}$")]


@router.get("/account/delegations")
async def show_delegations(request: Request, state: State, caller: Self, said: str = "") -> Response:
    return await _page(request, state, caller, said=said)


@router.post("/account/delegations")
async def delegate(
    request: Request,
    state: State,
    caller: Self,
    *,
    key: Key,
    taker: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[list[str] | None, Form(max_length=30)] = None,
    until: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    typed = Typed(taker=taker, roles=frozenset(role or ()), until=until)
    try:
        # What a person types is the hospital's wall clock.
        at = datetime.fromisoformat(until).replace(tzinfo=ZONE).isoformat()
        order = NewDelegation.model_validate({"taker": taker, "roles": role or (), "until": at})
        await submit_delegation(state, caller, key, order)
    except ValidationError as invalid:
        wrong = {str(error["loc"][0]) for error in invalid.errors(include_input=False, include_context=False)}
        return await _page(request, state, caller, typed=typed, wrong=wrong)
    except ValueError:
        return await _page(request, state, caller, typed=typed, wrong={"until"})
    except Invalid as refused:
        return await _page(request, state, caller, typed=typed, wrong={refused.params["field"].strip("/")})
    return pages.go("/account/delegations", said="delegated")


@router.post("/account/delegations/{delegation_id}/end")
async def end(state: State, caller: Self, *, delegation_id: UUID, key: Key) -> Response:
    await submit_end(state, caller, f"{key}-{delegation_id.hex[:8]}", delegation_id)
    return pages.go("/account/delegations", said="delegation-ended")


@router.post("/account/acting")
async def act(
    state: State, caller: Self, *, key: Key, colleague: Annotated[str, Form(alias="for", max_length=200)] = ""
) -> Response:
    await submit_acting(state, caller, key, colleague or None)
    return pages.go("/worklist", said="acting" if colleague else "acting-ended")


async def _page(
    request: Request,
    state: AppState,
    caller: Caller,
    *,
    said: str = "",
    typed: Typed | None = None,
    wrong: set[str] | None = None,
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        running = await delegations.running(tx, caller.actor, at.real)
        known = await accounts.accounts(tx)
    view = delegations_view(
        words, caller, running, known, now=at.real, key=uuid4().hex, typed=typed or Typed(), wrong=wrong or set()
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    title = words.gettext("Acting for a colleague")
    return pages.page(
        request, "account/delegations.html", title, status=status, notice=notice_of(words, said), view=view
    )
