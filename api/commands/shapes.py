"""Shapes that commands share: strict bodies, and the answer with its status."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Any

from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, model_validator

from api.commands.dispatch import Outcome

_WALL = re.compile(r"\s*[0-2]\d:[0-5]\d(?::[0-5]\d)?\s*")
_NUMBER = re.compile(r"\s*[+-]?[\d.]+(?:[eE][+-]?\d+)?\s*")


def _written_out(given: Any) -> Any:
    """A bare number would be taken for seconds since 1970: `at=2026` is a year to whoever writes it."""
    if isinstance(given, int | float) or (isinstance(given, str) and _NUMBER.fullmatch(given)):
        raise ValueError("an instant is written as a date and a time with its offset (ISO 8601)")
    return given


WrittenOut = BeforeValidator(_written_out)
Instant = Annotated[AwareDatetime, WrittenOut]


def _on_the_wall(given: Any) -> Any:
    """The hospital's clock hangs in one zone: a time with an offset is another one's, or none at all (+24:00)."""
    if isinstance(given, int | float) or (isinstance(given, str) and not _WALL.fullmatch(given)):
        raise ValueError("a time of the day is written as hours and minutes, without an offset")
    return given


WallTime = Annotated[time, BeforeValidator(_on_the_wall)]


class Body(BaseModel):
    """What a client sends. A field that nobody knows is refused: it would be believed to have had an effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nul(cls, given: Any) -> Any:
        """PostgreSQL keeps every character but U+0000."""
        if _holds_nul(given):
            raise ValueError("a text holds a character (U+0000) that no text can hold")
        return given


def _holds_nul(given: Any) -> bool:
    """Not by recursion: how deep a document goes is its sender's choice."""
    waiting = [given]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "\0" in one:
                return True
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one
    return False


def answer(outcome: Outcome) -> JSONResponse:
    """The outcome of a command; 202 names the address where its answer will stand."""
    content: dict[str, Any] = dict(outcome.answer)
    headers = {"Cache-Control": "no-store"}
    if outcome.status == 202:  # kept: no process has answered yet
        headers["Location"] = content["status"]
        headers["Retry-After"] = "2"
    return JSONResponse(content, outcome.status, headers=headers)
