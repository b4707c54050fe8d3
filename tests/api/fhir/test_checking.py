"""Large resources are looked at beside the event loop, one at a time, and a line of them has an end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from api.fhir import checking
from api.fhir.checking import WAITING, Desk, closely, is_small
from domain.errors import Unavailable
from domain.roles import Role
from tests.api.conftest import Bearer
from tests.desk import Desk as House


def questionnaire(questions: int, **more: Any) -> dict[str, Any]:
    items = [{"linkId": f"q{number}", "text": "How are you?", "type": "string"} for number in range(questions)]
    return {"resourceType": "Questionnaire", "status": "draft", "item": items} | more


async def thread_of(resource: dict[str, Any]) -> str:
    return await closely(resource, lambda: threading.current_thread().name)


async def test_a_small_one_is_looked_at_on_the_spot_and_a_large_one_beside() -> None:
    here = threading.current_thread().name
    assert await thread_of(questionnaire(3)) == here
    assert (await thread_of(questionnaire(500))).startswith("checking")


async def test_teeth_were_all_called_small_the_loop_would_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SMALL", 10_000)
    assert await thread_of(questionnaire(500)) == threading.current_thread().name


@pytest.mark.parametrize(
    ("resource", "small"),
    [
        ({}, True),
        ({"a": 1}, True),
        ({"a": [{}] * 20}, True),
        ({"a": [{}] * 100}, False),
        ({"a": {"b": {"c": {"d": [1] * 10_000}}}}, True),
        ("not even an object", True),
    ],
)
def test_small_is_counted_in_objects(resource: Any, small: bool) -> None:
    assert is_small(resource) is small


async def test_while_a_large_one_is_looked_at_others_are_answered(
    client: httpx.AsyncClient, bearer: Bearer, desk: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on, real = threading.Event(), threading.Event(), checking.check

    def slow(resource: Any) -> Any:
        at_work.set()
        assert go_on.wait(30)
        return real(resource)

    monkeypatch.setattr(checking, "check", slow)
    headers = await bearer(Role.ADMINISTRATOR) | {"Content-Type": "application/fhir+json"}
    base = f"/fhir/{desk.hospital}/Questionnaire"
    large = asyncio.create_task(client.post(base, headers=headers, json=questionnaire(500)))
    await asyncio.to_thread(at_work.wait, 30)
    assert (await client.get(base, headers=headers)).status_code == 200
    assert not large.done()
    go_on.set()
    assert (await large).status_code == 201


async def test_what_is_wrong_with_a_large_one_is_said_as_of_a_small_one(
    client: httpx.AsyncClient, bearer: Bearer, desk: House
) -> None:
    headers = await bearer(Role.ADMINISTRATOR)
    base = f"/fhir/{desk.hospital}/Questionnaire"
    told = []
    for questions in (3, 500):
        answer = await client.post(base, headers=headers, json=questionnaire(questions, status="nonsense"))
        told.append((answer.status_code, answer.json()["issue"]))
    assert told[0] == told[1]
    assert told[0][0] == 400


async def test_the_line_has_an_end_and_moves_on() -> None:
    desk, go_on = Desk(), threading.Event()
    waiting = [asyncio.create_task(desk.beside(lambda: go_on.wait(30))) for _ in range(WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await desk.beside(lambda: None)
    assert refused.value.params["part"] == "validation"
    waiting[-1].cancel()  # who goes away leaves a place
    await asyncio.sleep(0)
    go_on.set()
    assert await desk.beside(lambda: "done") == "done"
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_the_threads_turns_are_short_and_end_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    usual = sys.getswitchinterval()
    assert await Desk().beside(sys.getswitchinterval) < usual / 5
    assert sys.getswitchinterval() == usual
