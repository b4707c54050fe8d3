"""The two hospitals of the matrix, to fill their forms in."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from tests.api.matrix.world import World, build
from tests.desk import Desk


@pytest.fixture
async def world(app: FastAPI, desk: Desk, other_hospital: str, client: httpx.AsyncClient, password_hash: str) -> World:
    return await build(app, desk, other_hospital, client, password_hash)
