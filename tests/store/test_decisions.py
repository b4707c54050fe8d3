"""A decision that was taken stands, with all the facts it was taken on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from psycopg import AsyncConnection

from domain.decisions import Decision, DecisionPoint, DecisionRequest
from domain.errors import NotFound, SealBroken
from domain.ids import StepName
from store import decisions
from store.database import Database
from tests.store.values import Urls, admission, ref

FACTS = {"priority": "urgent", "diagnosis": "폐렴", "age": 71}


def _request(hospital: str, at: datetime, step: str = "due/1") -> DecisionRequest:
    return DecisionRequest(
        workflow_id=admission(hospital),
        step=StepName(step),
        point=DecisionPoint.BED_ASSIGNMENT_DUE,
        subject=ref("Encounter/e1"),
        facts=FACTS,
        at=at,
    )


def _decision(**changes: Any) -> Decision:
    said = {"outcome": "soon", "values": {"minutes": 30}, "rule": "bed-assignment-due", "version": "1", "digest": "d"}
    return Decision(point=DecisionPoint.BED_ASSIGNMENT_DUE, **(said | changes))


async def test_a_decision_is_found_by_its_step(database: Database, hospital: str, now: datetime) -> None:
    taken = _decision(indeterminate=True, reason="missing-fact", missing=("age", "ward"))
    async with database.transaction(hospital) as tx:
        assert await decisions.existing(tx, admission(hospital), "due/1") is None
        assert await decisions.record(tx, _request(hospital, now), taken) == taken
    async with database.transaction(hospital) as tx:
        assert await decisions.existing(tx, admission(hospital), "due/1") == taken
        assert await decisions.existing(tx, admission(hospital), "due/2") is None


async def test_the_first_decision_of_a_step_stands(database: Database, hospital: str, now: datetime) -> None:
    first = _decision()
    async with database.transaction(hospital) as tx:
        await decisions.record(tx, _request(hospital, now), first)
    async with database.transaction(hospital) as tx:
        assert await decisions.record(tx, _request(hospital, now), _decision(values={"minutes": 5})) == first


async def test_the_log_keeps_all_facts_and_only_the_key_shows_them(
    database: Database, urls: Urls, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await decisions.record(tx, _request(hospital, now), _decision())
        await decisions.record(tx, _request(hospital, now, "due/2"), _decision())
    async with database.transaction(hospital) as tx:
        assert await decisions.request_of(tx, admission(hospital), "due/1") == _request(hospital, now)
        with pytest.raises(NotFound):
            await decisions.request_of(tx, admission(hospital), "due/3")
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        cursor = await connection.execute("select facts from decision_log")
        for (facts,) in await cursor.fetchall():
            assert "폐렴".encode() not in facts
        await connection.execute(
            "update decision_log a set facts = b.facts from decision_log b where a.step = 'due/1' and b.step = 'due/2'"
        )
    async with database.transaction(hospital) as tx:
        with pytest.raises(SealBroken):
            await decisions.request_of(tx, admission(hospital), "due/1")
