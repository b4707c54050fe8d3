"""Builds: which one gets the work, and that an open process it cannot continue holds it back."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client

from domain.admission import AdmissionOutcome, AdmissionPhase, AdmissionState
from domain.errors import Unavailable
from runtime import versions
from runtime.temporal import connect, register_namespace_and_attributes
from runtime.versions import build_id, current_build, make_current, replay_check
from runtime.worker import build_worker
from store.database import Database
from store.sealing import KeyRing
from tests.conftest import House
from tests.workflows.desk import Desk


@pytest.fixture
async def client(house: House, keys: KeyRing) -> Client:
    """In a namespace of its own: there is one current build in each."""
    client = await connect(house.temporal, f"n{uuid4().hex[:8]}", keys)
    await register_namespace_and_attributes(client)
    return client


@pytest.fixture
def desk(hospital: str, database: Database, client: Client, task_queue: str) -> Desk:
    return Desk(hospital, database, client, task_queue)


@pytest.fixture
async def waiting(desk: Desk) -> str:
    """An admission that waits for its bed and that nobody works on; its id."""
    async with desk.working():
        stay = await desk.admission()
    return stay.id


def test_the_same_sources_are_the_same_build() -> None:
    assert build_id() == build_id()
    assert len(build_id()) == 16


def test_other_sources_are_another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = build_id()
    monkeypatch.setattr(versions, "_SOURCES", ("workflows", "domain"))
    assert build_id() != ours


async def test_a_build_gets_work_once_it_is_current(desk: Desk, client: Client) -> None:
    bed = await desk.bed()
    assert await current_build(client) is None
    worker = build_worker(client, desk.database, task_queue=desk.task_queue, build="b1")
    async with worker:
        await make_current(client, "b1")
        assert await current_build(client) == "b1"
        stay = await desk.admission()
        await desk.assign(stay, bed)
        assert (await stay.result()).bed == bed


async def test_open_processes_go_on_under_the_next_build(desk: Desk, client: Client) -> None:
    bed = await desk.bed()
    async with build_worker(client, desk.database, task_queue=desk.task_queue, build="b1"):
        await make_current(client, "b1")
        stay = await desk.admission()
    async with build_worker(client, desk.database, task_queue=desk.task_queue, build="b2"):
        await make_current(client, "b2")
        await desk.assign(stay, bed)
        assert (await stay.result()).bed == bed


async def test_a_build_that_nobody_runs_does_not_become_current(client: Client) -> None:
    with pytest.raises(Unavailable):
        await make_current(client, "b9", within=timedelta(seconds=0.3))


async def test_open_processes_replay_with_the_sources_they_began_with(client: Client, waiting: str) -> None:
    assert await replay_check(client, query=f"WorkflowId = '{waiting}'") == []


@workflow.defn(name="Admission", sandboxed=False)
class Forgetful:
    """An admission by code that no longer asks for a bed."""

    @workflow.run
    async def run(self, _state: AdmissionState) -> AdmissionOutcome:
        return AdmissionOutcome(phase=AdmissionPhase.CANCELLED)


async def test_a_build_that_cannot_continue_an_open_process_is_told_which(
    client: Client, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"admission": versions.PROCESSES["admission"].__class__(definition=Forgetful, state=AdmissionState)}
    monkeypatch.setattr(versions, "PROCESSES", other)
    [unfit] = await replay_check(client, query=f"WorkflowId = '{waiting}'")
    assert (unfit.workflow_id, unfit.error) == (waiting, "NondeterminismError")
