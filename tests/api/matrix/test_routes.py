"""Every screen and every command, for every role, about one's own hospital, another's, and for nobody."""

from __future__ import annotations

import random
from time import perf_counter

import pytest
from fastapi import APIRouter

from api import app, deps
from domain.roles import Role
from tests.api.matrix.pairs import pairwise, seed
from tests.api.matrix.routes import Case, Whose, Wrong, cases, fault, policies, routes
from tests.api.matrix.world import World


def test_every_route_stands_in_the_matrix() -> None:
    assert set(routes()) == set(policies())
    assert {case.route for case in cases()} == set(routes())


def test_a_new_route_is_missed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()
    router.add_api_route("/brand-new", lambda: None)
    monkeypatch.setattr(app, "_ROUTERS", (*app._ROUTERS, router))
    assert set(routes()) - set(policies()) == {("GET", "/brand-new")}


async def test_teeth_a_route_that_lets_anybody_in_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(("POST", "/commands/admissions"), Role.HOUSEKEEPING, Whose.OWN, Wrong.NOTHING)
    assert not await fault(world, case)
    monkeypatch.setattr(deps, "may", lambda *_: True)
    assert await fault(world, case)


async def _walk(world: World, chosen: list[Case]) -> list[str]:
    return [
        f"{' '.join(case.route)} {case.role} {case.whose} {case.wrong}: {said}"
        for case in chosen
        if (said := await fault(world, case))
    ]


async def test_a_sample_of_the_matrix_answers_as_the_policy_says(world: World) -> None:
    number = seed()
    chance, whole = random.Random(number), list(cases())  # noqa: S311
    chosen = pairwise(whole, chance, frozenset({(0, 1)})) + chance.sample(whole, 250)
    begun = perf_counter()
    wrong = await _walk(world, chosen)
    print(f"seed {number}: {len(chosen)} cases in {perf_counter() - begun:.1f} s, {len(wrong)} wrong")  # noqa: T201
    assert not wrong, "\n".join(wrong[:40])


@pytest.mark.long
async def test_the_whole_matrix_answers_as_the_policy_says(world: World) -> None:
    whole = list(cases())
    begun = perf_counter()
    wrong = await _walk(world, whole)
    print(f"{len(routes())} routes, {len(whole)} cases in {perf_counter() - begun:.0f} s, {len(wrong)} wrong")  # noqa: T201
    assert not wrong, "\n".join(wrong[:40])
