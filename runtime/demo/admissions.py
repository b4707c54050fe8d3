"""Asks for the admissions of a living demo hospital, through the same door as everybody."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import structlog

from domain.ids import Reference
from domain.roles import Role
from runtime.demo.patients import PATIENTS, Invented
from runtime.settings import Settings
from store import accounts
from store.database import Database
from store.sealing import KeyRing

log = structlog.get_logger(__name__)

_PATIENCE = timedelta(seconds=20)
_CLERK = "admission-clerk@hanbit"  # the demo account that seems to have asked


async def admit(settings: Settings, base_url: str) -> None:
    """One open admission for each invented patient. The keys never change, so a second start asks nothing anew."""
    keys = KeyRing.parse(settings.keys.get_secret_value())
    app, system = settings.database_url.get_secret_value(), settings.database_system_url.get_secret_value()
    expires = datetime.now(UTC) + timedelta(minutes=5)
    async with (
        Database.open(app, system, keys, app_size=1, system_size=1) as database,
        database.transaction("hanbit") as tx,
    ):
        token = await accounts.issue_token(tx, _CLERK, [Role.ADMISSION_CLERK], "", expires)
    for person in PATIENTS:
        status = await asyncio.to_thread(_ask, base_url, token, person)
        if status not in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT}:
            log.warning("a demo admission was refused", status=status)


def _ask(base_url: str, token: str, person: Invented) -> int:
    """The status that the server answered; a conflict means that the patient is in the hospital already."""
    body = {
        "patient": {"reference": person.reference},
        "ward": Reference.to("Location", f"ward-{person.ward}"),
        "priority": person.priority.value,
    }
    request = urllib.request.Request(  # noqa: S310  (our own server)
        f"{base_url}/commands/admissions",
        data=json.dumps(body).encode(),
        method="POST",
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"demo-admission-{person.number}",
        },
    )
    # It is this machine, whatever proxy the environment names.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_PATIENCE.total_seconds()) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0
