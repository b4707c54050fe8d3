"""How often an interaction goes to the database and back: with many clients, that is a good part of what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from store.pipeline import Pipeline
from tests.api.fhir.conftest import Connect, patient

MOST = {"create": 1, "read": 2, "update": 2, "search": 2}


@pytest.fixture
async def client(connect: Connect) -> httpx.AsyncClient:
    """Somebody whose token the server knows already."""
    client = await connect()
    assert (await client.get("/Patient")).status_code == 200
    return client


async def test_an_interaction_travels_no_more_often_than_it_must(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    travelled: list[int] = []
    travel = Pipeline._travel

    async def counted(self: Pipeline, queue: Sequence[Any]) -> None:
        if self._line.info.user == "phis_app":
            travelled.append(len(queue))
        await travel(self, queue)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(Pipeline, "_travel", counted)
    found = {}

    async def ask(name: str, method: str, path: str, **more: Any) -> Any:
        travelled.clear()
        answer = await client.request(method, path, **more)
        assert answer.is_success, answer.text
        found[name] = len(travelled)
        return answer.json()

    made = await ask("create", "POST", "/Patient", json=patient())
    await ask("read", "GET", f"/Patient/{made['id']}")
    await ask("update", "PUT", f"/Patient/{made['id']}", json=made)
    await ask("search", "GET", "/Observation", params={"patient": f"Patient/{made['id']}"})
    assert found == MOST
