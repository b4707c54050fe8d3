"""A process is told what the rule of its place, its time and its hospital says, and by which version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from activities.decisions import StoreDecisionActivities
from domain.decisions import Decision, DecisionPoint, DecisionRequest
from domain.ids import Reference, StepName
from domain.process import ProcessSnapshot
from rules.bundle import Bundle, RuleBook
from rules.document import load
from rules.engine import RuleEngine
from rules.library import shipped
from rules.texts import text_of
from runtime.shipping import ship_rules
from store import decisions, processes
from store.database import Database
from store.rules import shared, versions
from store.rules.shared import SharedText
from tests.activities.edges import inside
from tests.rule_texts import published, raw, text
from tests.store.values import Urls

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DUE, ASKED = DecisionPoint.BED_ASSIGNMENT_DUE, "within-15-minutes"


class House:
    """A worker of a hospital; `at` is its clock."""

    def __init__(self, database: Database, hospital: str) -> None:
        self.database, self.hospital, self.at, self.steps = database, hospital, NOW, 0
        self.book = RuleBook()
        self.activities = StoreDecisionActivities(database, RuleEngine(), self.book, lambda: self.at)
        self.workflow_id = f"{hospital}/admission/Encounter/e1"

    async def decide(self, point: DecisionPoint = DUE, department: str = "", **facts: object) -> Decision:
        self.steps += 1
        request = DecisionRequest(
            workflow_id=self.workflow_id,
            step=StepName(f"ask/{self.steps}"),
            point=point,
            subject=Reference("Encounter/e1"),
            facts=facts or {"priority": "stat"},
            at=self.at,
            department=department,
        )
        return await inside(self.workflow_id, self.activities.decide, request)

    async def decided(self, **facts: object) -> Decision:
        """The same step each time, as the activity is asked: past what travels through the engine."""
        request = DecisionRequest.model_construct(
            workflow_id=self.workflow_id,
            step=StepName("ask/lie"),
            point=DUE,
            subject=Reference("Encounter/e1"),
            facts=facts,
            at=self.at,
            department="",
        )
        return await self.activities.decided(self.hospital, request)


@pytest.fixture
def worker(database: Database, hospital: str) -> House:
    return House(database, hospital)


async def test_a_hospitals_own_rule_decides_from_its_publication_on(worker: House) -> None:
    before = await worker.decide()
    assert (before.outcome, before.values["minutes"]) == (ASKED, 15)
    assert before.digest == shipped()[DUE].digest
    own = text(worker.hospital, minutes=5)
    async with worker.database.transaction(worker.hospital) as tx:
        await published(tx, own, NOW)
    after = await worker.decide()  # the very next decision of every worker: the edition is read with it
    assert (after.values["minutes"], after.version, after.digest) == (5, "2.0.0", own.digest)


async def test_a_departments_rule_decides_there_alone(worker: House) -> None:
    async with worker.database.transaction(worker.hospital) as tx:
        await published(tx, text(worker.hospital, department="icu", minutes=3), NOW)
    assert (await worker.decide(department="icu")).values["minutes"] == 3
    assert (await worker.decide(department="er")).values["minutes"] == 15


async def test_another_hospitals_rule_decides_nothing_here(worker: House, other_hospital: str) -> None:
    async with worker.database.transaction(other_hospital) as tx:
        await published(tx, text(other_hospital, minutes=3), NOW)
    assert (await worker.decide()).values["minutes"] == 15


async def test_a_rule_published_for_later_waits_for_its_time(worker: House) -> None:
    async with worker.database.transaction(worker.hospital) as tx:
        await published(tx, text(worker.hospital, minutes=5), NOW, since=NOW + HOUR)
    assert (await worker.decide()).values["minutes"] == 15
    worker.at = NOW + HOUR
    assert (await worker.decide()).values["minutes"] == 5


async def test_a_rule_that_was_switched_off_leaves_it_to_the_wider_one(worker: House) -> None:
    own = text(worker.hospital, minutes=5)
    async with worker.database.transaction(worker.hospital) as tx:
        await published(tx, own, NOW)
        await versions.disable(
            tx, uuid4(), own.digest, until=NOW + HOUR, by="chief", now=NOW, reason="asks for too much"
        )
    decided = await worker.decide()
    assert (decided.indeterminate, decided.digest) == (False, shipped()[DUE].digest)


async def test_where_every_rule_is_switched_off_the_fallback_stands_and_says_why(worker: House, urls: Urls) -> None:
    await ship_rules(urls.migrate, now=NOW)
    async with worker.database.transaction(worker.hospital) as tx:
        national = shipped()[DUE].digest
        await versions.disable(tx, uuid4(), national, until=NOW + HOUR, by="chief", now=NOW, reason="page storm")
    decided = await worker.decide()
    assert (decided.indeterminate, decided.reason, decided.rule) == (True, "no-rule", "")
    assert (decided.outcome, decided.values["minutes"]) == ("within-30-minutes", 30)
    worker.at = NOW + HOUR
    assert not (await worker.decide()).indeterminate


async def test_a_networks_rule_decides_in_its_hospitals(worker: House, urls: Urls, other_hospital: str) -> None:
    document = raw(worker.hospital, minutes=7) | {"scope": {"level": "network", "place": "river"}}
    await ship_rules(urls.migrate, now=NOW)
    await shared.put(urls.migrate, [SharedText(text=text_of(load(document)))], signer="river", now=NOW)
    assert (await worker.decide()).values["minutes"] == 15
    await shared.join(urls.migrate, worker.hospital, "river")
    assert (await worker.decide()).values["minutes"] == 7
    stranger = House(worker.database, other_hospital)
    assert (await stranger.decide()).values["minutes"] == 15


async def test_the_owner_of_an_override_hears_of_another_parent(worker: House, urls: Urls) -> None:
    await ship_rules(urls.migrate, now=NOW)
    await shared.join(urls.migrate, worker.hospital, "river")
    own = text(worker.hospital)

    async def changed() -> list[tuple[str, str, str | None]]:
        async with worker.database.transaction(worker.hospital) as tx:
            network, kept = await versions.applying(tx)
        found = Bundle(worker.hospital, network, kept).changed_parents(NOW)
        return [(each.override.digest, owner, each.now.digest if each.now else None) for each, owner in found]

    async with worker.database.transaction(worker.hospital) as tx:
        await published(tx, own, NOW)
    assert await changed() == []
    document = load(raw(worker.hospital) | {"scope": {"level": "network", "place": "river"}})
    await shared.put(urls.migrate, [SharedText(text=text_of(document))], signer="river", now=NOW)
    assert await changed() == [(own.digest, "analyst", document.digest)]


async def test_a_rule_that_lacks_a_fact_and_one_that_is_lied_to_leave_it_open(worker: House) -> None:
    lacking = await worker.decide(unread=1)
    assert (lacking.indeterminate, lacking.reason, lacking.missing) == (True, "missing-fact", ("priority",))
    lied_to = await worker.decide(priority=7)
    assert (lied_to.indeterminate, lied_to.reason, lied_to.wrong) == (True, "wrong-fact", ("priority",))
    assert lied_to.values["minutes"] == 30


async def test_a_process_keeps_the_version_of_its_start_where_its_point_says_so(worker: House) -> None:
    engine = RuleEngine()
    pinned = [point for point in DecisionPoint if engine.registry.point(point).pin.value == "pinned-at-start"]
    assert pinned
    point = pinned[0]
    document = shipped()[point].model_dump(mode="json", exclude_unset=True)
    document |= {"version": "9.0.0", "scope": {"level": "hospital", "place": worker.hospital}}
    facts = next(test.facts for test in shipped()[point].tests if not test.indeterminate)
    async with worker.database.transaction(worker.hospital) as tx:
        snapshot = ProcessSnapshot(workflow_id=worker.workflow_id, revision=0, state={})
        await processes.start(tx, snapshot, "admission", NOW)
        own = text_of(load(document), shipped()[point].digest)
        await published(tx, own, NOW + HOUR)
    worker.at = NOW + 2 * HOUR
    kept = await worker.decide(point, **facts)
    assert kept.digest == shipped()[point].digest
    worker.workflow_id = f"{worker.hospital}/admission/Encounter/e2"  # began after the publication
    async with worker.database.transaction(worker.hospital) as tx:
        snapshot = ProcessSnapshot(workflow_id=worker.workflow_id, revision=0, state={})
        await processes.start(tx, snapshot, "admission", NOW + 2 * HOUR)
    assert (await worker.decide(point, **facts)).digest == own.digest


async def test_the_log_keeps_what_the_facts_meant_and_the_decisions_number(worker: House) -> None:
    decided = await worker.decide(priority="stat", unread=1)
    async with worker.database.transaction(worker.hospital) as tx:
        assert decided.trace is not None
        request, kept = await decisions.by_trace(tx, decided.trace)
    assert request.facts == {"priority": "stat", "unread": 1}
    assert kept == decided
    assert (kept.dictionary, kept.derivation) == (RuleEngine().registry.version, "1")
    assert (kept.outcomes, kept.rows) == ((ASKED,), (decided.values,))


async def test_points_with_many_answers_and_with_a_number_are_kept_whole(worker: House) -> None:
    seen = set()
    for point, rule in shipped().items():
        shape = RuleEngine().registry.point(point).shape.value
        test = next(test for test in rule.tests if not test.indeterminate and test.outcome)
        decided = await worker.decide(point, **test.facts)
        seen.add(shape)
        assert not decided.indeterminate, point
        expected = test.outcome
        if shape == "number":
            assert decided.number == expected
        else:
            assert decided.outcomes == (expected if isinstance(expected, tuple) else (expected,))
            assert len(decided.rows) == len(decided.outcomes)
    assert seen == {"one", "many", "number"}


@pytest.mark.parametrize("lie", [float("nan"), 10**400, "\ud800", b"stat", {1: 2}])
async def test_a_fact_that_is_no_json_at_all_is_decided_and_kept_as_what_it_was(worker: House, lie: object) -> None:
    decided = await worker.decided(priority=lie)
    assert (decided.indeterminate, decided.reason, decided.wrong) == (True, "wrong-fact", ("priority",))
    assert await worker.decided(priority=lie) == decided
    async with worker.database.transaction(worker.hospital) as tx:
        kept = await decisions.request_of(tx, worker.workflow_id, "ask/lie")
    assert not RuleEngine().registry.facts["priority"].fits(kept.facts["priority"])
