"""Is this a resource that may be kept? Structure, required codes and references (hl7.org/fhir/R4/validation.html).

Most of what comes is right, and a compiled schema says so within microseconds. What is not, or has rules that only
FHIRPath can tell, is looked at closely: up to half a second for the largest that anybody may send. All other requests
would wait for it, so a large one is looked at beside the event loop, one at a time (ADR 0029).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar

from adapters.fhir.validation import Issue, accepted, check
from api.fhir.outcome import Refusal, issue
from api.fhir.text import Json
from domain.errors import Invalid, Unavailable

SMALL = 60
"""Objects and lists of a resource that is looked at on the spot, within milliseconds: a thread would cost more."""

WAITING = 16
"""Large ones that may wait for their turn; who comes then is told to come back. A line without end is memory."""

_TURN = 0.0005
"""Seconds after which the thread gives way to the event loop; usually it is ten times as long."""

_RULES = frozenset({"invariant", "business-rule"})
_T = TypeVar("_T")


class Desk:
    """Where large resources are looked at, one after the other. Raises Unavailable when too many wait."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checking")
        self._here = 0

    async def beside(self, work: Callable[[], _T]) -> _T:
        if self._here > WAITING:
            raise Unavailable("too many large resources are being checked", part="validation")
        self._here += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, _giving_way, work)
        finally:
            self._here -= 1


_DESK = Desk()


async def checked(resource: Json, resource_type: str) -> Json:
    """The resource itself. Raises Refusal with every error: 422 when only rules are broken, else 400."""
    if resource.get("resourceType") != resource_type:
        raise Invalid("the resource has another type than the address", field="/resourceType")
    if not accepted(resource):
        _refuse_wrong(await closely(resource, lambda: check(resource)))
    return resource


async def closely(resource: Json, look: Callable[[], _T]) -> _T:
    """What `look` finds: on the spot for a small resource, beside the event loop for a large one."""
    return look() if is_small(resource) else await _DESK.beside(look)


def is_small(resource: Any) -> bool:
    """Counted no further than it must be, and without recursion."""
    pending = [resource]
    for _ in range(SMALL):
        if not pending:
            return True
        node = pending.pop()
        values = node.values() if isinstance(node, dict) else node
        pending += [each for each in values if isinstance(each, dict | list)]
    return not pending


def issues(found: Iterable[Issue]) -> list[Json]:
    return [issue(each.severity, each.code, each.diagnostics, each.expression) for each in found]


def _refuse_wrong(found: Iterable[Issue]) -> None:
    errors = [each for each in found if each.severity == "error"]
    if errors:
        broken = all(each.code in _RULES for each in errors)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if broken else HTTPStatus.BAD_REQUEST
        raise Refusal(status, *issues(errors))


def _giving_way(work: Callable[[], _T]) -> _T:
    with _short_turns():
        return work()


@contextmanager
def _short_turns() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
