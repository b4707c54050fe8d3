"""A server that may call one receiver, at a time that goes on when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import httpx
import pytest
from fastapi import FastAPI

from adapters.outgoing import Outgoing
from api.app import create_app
from api.fhir.notifying import Notifier
from api.state import AppState
from store import clients
from tests.api.fhir.conftest import Connect, Json
from tests.api.fhir.receiver import Receiver, receiving
from tests.api.fhir.subscriptions.subscribing import Present
from tests.desk import Desk


@pytest.fixture
def present(now: datetime) -> Present:
    return Present(now)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
def state(desk: Desk, receiver: Receiver, present: Present) -> AppState:
    return replace(desk.state, outgoing=Outgoing([receiver.origin]), now=present)


@pytest.fixture
def app(state: AppState) -> FastAPI:
    return create_app(state)


@pytest.fixture
def notifier(state: AppState) -> Notifier:
    return Notifier(state)


@pytest.fixture
async def registered(connect: Connect, desk: Desk, now: datetime) -> httpx.AsyncClient:
    """A program with a key of its own, for encounters."""
    name, scope = f"{desk.hospital}.reader", "system/Subscription.cruds system/Encounter.rs"
    keys: Json = {"keys": []}
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.register(
            tx, id_=name, display="", keys=keys, keys_url=None, scope=scope, token_seconds=300, now=now
        )
    return await connect(scope, label=name)
