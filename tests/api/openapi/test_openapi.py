"""Schemathesis over the whole OpenAPI document: no fault, and every answer is one that the document tells of."""

from __future__ import annotations

import asyncio
import random
from time import perf_counter
from typing import Any

import pytest

from api import deps
from api.caller import Caller
from domain.roles import Role
from tests.api.conftest import Bearer
from tests.api.matrix.pairs import seed
from tests.api.matrix.world import World
from tests.api.openapi.fuzzing import Fuzzing
from tests.desk import caller

SHORT, LONG = 4, 80
"""Requests of each operation."""

OPERATIONS = 9
"""Of the sample: most of its time goes into making the requests."""


async def _fuzz(world: World, address: str, bearer: Bearer, examples: int, *, some: int | None = None) -> Fuzzing:
    of = world.own
    known = {
        "encounter_id": of.encounter, "task_id": of.task, "use_id": str(of.use), "delegation_id": str(of.delegation),
    }  # fmt: skip
    document = (await world.client.get("/openapi.json")).json()
    fuzzing = Fuzzing(document, address, await bearer(*Role), known)
    number, begun = seed(), perf_counter()
    operations = fuzzing.operations()
    if some is not None:
        operations = random.Random(number).sample(operations, some)  # noqa: S311
    for operation in operations:
        await asyncio.to_thread(fuzzing.run, operation, examples=examples, seed=number)
    took = perf_counter() - begun
    seen = dict(sorted(fuzzing.seen.items()))
    print(f"seed {number}: {len(operations)} operations, {fuzzing.seen.total()} requests in {took:.0f} s, {seen}")  # noqa: T201
    return fuzzing


async def test_a_sample_of_requests_is_answered_as_the_document_says(
    world: World, address: str, bearer: Bearer
) -> None:
    fuzzing = await _fuzz(world, address, bearer, SHORT, some=OPERATIONS)
    assert not fuzzing.wrong, "\n\n".join(fuzzing.wrong[:20])
    assert fuzzing.seen.total() >= SHORT * OPERATIONS


async def test_teeth_what_the_document_does_not_tell_of_is_found(
    world: World, address: str, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, document = "/commands/rules", (await world.client.get("/openapi.json")).json()
    headers = await bearer(Role.ANALYST)

    async def told(responses: dict[str, Any] | None = None) -> str:
        operation = document["paths"][path]["get"] | ({} if responses is None else {"responses": responses})
        fuzzing = Fuzzing(document | {"paths": {path: {"get": operation}}}, address, headers, {})
        await asyncio.to_thread(fuzzing.run, fuzzing.operations()[0], examples=1, seed=1)
        return " ".join(fuzzing.wrong).lower()

    def a_json(schema: dict[str, Any]) -> dict[str, Any]:
        return {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}

    assert not await told()
    assert "status code" in await told({})
    assert "content" in await told({"200": {"description": "", "content": {"text/csv": {}}}})
    assert "schema" in await told(a_json({"type": "integer"}))

    async def anybody(*_: object) -> Caller:
        return caller(world.own.hospital, Role.ANALYST)

    monkeypatch.setattr(deps, "_identify", anybody)
    assert "auth" in await told()


@pytest.mark.long
async def test_thousands_of_requests_are_answered_as_the_document_says(
    world: World, address: str, bearer: Bearer
) -> None:
    fuzzing = await _fuzz(world, address, bearer, LONG)
    assert not fuzzing.wrong, "\n\n".join(fuzzing.wrong[:20])
