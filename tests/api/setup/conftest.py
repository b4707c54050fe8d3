"""The office of one hospital."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Bearer
from tests.api.setup.office import Office
from tests.desk import Desk


@pytest.fixture
def office(client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> Office:
    return Office(client, bearer, desk)
