"""Asking a child over HTTP whether it is ready."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from domain.errors import Misconfigured
from runtime import ports
from runtime.children import Child

_POLL = 0.05


async def ready(port: int, path: str = "/readyz", host: str = ports.LOOPBACK) -> bool:
    """Whether `path` answers 200 now."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]


async def wait_until_ready(child: Child, port: int, within: timedelta, host: str = ports.LOOPBACK) -> None:
    """Raises Misconfigured when the child ends first or the time passes."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            while not await ready(port, host=host):
                if (code := child.exit_code()) is not None:
                    raise Misconfigured(_ended(child, code))
                await asyncio.sleep(_POLL)
    except TimeoutError:
        seconds = int(within.total_seconds())
        message = f"{child.name} is not ready after {seconds} s: see {child.log or 'its lines above'}."
        raise Misconfigured(message) from None


def _ended(child: Child, code: int) -> str:
    last = child.tail(1)
    return f"{child.name} ended with code {code} before it was ready" + (f": {last}" if last else ".")
