"""How much one server takes on at once, and how long one request may last: beyond that it says no, soon and politely.

A request takes a place, or waits for one in a line. One caller, and one address, get a part of the places only, so that
who sends much at once waits for himself. Health and the way in have places and database connections of their own.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType

from prometheus_client import Counter as Measure
from starlette.types import Message, Receive, Scope, Send

from domain.errors import Unavailable
from store.database import first_served

TURNED_AWAY = Measure("phis_http_turned_away", "Requests that found no place, or no end in time", ["why"])

_FIRST = frozenset({"/livez", "/readyz", "/metrics", "/signout", "/step-up"})
_FIRST_UNDER = ("/signin", "/setup/", "/static/")

Claim = tuple[bytes, int]
"""Who, and how many places at most."""


def is_first(path: str) -> bool:
    """Whether it is answered even while everything else waits: health, and the way in and out."""
    return path in _FIRST or path.startswith(_FIRST_UNDER)


class Places:
    """Places for `at_once` requests, and a line of `waiting` before them.

    Who stands in front is served first, but for those whose callers have all that they may have.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._waiting = waiting
        self._taken: Counter[bytes] = Counter()
        self._line: OrderedDict[asyncio.Future[None], Sequence[Claim]] = OrderedDict()

    async def take(self, claims: Sequence[Claim], patience: float) -> None:
        """Take a place. Raises Unavailable when the line is full, or after `patience` seconds in it."""
        if self._free and self._may(claims):
            self._give(claims)
            return
        standing = Counter(who for others in self._line.values() for who, _ in others)
        if len(self._line) >= self._waiting or any(standing[who] >= self._waiting // 2 for who, _ in claims):
            TURNED_AWAY.labels("line").inc()
            raise Unavailable("too many requests at once", part="server")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[turn] = claims
        try:
            async with asyncio.timeout(patience):
                await turn
        except BaseException as ended:
            if self._line.pop(turn, None) is None and not turn.cancelled():
                self.leave(claims)  # it was given in the same moment
            if isinstance(ended, TimeoutError):
                TURNED_AWAY.labels("patience").inc()
                raise Unavailable("too many requests at once", part="server") from None
            raise

    def leave(self, claims: Sequence[Claim]) -> None:
        """Give the place back, to the next in line who may have one."""
        self._free += 1
        for who, _ in claims:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
        for turn, theirs in self._line.items():
            if self._may(theirs):
                del self._line[turn]
                self._give(theirs)
                turn.set_result(None)
                return

    def _may(self, claims: Sequence[Claim]) -> bool:
        return all(self._taken[who] < most for who, most in claims)

    def _give(self, claims: Sequence[Claim]) -> None:
        self._free -= 1
        self._taken.update(who for who, _ in claims)


@dataclass(frozen=True)
class Gate:
    """at_once: requests at work.  patience: in line.  whole: until an answer begins.  body: until a request is here."""

    at_once: int = 64
    patience: timedelta = timedelta(seconds=2)
    whole: timedelta = timedelta(seconds=60)
    body: timedelta = timedelta(seconds=30)
    _places: Places = field(init=False, repr=False)
    _first: Places = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", Places(self.at_once, 4 * self.at_once))
        object.__setattr__(self, "_first", Places(self.at_once, 4 * self.at_once))

    def taking(self, scope: Scope) -> Taken:
        return Taken(self, scope)

    def places_of(self, scope: Scope) -> tuple[Places, Sequence[Claim]]:
        if is_first(scope["path"]):
            return self._first, ()
        claims: list[Claim] = []
        if client := scope.get("client"):
            claims.append((client[0].encode(), max(1, self.at_once * 3 // 4)))
        for name, value in scope["headers"]:
            if name in {b"authorization", b"cookie"}:
                claims.append((value, max(1, self.at_once // 2)))
                break
        return self._places, claims


class TooSlow(Exception):
    """The body did not come in time. Each edge gives it its face."""


class Taken:
    """A request with its place, `async with gate.taking(scope) as taken`, until its answer begins.

    Raises Unavailable: no place, or no answer within the time for one.
    """

    def __init__(self, gate: Gate, scope: Scope) -> None:
        self._gate = gate
        self._path = scope["path"]
        self._places, self._claims = gate.places_of(scope)
        self._has_place = False
        self._all_here = False
        self._body_by = 0.0

    async def __aenter__(self) -> Taken:
        loop = asyncio.get_running_loop()
        await self._places.take(self._claims, self._gate.patience.total_seconds())
        self._has_place = True
        self._body_by = loop.time() + self._gate.body.total_seconds()
        self._limit = asyncio.timeout(self._gate.whole.total_seconds())
        await self._limit.__aenter__()
        self._first = first_served.set(is_first(self._path))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        first_served.reset(self._first)
        self._leave()
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError as late:
            TURNED_AWAY.labels("time").inc()
            raise Unavailable("this took longer than a request may", part="server") from late

    def _leave(self) -> None:
        if self._has_place:
            self._has_place = False
            self._places.leave(self._claims)

    def sending(self, send: Send) -> Send:
        """Once an answer begins, it may take its time: a stream of events lasts for hours, and holds no place."""

        async def begun(message: Message) -> None:
            if self._has_place:
                self._leave()
                self._limit.reschedule(None)
            await send(message)

        return begun

    def receiving(self, receive: Receive) -> Receive:
        """The body, which must be here in time. Raises TooSlow."""

        async def in_time() -> Message:
            if self._all_here:
                return await receive()
            try:
                async with asyncio.timeout_at(self._body_by):
                    message = await receive()
            except TimeoutError:
                TURNED_AWAY.labels("body").inc()
                raise TooSlow from None
            self._all_here = not message.get("more_body", False)
            return message

        return in_time
