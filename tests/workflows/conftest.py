"""A desk with a worker, for each test of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from store.database import Database
from tests.workflows.desk import Desk


@pytest.fixture
def closed_desk(hospital: str, database: Database, temporal_client: Client, task_queue: str) -> Desk:
    """Without a worker: the test runs its own."""
    return Desk(hospital, database, temporal_client, task_queue)


@pytest.fixture
async def desk(closed_desk: Desk) -> AsyncIterator[Desk]:
    async with closed_desk.working():
        yield closed_desk
