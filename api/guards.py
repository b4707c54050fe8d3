"""What surrounds every request: security headers, a measure of it, and a face for what nobody expected."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics, problems
from api.pressure import Gate, TooSlow
from api.problems import unexpected
from domain.errors import Unavailable

MOST_HEADERS = 100
LARGEST_HEADERS = 32 * 1024
LONGEST_PATH = 2 * 1024
LONGEST_QUERY = 60 * 1024
"""Of a head: bytes but for the count. Browsers send some twenty headers of two kilobytes."""

LARGEST_FORM = 64 * 1024
"""Bytes of a form: the longest text that a person writes into one, thirty times."""

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Anybody may send any word as a method; only these become a label."""


def content_security_policy(nonce: str) -> str:
    """Scripts only with this answer's nonce; styles, fonts and pictures only from us; never in somebody's frame."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class Guards:
    """ASGI middleware around the routes.

    secure: we are behind TLS, and browsers shall insist on it.  largest: bytes that a request's body may have.
    """

    def __init__(self, app: ASGIApp, *, secure: bool, largest: int) -> None:
        self._app = app
        self._secure = secure
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        started = perf_counter()
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _FIXED.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", content_security_policy(nonce))
                headers.setdefault("Cache-Control", "no-store")
                if self._secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
            await send(message)

        try:
            largest = min(self._largest, LARGEST_FORM) if _is_form(scope) else self._largest
            await self._app(scope, _measured(receive, largest), guarded)
        except Exception as error:
            answer = unexpected(Request(scope, receive), error)
            if status:
                raise  # half an answer is out; the server closes the connection
            await answer(scope, receive, guarded)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            metrics.REQUESTS.labels(method, route, str(status)).inc()
            metrics.DURATION.labels(method, route).observe(perf_counter() - started)


def _measured(receive: Receive, largest: int) -> Receive:
    """Counts what comes in: a length that was announced may be untrue or missing."""
    total = 0

    async def measured() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > largest:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return measured


class Limits:
    """ASGI middleware within `Guards`: limits to a request's head, a place for it, a time for body and answer."""

    def __init__(self, app: ASGIApp, *, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            refuse_head(scope)
            refuse_body(scope)
            async with self._gate.taking(scope) as taken:
                await self._app(scope, _as_http(taken.receiving(receive)), taken.sending(noted))
        except (Unavailable, HTTPException) as refused:
            if begun:
                raise
            answer = await self.refused(scope, receive, refused)
            await answer(scope, receive, send)

    async def refused(self, scope: Scope, receive: Receive, error: Unavailable | HTTPException) -> Response:
        return await problems.face(Request(scope, receive), error)


def refuse_head(scope: Scope) -> None:
    """Raises HTTPException for more headers than anybody sends, and for an address that nobody has."""
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > LARGEST_HEADERS:
        raise HTTPException(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    if len(scope["query_string"]) > LONGEST_QUERY or len(scope["path"]) > LONGEST_PATH:
        raise HTTPException(HTTPStatus.REQUEST_URI_TOO_LONG)


def refuse_body(scope: Scope) -> None:
    """Raises HTTPException for a packed body, whose true size nobody knows, and for files, which no form takes."""
    for name, value in scope["headers"]:
        packed = name == b"content-encoding" and value.strip().lower() != b"identity"
        if packed or (name == b"content-type" and value.strip().lower().startswith(b"multipart/")):
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _is_form(scope: Scope) -> bool:
    return any(
        name == b"content-type" and value.strip().lower().startswith(b"application/x-www-form-urlencoded")
        for name, value in scope["headers"]
    )


def _as_http(receive: Receive) -> Receive:
    async def in_time() -> Message:
        try:
            return await receive()
        except TooSlow:
            # The rest of the body must not be taken for the next request.
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"}) from None

    return in_time
