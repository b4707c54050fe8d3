"""Shapes that commands share: strict bodies, and the answer with its status."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from api.commands.dispatch import Outcome


class Body(BaseModel):
    """What a client sends. A field that nobody knows is refused: it would be believed to have had an effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def answer(outcome: Outcome) -> JSONResponse:
    """The outcome of a command; 202 names the address where its answer will stand."""
    content: dict[str, Any] = dict(outcome.answer)
    headers = {"Cache-Control": "no-store"}
    if outcome.status == 202:  # kept: no process has answered yet
        headers["Location"] = content["status"]
        headers["Retry-After"] = "2"
    return JSONResponse(content, outcome.status, headers=headers)
