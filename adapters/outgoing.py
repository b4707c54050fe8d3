"""Calls to other systems: to hosts that the installation names, over TLS, without redirects, within limits.

A host is compared as it was parsed, and the addresses behind it are looked at before anything is sent.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from domain.errors import Forbidden, Unavailable

_LARGEST = 256 * 1024  # bytes of an answer
_SECONDS = 5.0


class Outgoing:
    """allowed: `host` or `host:port`; plain http is spoken only to one that is written `http://host:port`."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(entry.strip().lower().rstrip("/") for entry in allowed if entry.strip())

    def refuse_elsewhere(self, url: str) -> None:
        """Raises Forbidden for an address that nobody has allowed."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        origin = host if port is None else f"{host}:{port}"
        plain = parts.scheme == "http" and f"http://{origin}" in self._allowed
        if not plain and (parts.scheme != "https" or origin not in self._allowed):
            raise Forbidden("calls to that address are not allowed: see PHIS_OUTGOING_HOSTS")
        if parts.username is not None or parts.password is not None:
            raise Forbidden("an address with a password in it is not called")

    async def get_json(self, url: str, *, headers: Mapping[str, str] | None = None) -> Any:
        """Raises Forbidden, and Unavailable when there is no usable answer."""
        return await self._ask("GET", url, headers=headers)

    async def post_form(self, url: str, form: Mapping[str, str], *, auth: tuple[str, str] | None = None) -> Any:
        """Raises Forbidden, and Unavailable when there is no usable answer; a refusal is one of those."""
        return await self._ask("POST", url, form=form, auth=auth)

    async def send(
        self, method: Literal["POST", "PUT"], url: str, body: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> None:
        """Return when the other side has taken it, whatever it says besides.

        seconds: for all of it, however slowly it answers. Raises Forbidden, and Unavailable for anything but success.
        """
        self.refuse_elsewhere(url)
        try:
            async with asyncio.timeout(seconds):
                looked_at = httpx.URL(url)
                called = looked_at.copy_with(host=await _address_of(url))
                async with (
                    httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client,
                    client.stream(
                        method,
                        called,
                        content=body,
                        headers={**headers, "Host": looked_at.netloc.decode()},
                        extensions={"sni_hostname": looked_at.raw_host.decode()},
                    ) as answer,
                ):
                    if not answer.is_success:
                        raise Unavailable(f"it answers {answer.status_code}", part="other-system")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as wrong:
            raise Unavailable("it does not answer", part="other-system") from wrong

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        self.refuse_elsewhere(url)
        looked_at = httpx.URL(url)
        # The address that was looked at is the one that is called: a second look-up could say another.
        called = looked_at.copy_with(host=await _address_of(url))
        try:
            async with (
                httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    method,
                    called,
                    data=form,
                    auth=auth or httpx.USE_CLIENT_DEFAULT,
                    headers={**(headers or {}), "Accept": "application/json", "Host": looked_at.netloc.decode()},
                    extensions={"sni_hostname": looked_at.raw_host.decode()},
                ) as answer,
            ):
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _LARGEST:
                        raise Unavailable("its answer is too large", part="other-system")
                if answer.status_code != HTTPStatus.OK:
                    raise Unavailable(f"it answers {answer.status_code}", part="other-system")
                return json.loads(body)
        except (httpx.HTTPError, ValueError, RecursionError) as wrong:
            raise Unavailable("it does not answer as it should", part="other-system") from wrong


async def _address_of(url: str) -> str:
    """The address behind a name. One of a cloud's own services, or of nowhere, is not called, whoever allowed it."""
    parts = urlsplit(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), type=socket.SOCK_STREAM
        )
    except OSError as unknown:
        raise Unavailable("its name is not known", part="other-system") from unknown
    for *_, address in found:
        parsed = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified:
            raise Forbidden("calls to that address are not allowed")
    return str(found[0][4][0])
