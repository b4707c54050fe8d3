"""Past decisions are counted once each, however often counting is interrupted, doubled or stopped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.effects import Effects
from activities.rule_impact import StoreImpactActivities
from activities.signatures.rule_impact import CountPast
from domain.errors import RuleUnusable
from domain.rule_impact import Counted, ImpactState, ReportState
from rules.document import RuleDocument
from rules.engine import Compiled, RuleEngine
from rules.impact import Impact
from store.database import Database
from store.rules import reports
from store.sealing import KeyRing
from tests.activities.edges import inside
from tests.rule_past import BEGAN, asked, fill, impact_of, report_of
from tests.store.values import Urls


class Counter:
    """A worker of a hospital that counts ten cases a slice. stops: after how many slices it is told to stop."""

    def __init__(self, database: Database, hospital: str, engine: RuleEngine | None = None) -> None:
        self.database, self.hospital, self.slices = database, hospital, 0

        def now() -> datetime:
            return datetime.now(UTC)

        self.activities = StoreImpactActivities(
            database, Effects(database, now), engine or RuleEngine(), now, slice_=10
        )

    async def count(self, asked: ImpactState, *, stops: int = 1_000) -> Counted:
        slices = 0

        def told() -> bool:
            nonlocal slices
            slices += 1
            return slices >= stops

        return await self.activities.counted(self.hospital, asked.report, told)

    async def impact(self, asked: ImpactState) -> Impact:
        return impact_of(await report_of(self.database, self.hospital, asked.report))


@pytest.fixture
def counter(database: Database, hospital: str) -> Counter:
    return Counter(database, hospital)


@pytest.mark.parametrize("many", [0, 1, 9, 10, 11, 40])
async def test_every_case_is_counted_once(counter: Counter, many: int) -> None:
    await fill(counter.database, counter.hospital, many)
    report = await asked(counter.database, counter.hospital)
    assert await counter.count(report) == Counted(state=ReportState.DONE, cases=many)
    impact = await counter.impact(report)
    assert (impact.cases, impact.expected) == (many, many)
    assert impact.changed == sum(number % 4 > 1 for number in range(many))
    assert sum(group.cases for group in impact.wards.values()) == many


async def test_a_stretch_that_was_stopped_goes_on_from_where_it_was(counter: Counter) -> None:
    await fill(counter.database, counter.hospital, 40)
    report = await asked(counter.database, counter.hospital)
    assert await counter.count(report, stops=1) == Counted(state=ReportState.RUNNING, cases=10)
    assert await counter.count(report, stops=2) == Counted(state=ReportState.RUNNING, cases=30)
    assert await counter.count(report) == Counted(state=ReportState.DONE, cases=40)
    impact = await counter.impact(report)
    assert impact.changed == 20
    assert impact.wards["w1"].cases == 20
    (samples,) = impact.samples.values()
    assert len(samples) == 5  # of twenty


async def test_two_workers_that_count_the_same_report_count_no_case_twice(
    database: Database, hospital: str, counter: Counter
) -> None:
    await fill(database, hospital, 95)
    report = await asked(database, hospital)
    await asyncio.gather(*(Counter(database, hospital).count(report) for _ in range(3)))
    assert await counter.count(report) == Counted(state=ReportState.DONE, cases=95)


async def test_who_stops_a_report_stops_it_before_its_next_slice(counter: Counter) -> None:
    await fill(counter.database, counter.hospital, 40)
    report = await asked(counter.database, counter.hospital)
    await counter.count(report, stops=2)
    async with counter.database.transaction(counter.hospital) as tx:
        await reports.cancel(tx, report.report, by="analyst", reason="the wrong draft", now=BEGAN)
    assert await counter.count(report) == Counted(state=ReportState.CANCELLED, cases=20)


async def test_a_report_may_be_about_a_part_of_the_past(counter: Counter) -> None:
    await fill(counter.database, counter.hospital, 40)
    period = {"since": BEGAN + timedelta(minutes=8), "until": BEGAN + timedelta(minutes=24)}
    report = await asked(counter.database, counter.hospital, **period)
    assert await counter.count(report) == Counted(state=ReportState.DONE, cases=16)


async def test_what_is_decided_by_a_text_that_this_release_cannot_read_is_no_report(
    database: Database, hospital: str
) -> None:
    class Older(RuleEngine):
        def compiled(self, document: RuleDocument) -> Compiled:
            raise RuleUnusable("an operator of a later release", pointer="/logic")

    await fill(database, hospital, 4)
    report = await asked(database, hospital)
    assert await Counter(database, hospital, Older()).count(report) == Counted(state=ReportState.FAILED, cases=0)


async def test_facts_whose_key_is_gone_end_the_report(
    urls: Urls, database: Database, hospital: str, keys: KeyRing
) -> None:
    await fill(database, hospital, 4)
    report = await asked(database, hospital)
    async with Database.open(urls.app, urls.system, KeyRing.generate("other")) as elsewhere:
        told = await Counter(elsewhere, hospital).count(report)
    assert told == Counted(state=ReportState.FAILED, cases=0)


async def test_a_report_that_nobody_asked_for_is_none(database: Database, hospital: str, other_hospital: str) -> None:
    report = await asked(database, other_hospital)
    assert (await Counter(database, hospital).count(report)).state is ReportState.FAILED
    assert (await report_of(database, other_hospital, report.report)).state is ReportState.RUNNING


async def test_each_slice_is_heard_of(database: Database, hospital: str, counter: Counter) -> None:
    await fill(database, hospital, 25)
    report = await asked(database, hospital)
    heard: list[object] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: heard.append(details)
    counted = await inside(
        report.workflow_id, counter.activities.count_past, CountPast(report=report.report), environment
    )
    assert (counted.cases, len(heard)) == (25, 3)
