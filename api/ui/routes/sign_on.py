"""To the hospital's own sign-on and back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import public
from api.identity import sign_on
from api.state import State
from api.ui import pages
from api.ui.routes.signing_in import go_on
from store import single_sign_on

router = APIRouter(include_in_schema=False)

Short = Annotated[str, Query(max_length=2000)]


@router.get("/signin/sso/{hospital}", dependencies=[public])
async def leave(
    request: Request,
    state: State,
    hospital: str,
    next: Short = "/",  # noqa: A002 - the address says so
    anew: bool = False,
) -> Response:
    leaving = await sign_on.leave(request, state, hospital, pages.local_address(next), anew=anew)
    answer = RedirectResponse(leaving.address, 303)
    answer.set_cookie(
        sign_on.browser_cookie(state),
        leaving.browser,
        max_age=int(single_sign_on.LASTS.total_seconds()),
        httponly=True,
        secure=state.secure_cookies,
        samesite="lax",  # the way back is a navigation from another site
    )
    return answer


@router.get("/signin/sso/{hospital}/callback", dependencies=[public])
async def come_back(
    request: Request,
    state: State,
    hospital: str,
    *,
    code: Short = "",
    given_state: Annotated[str, Query(alias="state", max_length=200)] = "",
    issuer: Annotated[str | None, Query(alias="iss", max_length=500)] = None,
) -> Response:
    """`error` is not read: an answer without a code is a refusal."""
    signed = await sign_on.come_back(request, state, hospital, code=code, given_state=given_state, issuer=issuer)
    answer = go_on(state, signed)
    answer.delete_cookie(sign_on.browser_cookie(state), secure=state.secure_cookies, httponly=True, samesite="lax")
    return answer
