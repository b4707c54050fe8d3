"""Every interaction and operation of FHIR, for every role, about records in reach, out of it, of others, of nobody."""

from __future__ import annotations

import random
from time import perf_counter

import pytest

from domain.roles import Role
from tests.api.matrix.interactions import (
    Case,
    about_kept,
    cases,
    endpoints,
    fault,
    interactions,
    stands_where_it_says,
)
from tests.api.matrix.pairs import pairwise, seed
from tests.api.matrix.world import World


def test_every_interaction_and_operation_stands_in_the_matrix() -> None:
    assert {each.what for each in endpoints()} >= interactions()
    assert all(stands_where_it_says(each) for each in endpoints())


_LAST = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]


def _turn(case: Case) -> tuple[bool, int]:
    """Auditors look first: what anybody asks for here, of other hospitals' records too, is in this hospital's audit.

    Then come reads: some roles may change and delete the records that others ask for.
    """
    return case.role is not Role.AUDITOR or case.endpoint.what != "search-audit", _LAST.index(case.endpoint.method)


async def _walk(world: World, chosen: list[Case]) -> list[str]:
    return [
        f"{' '.join(case.endpoint)} {case.role} {case.whose} {case.wrong}: {said}"
        for case in sorted(chosen, key=_turn)
        if (said := await fault(world, case))
    ]


async def test_a_sample_of_the_matrix_answers_as_the_policy_says(world: World) -> None:
    number = seed()
    chance = random.Random(number)  # noqa: S311
    kept = tuple(each for each in endpoints() if about_kept(each))
    whole = list(cases(kept))
    chosen = pairwise(whole, chance, frozenset({(0, 1), (0, 2)})) + chance.sample(whole, 250)
    begun = perf_counter()
    wrong = await _walk(world, chosen)
    print(f"seed {number}: {len(chosen)} of {len(whole)} cases in {perf_counter() - begun:.1f} s, {len(wrong)} wrong")  # noqa: T201
    assert not wrong, "\n".join(wrong[:40])


@pytest.mark.long
async def test_the_whole_matrix_answers_as_the_policy_says(world: World) -> None:
    whole = list(cases(endpoints()))
    begun = perf_counter()
    wrong = await _walk(world, whole)
    print(f"{len(endpoints())} endpoints, {len(whole)} cases in {perf_counter() - begun:.0f} s, {len(wrong)} wrong")  # noqa: T201
    assert not wrong, "\n".join(wrong[:200])
