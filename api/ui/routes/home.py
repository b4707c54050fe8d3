"""The start."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from api.caller import Caller
from api.deps import allow
from api.ui import pages
from rules.access import Action

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(_caller: Annotated[Caller, allow(Action.USE_SCREENS)]) -> Response:
    return pages.go("/worklist")
