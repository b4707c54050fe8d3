"""Cases of a matrix: all of them, or a sample in which every two values of different columns meet (pairwise)."""

from __future__ import annotations

import os
import random
from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import TypeVar

_Case = TypeVar("_Case", bound=tuple[Hashable, ...])


def seed() -> int:
    """Of this run, or of the one that PHIS_MATRIX_SEED repeats. A failing test prints it with its output."""
    return int(os.environ.get("PHIS_MATRIX_SEED") or random.SystemRandom().randrange(10**6))


def pairwise(
    cases: Sequence[_Case], chance: random.Random, loose: frozenset[tuple[int, int]] = frozenset()
) -> list[_Case]:
    """A sample in which each pair that stands in some case stands in one of its own.

    loose: columns whose pairs need not all meet: of both each value comes, and pairs as chance has them.
    """
    shuffled = list(cases)
    chance.shuffle(shuffled)
    met: set[tuple[int, int, Hashable, Hashable]] = set()
    chosen = []
    for case in shuffled:
        own = {(a, b, case[a], case[b]) for a, b in combinations(range(len(case)), 2) if (a, b) not in loose} | {
            (a, a, case[a], case[a]) for a in range(len(case))
        }
        if not own <= met:
            met |= own
            chosen.append(case)
    return chosen
