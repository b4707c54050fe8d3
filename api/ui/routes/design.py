"""The living page of the design language: what every screen is made of, for whoever builds or checks one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.caller import Caller
from api.deps import allow
from api.state import State
from api.ui import pages
from api.ui.views.design import design_view
from rules.access import Action

router = APIRouter(include_in_schema=False)


@router.get("/design")
async def show(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.USE_SCREENS)],
    theme: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    words = pages.words_of(request)
    view = design_view(words, theme, state.now())
    return pages.page(request, "design/show.html", words.gettext("Design language"), view=view)
