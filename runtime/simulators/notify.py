"""A gateway of pagers and SMS that does as it is told: `phis sim notify`.

It speaks what `adapters/notify` speaks (docs/operations/people.md). Each number has a behaviour: `delivered`, `receipt`
(delivered, and the person replies), `silence`, `wrong-number`, `late`. It keeps what it was sent in memory only.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Behaviour(StrEnum):
    """What becomes of messages to a number."""

    DELIVERED = "delivered"
    RECEIPT = "receipt"
    SILENCE = "silence"
    WRONG_NUMBER = "wrong-number"
    LATE = "late"


@dataclass(frozen=True)
class Kept:
    """body: as it came.  at: seconds of the gateway's own clock."""

    body: Mapping[str, Any]
    at: float
    puts: int = 1


@dataclass
class PagerGateway:
    """now: seconds that rise.  soon: until a delivery or a reply.  late: until a late delivery."""

    token: str
    now: Callable[[], float]
    default: Behaviour = Behaviour.RECEIPT
    numbers: dict[str, Behaviour] = field(default_factory=dict)
    soon: float = 1.0
    late: float = 400.0
    kept: dict[str, Kept] = field(default_factory=dict)

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/messages", self._list, methods=["GET"]),
                Route("/messages/{id}", self._put, methods=["PUT"]),
                Route("/messages/{id}", self._get, methods=["GET"]),
                Route("/numbers/{number}", self._behave, methods=["PUT"]),
            ]
        )

    def state(self, id_: str) -> dict[str, str]:
        """How far a message came by now."""
        kept = self.kept.get(id_)
        if kept is None:
            return {"state": "unknown"}
        passed = self.now() - kept.at
        match self.numbers.get(str(kept.body["to"]), self.default):
            case Behaviour.WRONG_NUMBER if passed >= self.soon:
                return {"state": "failed", "reason": "wrong-number"}
            case Behaviour.RECEIPT if passed >= 2 * self.soon:
                return {"state": "replied"}
            case Behaviour.RECEIPT | Behaviour.DELIVERED if passed >= self.soon:
                return {"state": "delivered"}
            case Behaviour.LATE if passed >= self.late:
                return {"state": "delivered"}
        return {"state": "accepted"}

    async def _put(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in ("to", "kind", "text")):
            return JSONResponse({"error": "a message has to, kind and text"}, HTTPStatus.UNPROCESSABLE_ENTITY)
        id_, known = request.path_params["id"], self.kept.get(request.path_params["id"])
        if known is not None:
            if known.body != body:
                return JSONResponse({"error": "another message has this id"}, HTTPStatus.CONFLICT)
            self.kept[id_] = Kept(known.body, known.at, known.puts + 1)
            return JSONResponse(self.state(id_), HTTPStatus.OK)
        self.kept[id_] = Kept(body, self.now())
        return JSONResponse(self.state(id_), HTTPStatus.CREATED)

    async def _get(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse(self.state(request.path_params["id"]))

    async def _list(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        found = [{"id": id_, **each.body, "puts": each.puts, **self.state(id_)} for id_, each in self.kept.items()]
        return JSONResponse({"messages": found})

    async def _behave(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        try:
            self.numbers[request.path_params["number"]] = Behaviour(str((await request.json())["behaviour"]))
        except (ValueError, KeyError, TypeError):
            known = ", ".join(Behaviour)
            return JSONResponse({"error": f"behaviour is one of {known}"}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _refused(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if secrets.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            return None
        return JSONResponse({"error": "not known"}, HTTPStatus.UNAUTHORIZED)
