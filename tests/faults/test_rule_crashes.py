"""Killed at any moment of publishing or deciding: a rule applies or it does not, a step is decided or it is not."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime

import pytest

from activities.decisions import StoreDecisionActivities
from rules.bundle import RuleBook
from rules.engine import RuleEngine
from store.database import Database
from store.rules import versions
from store.sealing import KeyRing
from tests.faults.publishing import asked
from tests.store.values import Urls


async def killed(urls: Urls, keys: KeyRing, hospital: str, *, rounds: int, grace: float) -> int:
    """Run until some rounds have begun and a moment more, kill -9; returns the last round that began."""
    told = {"PHIS_DATABASE_URL": urls.app, "PHIS_DATABASE_SYSTEM_URL": urls.system, "PHIS_KEYS": keys.text}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.publishing", hospital, str(1), stdout=PIPE, env=os.environ | told
    )
    assert process.stdout is not None
    last = 0
    try:
        while last < rounds:
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            assert line, "it ended by itself"
            last = int(line)
        await asyncio.wait_for(asyncio.shield(process.wait()), grace)
    except TimeoutError:
        pass  # the moment has come
    finally:
        process.kill()
        rest = await process.stdout.read()
        await process.wait()
    return max([last, *(int(line) for line in rest.split())])


async def clear(database: Database, hospital: str, last: int) -> None:
    """One state: every published draft is a version, counted once, told once, and each step holds one decision."""
    async with database.transaction(hospital) as tx:
        counts = await tx.one(
            """
            select (select count(*) from rule_version) as versions,
                   (select count(*) from rule_draft where state = 'published') as closed,
                   (select count(*) from rule_draft where state <> 'published') as open,
                   (select count(*) from rule_event where action = 'publish') as noted,
                   (select count(*) from outbox where topic = 'rules') as told,
                   (select coalesce(max(edition), 0) from rule_edition) as edition
            """
        )
        assert counts is not None
        edition = await versions.edition(tx)
    assert len({counts[name] for name in ("versions", "closed", "noted", "told", "edition")}) == 1, counts
    assert counts["open"] == 0  # begin, review, approval and publication were one transaction here
    assert edition.own in {last - 1, last}
    deciding = StoreDecisionActivities(database, RuleEngine(), RuleBook(), lambda: datetime.now(UTC))
    first = [await deciding.decided(hospital, asked(hospital, step)) for step in range(last + 1)]
    again = [await deciding.decided(hospital, asked(hospital, step)) for step in range(last + 1)]
    assert again == first
    async with database.transaction(hospital) as tx:
        kept = {row["digest"] for row in await tx.all("select digest from rule_version")}
    assert {decision.digest for decision in first[1:last]} <= kept


async def test_a_kill_leaves_one_clear_state(urls: Urls, keys: KeyRing, database: Database, hospital: str) -> None:
    last = await killed(urls, keys, hospital, rounds=3, grace=0.01)
    await clear(database, hospital, last)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
async def test_many_kills_leave_one_clear_state(
    urls: Urls, keys: KeyRing, database: Database, hospital: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (a moment, no secret)
    last = await killed(urls, keys, hospital, rounds=chance.randint(1, 6), grace=chance.random() / 10)
    await clear(database, hospital, last)
