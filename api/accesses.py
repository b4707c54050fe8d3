"""Writing down who saw or changed what, in the transaction that showed or changed it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from api.caller import Caller
from domain.ids import Reference
from store import audit
from store.audit import AuditAction
from store.database import Transaction

_REQUEST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
_SESSIONS = 5000
_FORGETS = timedelta(minutes=10)


class More(TypedDict, total=False):
    """What else may be known of an access; see `store.audit.record`."""

    purpose: str | None
    request: str | None
    found: int | None
    query: str | None
    reason: str | None


class Shown:
    """Which patients a session's list has shown lately, so that its refreshes are not noted again and again."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[bytes, tuple[datetime, frozenset[str]]] = OrderedDict()

    def anew(self, session: bytes, patients: Iterable[str], at: datetime) -> bool:
        """Whether one of them is new to the session, or ten minutes have passed; then all are remembered."""
        present = frozenset(patients)
        since, known = self._by_session.get(session, (at, frozenset()))
        if present <= known and at - since < _FORGETS:
            return False
        self._by_session[session] = (at, present)
        self._by_session.move_to_end(session)
        while len(self._by_session) > _SESSIONS:
            self._by_session.popitem(last=False)
        return True


async def accessed(
    tx: Transaction,
    caller: Caller,
    action: AuditAction,
    detail: str,
    *,
    at: datetime,
    entities: Iterable[Reference] = (),
    patients: Iterable[Reference] = (),
    outcome: audit.Outcome = "allowed",
    **more: Unpack[More],
) -> None:
    """One audit row. `at` is real time. A list is one access with all its patients."""
    more.setdefault("request", caller.request)
    await audit.record(
        tx,
        action=action,
        actor=caller.actor,
        outcome=outcome,
        entities=sorted(set(entities)),
        patients=sorted(set(patients)),
        detail=detail,
        address=caller.address,
        on_behalf_of=caller.on_behalf_of,
        at=at,
        roles=sorted(caller.roles),
        **more,
    )


def request_id(given: str | None) -> str | None:
    """What a client calls its request (X-Request-Id); anything but a plain id is left out."""
    return given if given is not None and _REQUEST.fullmatch(given) else None
