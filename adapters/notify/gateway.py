"""Calls to the gateway: a message is put under our id, so that putting it again is the same message."""

from __future__ import annotations

import json
from urllib.parse import urlsplit
from uuid import UUID

from adapters.notify.mapping import Letter, Told, body, told
from adapters.outgoing import Outgoing
from domain.errors import Unavailable

_SECONDS = 5.0


class Gateway:
    """url: of the gateway; plain http only to a machine that is named so.  token: what it knows us by."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        parts = urlsplit(self._url)
        self._outgoing = Outgoing([parts.netloc if parts.scheme == "https" else f"http://{parts.netloc}"])
        self._headers = {"Authorization": f"Bearer {token}"}

    async def put(self, id_: UUID, letter: Letter) -> None:
        """Return when the gateway has taken it. Raises Unavailable, and Forbidden for an address nobody may call."""
        await self._outgoing.send(
            "PUT",
            f"{self._url}/messages/{id_}",
            json.dumps(body(letter), ensure_ascii=False).encode(),
            self._headers | {"Content-Type": "application/json"},
            seconds=_SECONDS,
        )

    async def state(self, id_: UUID) -> Told:
        """How far a message came. Raises Unavailable."""
        return told(await self._outgoing.get_json(f"{self._url}/messages/{id_}", headers=self._headers))


class NoGateway(Gateway):
    """An installation without one: messages wait, and say after an hour that they reached nobody."""

    def __init__(self) -> None:
        super().__init__("https://gateway.invalid", "")

    async def put(self, id_: UUID, letter: Letter) -> None:
        raise Unavailable("no gateway is set: see PHIS_NOTIFY_URL", part="other-system")

    async def state(self, id_: UUID) -> Told:
        raise Unavailable("no gateway is set: see PHIS_NOTIFY_URL", part="other-system")
