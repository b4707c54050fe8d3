"""Asking for a fresh proof and going on with what was being done: a page is opened again, a form sent again."""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.caller import Caller
from api.state import AppState, state_of
from api.ui import pages
from api.ui.views.session import Again, CodeForm
from store import accounts, second_factors

_MOST_KEPT = 20_000  # characters of a form that waits; a longer one is filled in again


async def prove_first(request: Request) -> Response:
    """To the page that asks for a proof. A form's fields wait on that page, in the person's own browser."""
    if pages.is_part(request):
        shown = urlsplit(request.headers.get("hx-current-url", ""))
        here = f"{shown.path}?{shown.query}" if shown.query else shown.path or "/"
        address = f"/step-up?next={quote(pages.local_address(here), safe='')}"
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    if request.method == "GET":
        return RedirectResponse(f"/step-up?next={quote(pages.here_of(request), safe='')}", HTTPStatus.SEE_OTHER)
    caller = pages.caller_of(request)
    assert caller is not None  # noqa: S101 - a policy refused this caller
    again = await _kept(request)
    return await ask(request, state_of(request), caller, again=again, status=HTTPStatus.UNAUTHORIZED)


async def ask(
    request: Request,
    state: AppState,
    caller: Caller,
    *,
    next_: str = "/",
    again: str = "",
    error: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    """The page itself."""
    _ = pages.words_of(request).gettext
    async with state.database.transaction(caller.hospital) as tx:
        has_factor = await second_factors.confirmed(tx, caller.actor)
        has_password = bool((await accounts.account(tx, caller.actor)).password_hash)
    if has_factor:
        lead = _("What you want to do reaches far. Enter a code of your authenticator, or a recovery code.")
    elif has_password:
        lead = _("What you want to do reaches far. Enter your password.")
    else:
        lead = _("What you want to do reaches far. Sign in once more with your hospital's own sign-on.")
    anew = f"/signin/sso/{caller.hospital}?anew=true&next={quote(next_, safe='')}"
    form = CodeForm(
        action="/step-up",
        csrf=caller.csrf or "",
        title=_("Prove once more that it is you"),
        lead=lead,
        asks_password=not has_factor,
        next=next_,
        again=again,
        error=error,
        sso="" if has_factor or has_password else anew,
    )
    return pages.page(request, "session/code.html", form.title, status=status, form=form)


def read_again(kept: str) -> Again | None:
    """The form that waited. None for anything that is not one of ours."""
    try:
        action, fields = json.loads(kept)
        pairs = tuple((str(name), str(value)) for name, value in fields)
    except (ValueError, TypeError):
        return None
    if not isinstance(action, str) or pages.local_address(action) != action:
        return None
    return Again(action, pairs)


async def _kept(request: Request) -> str:
    """Address and fields of a form that was refused; empty when it cannot wait."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return ""
    fields = [
        (name, value)
        for name, value in (await request.form()).multi_items()
        if name != "csrf" and isinstance(value, str)
    ]
    query = f"?{request.url.query}" if request.url.query else ""
    kept = json.dumps([request.url.path + query, fields], ensure_ascii=False)
    return kept if len(kept) <= _MOST_KEPT else ""
