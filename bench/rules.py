"""What rules cost: deciding, recording, checking, comparing with the past, publishing: `python -m bench.rules`.

An equivalent decision by `zen-engine` is timed beside ours in the same run. Name parts to run only those: `memory`,
`store`, `replay`. Figures of a processor's time tell more than those of the clock on a machine that does other work.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import zen
from psycopg import AsyncConnection

from activities.decisions import StoreDecisionActivities
from activities.effects import Effects
from activities.rule_impact import StoreImpactActivities
from bench.report import Figure, percentile, show
from domain.decisions import DecisionPoint, DecisionRequest
from domain.ids import Reference, StepName
from domain.rule_impact import ReportState
from domain.rule_versions import KeptVersion
from rules.bundle import ALWAYS, Bundle, RuleBook
from rules.checking.checker import check
from rules.deciding import decide
from rules.document import RuleDocument, load
from rules.engine import RuleEngine
from rules.library import shipped
from rules.points import shipped_registry
from rules.texts import text_of
from runtime.postgres import EmbeddedPostgres
from runtime.shipping import ship_rules
from store import bootstrap, decisions, hospitals, schema
from store.database import Database
from store.sealing import KeyRing
from tests.rule_past import asked
from tests.rule_texts import published, text

HOSPITAL = "bench"
POINT = DecisionPoint.BED_ASSIGNMENT_DUE
_PRIORITIES = ("routine", "urgent", "asap", "stat")
_DECISIONS, _AT_ONCE, _PAST, _CALLS = 6_000, 16, 100_000, 20_000


@dataclass
class House:
    database: Database
    keys: KeyRing
    folder: Path
    migrate: str


PARTS = ("memory", "store", "replay")


async def measure(parts: Sequence[str] = PARTS, past: int = _PAST) -> list[Figure]:
    figures = [*in_memory(), type_check(), *beside_zen()] if "memory" in parts else []
    if "memory" in parts and len(parts) == 1:
        return figures
    async with house() as opened:
        if "store" in parts:
            figures += [*await recorded(opened), await live(opened)]
        if "replay" in parts:
            figures += await replay(opened, past)
    return figures


def in_memory() -> list[Figure]:
    """Twenty rules asked in turn out of a bundle of two hundred, with the facts of their own tests."""
    engine, now = RuleEngine(), datetime(2026, 11, 23, tzinfo=UTC)
    bundle = Bundle(HOSPITAL, "", _two_hundred())
    asked = [
        _request(point, next(test.facts for test in rule.tests if not test.indeterminate), number)
        for number, (point, rule) in enumerate(list(shipped().items())[:20])
    ]
    assert len(bundle.published()) == 200
    for request in asked:
        decide(engine, bundle, request, started_at=None, now=now)
    spent = []
    for number in range(_CALLS):
        began = time.thread_time_ns()  # of a processor: what else the machine does is not ours
        decide(engine, bundle, asked[number % 20], started_at=None, now=now)
        spent.append((time.thread_time_ns() - began) / 1000)
    return [
        Figure("decide in memory, 20 of 200 rules, p50", percentile(spent, 0.5), "µs"),
        Figure("decide in memory, 20 of 200 rules, p99", percentile(spent, 0.99), "µs", 50),
    ]


def type_check() -> Figure:
    """A rule at the limit of the profile, checked as on saving."""
    document = json.loads(shipped()[POINT].canonical)
    for form in ("table", "tree"):
        document.pop(form, None)
    condition: Any = {"==": [{"var": "priority"}, "stat"]}
    document["logic"] = {"if": [{"or": [copy.deepcopy(condition) for _ in range(1_240)]}, *_outcomes(document)]}
    began = time.perf_counter()
    check(document, shipped_registry())
    return Figure("type check of 5,000 nodes", (time.perf_counter() - began) * 1000, "ms", 200)


def beside_zen() -> list[Figure]:
    """The same question to ours and to zen-engine: four conditions over three facts."""
    engine, rule = RuleEngine(), shipped()[POINT]
    facts = {"priority": "stat"}
    ours = _median(lambda: engine.evaluate(rule, facts))
    cases = [{"_id": name, "in": f'"{name}"', "out": f'"{name}"'} for name in _PRIORITIES]
    graph = {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {
                "id": "table",
                "type": "decisionTableNode",
                "name": "table",
                "position": {"x": 1, "y": 0},
                "content": {
                    "hitPolicy": "first",
                    "inputs": [{"id": "in", "name": "priority", "field": "priority"}],
                    "outputs": [{"id": "out", "name": "within", "field": "within"}],
                    "rules": cases,
                },
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 2, "y": 0}},
        ],
        "edges": [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(graph))
    assert decision.evaluate(facts)["result"] == {"within": "stat"}
    theirs = _median(lambda: decision.evaluate(facts))
    return [
        Figure("evaluate one rule with its guards, ours", ours, "µs"),
        Figure("evaluate an equivalent table, zen-engine", theirs, "µs"),
    ]


async def recorded(house: House) -> list[Figure]:
    """Decisions through engine and store, each a transaction of its own, without Temporal. Shown as time for each."""
    deciding = StoreDecisionActivities(house.database, RuleEngine(), RuleBook(), lambda: datetime.now(UTC))

    async def ask(numbers: range) -> None:
        for number in numbers:
            await deciding.decided(HOSPITAL, _request(POINT, {"priority": _PRIORITIES[number % 4]}, number))

    await ask(range(200))
    await _as_after_a_minute(house)
    began, cpu, other = time.perf_counter(), time.process_time(), _of_postgres(house)
    share = _DECISIONS // _AT_ONCE
    await asyncio.gather(*(ask(range(1000 + share * n, 1000 + share * (n + 1))) for n in range(_AT_ONCE)))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    other = _of_postgres(house) - other
    return [
        Figure("a recorded decision, 16 at once (500 µs = 2,000/s)", took / (share * _AT_ONCE) * 1e6, "µs", 500),
        Figure("  of that: our processor", cpu / (share * _AT_ONCE) * 1e6, "µs"),
        Figure("  and PostgreSQL's", other / (share * _AT_ONCE) * 1e6, "µs"),
    ]


async def _as_after_a_minute(house: House) -> None:
    """What autovacuum does once a table has rows: until then PostgreSQL guesses, and reads a log by the wrong index."""
    async with await AsyncConnection.connect(house.migrate, autocommit=True) as connection:
        await connection.execute("analyze decision_log")


def _of_postgres(house: House) -> float:
    """Seconds of a processor that PostgreSQL has used: its connections last as long as the house."""
    found = next(house.folder.rglob("postmaster.pid"))
    postmaster = psutil.Process(int(found.read_text().split()[0]))
    return sum(sum(one.cpu_times()[:2]) for one in (postmaster, *postmaster.children(recursive=True)))


async def live(house: House) -> Figure:
    """From the commit of a publication until another worker, with rules in memory, decides by it."""
    other = StoreDecisionActivities(house.database, RuleEngine(), RuleBook(), lambda: datetime.now(UTC))
    spent = []
    for number in range(20):
        before = await other.decided(HOSPITAL, _request(POINT, {"priority": "stat"}, -3 * number - 1))
        own = text(HOSPITAL, version=f"3.{number}.0", minutes=number + 1)
        async with house.database.transaction(HOSPITAL) as tx:
            await published(tx, own, datetime.now(UTC))
        began = time.perf_counter()
        while True:
            after = await other.decided(HOSPITAL, _request(POINT, {"priority": "stat"}, -time.monotonic_ns()))
            if after.digest == own.digest:
                break
        assert before.digest != after.digest
        spent.append(time.perf_counter() - began)
    return Figure("publish to live on another worker, longest of 20", max(spent) * 1000, "ms", 2000)


async def replay(house: House, past: int) -> list[Figure]:
    """A draft over past decisions of one rule, every case opened, decided anew and counted."""
    await _fill(house, past)
    await _as_after_a_minute(house)
    report = await asked(house.database, HOSPITAL)
    now = partial(datetime.now, UTC)
    counting = StoreImpactActivities(house.database, Effects(house.database, now), RuleEngine(), now)
    began, cpu = time.perf_counter(), time.process_time()
    while (counted := await counting.counted(HOSPITAL, report.report, lambda: False)).state is ReportState.RUNNING:
        pass
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    cases = counted.cases
    assert (counted.state, cases >= past) == (ReportState.DONE, True)
    return [
        Figure("impact replay, for 100,000 past decisions", took / cases * 100_000, "s", 10),
        Figure("  of that: our processor", cpu / cases * 100_000, "s"),
    ]


async def _fill(house: House, past: int) -> None:
    engine, bundle = RuleEngine(), Bundle(HOSPITAL, "", [])
    for begin in range(0, past, 2_000):
        async with house.database.transaction(HOSPITAL) as tx:
            for number in range(begin, min(begin + 2_000, past)):
                request = _request(POINT, {"priority": _PRIORITIES[number % 4]}, 10_000_000 + number)
                made = decide(engine, bundle, request, started_at=None, now=request.at)
                await decisions.put(tx, request, made)


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    folder = _folder()
    postgres, keys = EmbeddedPostgres(folder / "postgres", durable=True), KeyRing.generate()
    try:
        addresses = await postgres.start()
        await bootstrap.bootstrap(addresses.superuser, "bench", dict(addresses.passwords))
        migrate = addresses.url("phis_migrate", "bench")
        await schema.migrate(migrate)
        await ship_rules(migrate, now=datetime.now(UTC))
        await hospitals.create(migrate, code=HOSPITAL, name_ko="측정", name_en="Bench", kind="general")
        app, system = (addresses.url(role, "bench") for role in ("phis_app", "phis_system"))
        async with Database.open(app, system, keys, app_size=_AT_ONCE) as database:
            yield House(database, keys, folder, migrate)
    finally:
        await postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    """One that PostgreSQL's unprivileged user reaches."""
    folder = Path(tempfile.mkdtemp(prefix="phis-bench-"))
    folder.chmod(0o755)
    return folder


