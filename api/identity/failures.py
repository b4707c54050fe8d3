"""Counting proofs that fail, and the pause that follows, for one account and the place that it is tried from."""

from __future__ import annotations

from math import ceil

from prometheus_client import Counter
from starlette.requests import Request

from api.accesses import request_id
from api.identity import devices
from api.state import AppState
from domain.errors import TooManyAttempts
from store import attempts, audit
from store.attempts import Attempt, Place
from store.audit import AuditAction
from store.database import Transaction

UNKNOWN = "unknown"
"""The audit's word for an account that does not exist: what was typed there may be somebody's password."""

_held_up = Counter("phis_sign_ins_held_up", "Attempts to sign in that came during a pause and were not looked at")


class Attempts:
    """The attempts with one account from one place.

    known: the account's name where it exists.  what: kept apart from others, `password` from `code`.
    """

    def __init__(
        self,
        request: Request,
        state: AppState,
        hospital: str,
        name: str,
        *,
        known: str | None,
        what: str = "password",
    ) -> None:
        self._request = request
        self._state = state
        self._hospital = hospital
        self._name = name
        self._known = known
        self._what = what
        self._attempt = Attempt()

    async def begin(self) -> None:
        """Count an attempt before it is looked at. Raises TooManyAttempts during a pause, which counts nothing."""
        async with self._state.database.transaction(self._hospital) as tx:
            self._attempt = await attempts.begin(tx, self._place(tx), self._state.now(), known=self._known)
        if self._attempt.wait is not None:
            _held_up.inc()
            seconds = str(ceil(self._attempt.wait.total_seconds()))
            raise TooManyAttempts("too many attempts have failed from here", seconds=seconds)

    async def failed(self, detail: str) -> None:
        """Note the failure; when a pause begins with it, that too."""
        address = self._request.client.host if self._request.client else None
        async with self._state.database.transaction(self._hospital) as tx:
            now = self._state.now()
            await attempts.failed(tx, self._place(tx), now, known=self._known)
            for said in [detail, "sign-in/locked-out"][: 2 if self._attempt.pauses else 1]:
                await audit.record(
                    tx,
                    action=AuditAction.LOGIN,
                    actor=self._known or UNKNOWN,
                    outcome="denied",
                    detail=said,
                    address=address,
                    at=now,
                    request=request_id(self._request.headers.get("x-request-id")),
                )

    async def succeeded(self, tx: Transaction) -> None:
        await attempts.succeeded(tx, self._place(tx))

    def _place(self, tx: Transaction) -> Place:
        found = devices.place_of(self._request, self._state, tx.keys, tx.hospital, self._name)
        return Place(f"{self._what}:{self._name}", found.origin, found.address)
