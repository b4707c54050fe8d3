"""What a worker tells about itself over HTTP: `/livez`, `/readyz` and `/metrics`, on the loopback by default.

A worker has no other requests to serve, so this is a few lines on asyncio's streams and not a web framework.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from temporalio.client import Client

from domain.errors import Misconfigured
from runtime import ports
from store.database import Database

_PATIENCE = timedelta(seconds=2)
_PLAIN = "text/plain; charset=utf-8"


class Health:
    """`waiting_for` says in a code why the worker is not ready; empty once it takes work."""

    def __init__(self) -> None:
        self.waiting_for = "database"
        self._database: Database | None = None
        self._client: Client | None = None
        self._sdk: str | None = None

    def watch(self, database: Database, client: Client, sdk: str | None) -> None:
        """From now on ask both of them; `sdk` is where the engine's SDK serves its own metrics."""
        self._database, self._client, self._sdk = database, client, sdk

    async def not_ready(self) -> str:
        """Why the worker could not do work now, in a code; empty when it could."""
        if self.waiting_for or self._database is None or self._client is None:
            return self.waiting_for or "start"
        part = "database"
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                await self._database.ping()
                part = "engine"
                await self._client.service_client.check_health()
        except Exception:  # whatever it is, the answer to "ready?" is no
            return part
        return ""

    @asynccontextmanager
    async def served(self, host: str, port: int) -> AsyncIterator[None]:
        """Answer until the block ends. Raises Misconfigured when the port is taken."""
        try:
            server = await asyncio.start_server(self._answer, host, port)
        except OSError:
            raise Misconfigured(f"The worker cannot listen: port {port} is taken by {ports.holder(port)}.") from None
        async with server:
            yield

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(2 * _PATIENCE.total_seconds()):
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path, *_ = [*request.split(" ", 2), "", ""]
                status, kind, body = await self._respond(method, path.partition("?")[0])
                head = (
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + (b"" if method == "HEAD" else body))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the asker went away, or never asked
        finally:
            writer.close()

    async def _respond(self, method: str, path: str) -> tuple[HTTPStatus, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, _PLAIN, b""
        match path:
            case "/livez":
                return HTTPStatus.OK, _PLAIN, b"alive\n"
            case "/readyz":
                missing = await self.not_ready()
                status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
                return status, _PLAIN, f"waiting for: {missing}\n".encode() if missing else b"ready\n"
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest() + await self._engine_metrics()
            case _:
                return HTTPStatus.NOT_FOUND, _PLAIN, b""

    async def _engine_metrics(self) -> bytes:
        """The SDK serves its metrics itself; they are handed on, so that one address tells everything."""
        if self._sdk is None:
            return b""
        host, _, port = self._sdk.partition(":")
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(f"GET /metrics HTTP/1.0\r\nHost: {self._sdk}\r\n\r\n".encode())
                _head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        except OSError:
            return b""
        return body