def _two_hundred() -> list[KeptVersion]:
    """The shipped rules as national ones, and versions of them for departments, two hundred in all."""
    documents = list(shipped().values())
    kept = [_kept(rule) for rule in documents]
    number = 0
    while len(kept) < 200:
        rule = documents[number % len(documents)]
        scope = {"level": "department", "place": f"{HOSPITAL}/d{number}"}
        kept.append(_kept(load(json.loads(rule.canonical) | {"scope": scope})))
        number += 1
    return kept


def _kept(rule: RuleDocument) -> KeptVersion:
    return KeptVersion(**text_of(rule).model_dump(), since=ALWAYS, until=None, published_at=ALWAYS)


def _request(point: DecisionPoint, facts: dict[str, Any], number: int) -> DecisionRequest:
    return DecisionRequest(
        workflow_id=f"{HOSPITAL}/admission/Encounter/e{abs(number)}",
        step=StepName(f"ask/{abs(number)}"),
        point=point,
        subject=Reference(f"Encounter/e{abs(number)}"),
        facts=facts,
        at=datetime.now(UTC) + timedelta(microseconds=random.randrange(1_000)),  # noqa: S311  (as clocks differ)
    )


def _outcomes(document: dict[str, Any]) -> list[str]:
    return list(document["outcomes"])[:2]


def _median(call: Callable[[], Any]) -> float:
    call()
    spent = []
    for _ in range(5_000):
        began = time.perf_counter_ns()
        call()
        spent.append((time.perf_counter_ns() - began) / 1000)
    return percentile(spent, 0.5)


if __name__ == "__main__":
    show("rules", asyncio.run(measure(sys.argv[1:] or PARTS)))
