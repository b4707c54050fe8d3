"""The two hospitals of the matrix behind a socket: the fuzzer brings its own client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.api.matrix.world import World, build
from tests.desk import Desk


@pytest.fixture
async def world(app: FastAPI, desk: Desk, other_hospital: str, client: httpx.AsyncClient, password_hash: str) -> World:
    return await build(app, desk, other_hospital, client, password_hash)


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving
