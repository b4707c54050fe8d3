"""How long it takes to find a patient among 200,000: `python -m bench.patients [how many]`.

People are invented, with the family names of Korea as often as the census has them; one in twenty is a foreigner.
Measured is the search with its transaction, row security and opened records, as the server does it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from bench.report import Figure, percentile, show
from domain.ids import Reference
from domain.matching.finding import terms
from store.database import Database
from store.fhir.writing import Write, write
from store.search.finding import found
from store.search.sql import everything
from tests.faults.running import HOSPITAL, RunningHouse

MANY = 200_000
GOAL = 50.0
"""Milliseconds that the slowest of twenty may take."""

_SHOWN = 51
_BATCH = 1000
_ROUNDS = 60
_FAMILIES = "김" * 215 + "이" * 147 + "박" * 84 + "최" * 47 + "정" * 43 + "강조윤장임한오서신권황안송류홍" * 15
_GIVEN = "가나다라민서준지우현하은도윤예진수빈영호철석재경미정희순자숙옥연아솔별한결찬혁태"
_FOREIGN = ("Nguyen", "Wang", "Li", "Smith", "Müller", "Tran", "Ivanov", "Suzuki", "Garcia", "Rahman")
_CALLED = ("Thi Lan", "Wei", "John", "Anna", "Van Minh", "Olga", "Haruto", "Maria", "Abdul", "Chen")

Json = dict[str, Any]


def person(number: int) -> Json:
    """The same for a number in every run."""
    chance = random.Random(number)  # noqa: S311
    if number % 20:
        name = chance.choice(_FAMILIES) + "".join(chance.choices(_GIVEN, k=2))
    else:
        name = f"{chance.choice(_FOREIGN)} {chance.choice(_CALLED)}"
    born = date(1930, 1, 1) + timedelta(days=chance.randrange(34_000))
    return {
        "resourceType": "Patient",
        "id": f"bench-{number}",
        "active": True,
        "identifier": [{"use": "usual", "value": f"{number:08}"}],
        "name": [{"use": "official", "text": name}],
        "gender": chance.choice(["female", "male"]),
        "birthDate": born.isoformat(),
        "telecom": [{"system": "phone", "value": f"010-{chance.randrange(10000):04}-{chance.randrange(10000):04}"}],
    }


async def measure(many: int = MANY) -> list[Figure]:
    house = RunningHouse.in_a_new_folder()
    try:
        await house.start()
        async with house.database() as database:
            began = time.perf_counter()
            await _register(database, many)
            pace = many / (time.perf_counter() - began)
            figures = [Figure(f"registering {many:,} patients, a thousand at a time", pace, "/s")]
            for kind, typed in _TYPED.items():
                figures += await _ask(database, kind, typed, many)
        return figures
    finally:
        await house.stop()
        house.remove()


async def _register(database: Database, many: int) -> None:
    now = datetime.now(UTC)
    left = iter(range(many))
    while numbers := list(islice(left, _BATCH)):
        writes = [Write(Reference.to("Patient", f"bench-{each}"), person(each), None, 0) for each in numbers]
        async with database.transaction(HOSPITAL) as tx:
            await write(tx, writes, now=now)


def _name(one: Json) -> str:
    return str(one["name"][0]["text"])


_TYPED: dict[str, Callable[[Json], str]] = {
    "the whole name": _name,
    "two syllables": lambda one: _name(one)[:2],
    "the family name alone": lambda one: _name(one)[:1] if " " not in _name(one) else _name(one).split()[0],
    "initial consonants": lambda one: "ㄱㅎㅈ",
    "name and date of birth": lambda one: f"{_name(one)} {one['birthDate']}",
    "family name and year": lambda one: f"{_name(one).split()[0][:1]} {one['birthDate'][:4]}",
    "date of birth": lambda one: str(one["birthDate"]),
    "number": lambda one: str(one["identifier"][0]["value"]),
    "telephone": lambda one: str(one["telecom"][0]["value"]),
    "last four of the telephone": lambda one: str(one["telecom"][0]["value"])[-4:],
    "a name that nobody has": lambda one: "뷁쉛",
}


async def _ask(database: Database, kind: str, typed: Callable[[Json], str], many: int) -> list[Figure]:
    chance, took, hits = random.Random(kind), [], 0  # noqa: S311
    for _ in range(_ROUNDS):
        text = typed(person(chance.randrange(many)))
        began = time.perf_counter()
        async with database.transaction(HOSPITAL) as tx:
            hits += len(await found(tx, terms(text, date(2026, 11, 24)), everything, limit=_SHOWN))
        took.append((time.perf_counter() - began) * 1000)
    named = f"{kind} ({hits / _ROUNDS:.1f} found)"
    return [Figure(f"{named}, p50", percentile(took, 0.5), "ms"), Figure("  p95", percentile(took, 0.95), "ms", GOAL)]


if __name__ == "__main__":
    show("patients", asyncio.run(measure(*[int(each) for each in sys.argv[1:]])))
