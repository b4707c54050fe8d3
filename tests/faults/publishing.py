"""A process that publishes rules and decides by them without a pause, to be killed.

Prints the number of each round before it begins. Its first decision of a round has a step that the round before had.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

from activities.decisions import StoreDecisionActivities
from domain.decisions import DecisionPoint, DecisionRequest
from domain.ids import Reference, StepName
from rules.bundle import RuleBook
from rules.engine import RuleEngine
from store.database import Database
from store.sealing import KeyRing
from tests.rule_texts import published, text


def asked(hospital: str, number: int) -> DecisionRequest:
    return DecisionRequest(
        workflow_id=f"{hospital}/admission/Encounter/e1",
        step=StepName(f"ask/{number}"),
        point=DecisionPoint.BED_ASSIGNMENT_DUE,
        subject=Reference("Encounter/e1"),
        facts={"priority": "stat"},
        at=datetime.now(UTC),
    )


async def run(hospital: str, begin: int) -> None:
    keys = KeyRing.parse(os.environ["PHIS_KEYS"])
    urls = os.environ["PHIS_DATABASE_URL"], os.environ["PHIS_DATABASE_SYSTEM_URL"]
    async with Database.open(*urls, keys) as database:
        deciding = StoreDecisionActivities(database, RuleEngine(), RuleBook(), lambda: datetime.now(UTC))
        for number in range(begin, begin + 10_000):
            print(number, flush=True)  # noqa: T201
            async with database.transaction(hospital) as tx:
                await published(tx, text(hospital, version=f"2.{number}.0", minutes=number), datetime.now(UTC))
            await asyncio.gather(*(deciding.decided(hospital, asked(hospital, step)) for step in (number - 1, number)))


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2])))
