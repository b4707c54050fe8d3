"""People who work on rules."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Bearer
from tests.api.rules.people import People
from tests.desk import Desk


@pytest.fixture
def people(client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> People:
    return People(client, bearer, desk)
