"""Waiting for what another process does: looked at again and again, for as long as it may take at the worst."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_AT_WORST = 20.0
_LOOK = 0.02


async def until(look: Callable[[], Awaitable[T | None]], wanted: T | None = None, *, within: float = _AT_WORST) -> T:
    """What `look` gives once it is `wanted`, or is anything at all. Fails with the last look after `within` seconds."""
    seen: T | None = None
    try:
        async with asyncio.timeout(within):
            while True:
                seen = await look()
                if seen is not None and wanted in (None, seen):
                    return seen
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        raise AssertionError(f"waited {within} s for {wanted!r}, last saw {seen!r}") from None
