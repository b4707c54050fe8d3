"""A hospital whose clock the test moves, browsers at addresses, and people with second factors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from tests.api.identity.world import Clock, World
from tests.desk import Desk


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(desk: Desk, clock: Clock) -> Desk:
    desk.state = replace(desk.state, now=clock)
    # Weak on purpose: what is tested is the way in, not the hash.
    desk.state.passwords._hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    return desk


@pytest.fixture
async def world(app: FastAPI, desk: Desk, clock: Clock, password_hash: str) -> AsyncIterator[World]:
    made = World(app, desk, clock, password_hash)
    yield made
    await made.close()
