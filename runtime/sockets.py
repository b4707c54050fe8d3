"""Connections of `phis server`: who is slow to say what he wants is not waited for.

uvicorn limits neither how long a request's head may take nor how long it may be; a few thousand connections that
send a byte a minute would hold a server for nothing.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
LARGEST_HEAD = 128 * 1024
"""Bytes: the longest query that we read, the largest headers, and some."""

_SAFE = b"x-content-type-options: nosniff\r\ncache-control: no-store\r\ncontent-security-policy: default-src 'none'\r\n"


class Protocol(HttpToolsProtocol):
    """uvicorn's, with a time and a size for the head of each request."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_timer is not None:
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD:
                self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._have_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._give_up(HTTPStatus.BAD_REQUEST)

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_size = 0
            self._head_timer = self.loop.call_later(self.head_seconds, self._give_up, HTTPStatus.REQUEST_TIMEOUT)

    def _have_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self, status: HTTPStatus) -> None:
        """Say why and close: what comes next on this connection cannot be understood."""
        self._have_head()
        if self.transport.is_closing():
            return
        said = status.phrase.encode()
        head = b"HTTP/1.1 %d %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n"
        self.transport.write(head % (status, said, len(said)) + _SAFE + b"\r\n" + said)
        self.transport.close()
