"""Temporal may lose everything: what stands open in PostgreSQL goes on."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecutionStatus

from domain.admission import AdmissionPhase, admission_id
from domain.ids import Reference
from runtime.reconcile import reconcile
from runtime.worker import build_worker
from store.database import Database
from tests.desk import Desk, a_key
from tests.waiting import until


async def test_a_lost_workflow_is_resumed_from_its_row_and_goes_on_to_its_end(
    desk: Desk, database: Database, temporal_client: Client, task_queue: str
) -> None:
    async with build_worker(temporal_client, database, task_queue=task_queue):
        encounter = (await desk.request(a_key())).answer["encounter"]
        task = await until(lambda: desk.task_of(encounter))
        await temporal_client.get_workflow_handle(_id(desk, encounter)).terminate()

        report = await reconcile(database, temporal_client, task_queue)
        assert report.resumed == [_id(desk, encounter)]

        revision = (await desk.claim(a_key(), task)).answer["revision"]
        await desk.complete(a_key(), task, desk.beds[0], revision=revision)
        await until(lambda: desk.phase(encounter), AdmissionPhase.ADMITTED)
    assert (await desk.story(encounter)).count("bed-task-opened") == 1
    assert await desk.status(encounter) == "in-progress"


async def test_what_runs_at_the_revision_of_its_row_is_left_alone(
    desk: Desk, database: Database, temporal_client: Client, task_queue: str
) -> None:
    async with build_worker(temporal_client, database, task_queue=task_queue):
        encounter = (await desk.request(a_key())).answer["encounter"]
        await until(lambda: desk.task_of(encounter))
        before = await temporal_client.get_workflow_handle(_id(desk, encounter)).describe()
        report = await reconcile(database, temporal_client, task_queue)
        after = await temporal_client.get_workflow_handle(_id(desk, encounter)).describe()
    assert (report.open, report.resumed, report.replaced, report.silent) == (1, [], [], [])
    assert after.run_id == before.run_id


async def test_a_workflow_behind_its_row_is_replaced(
    desk: Desk, database: Database, temporal_client: Client, task_queue: str
) -> None:
    """As after Temporal's database was restored from an older copy."""
    async with build_worker(temporal_client, database, task_queue=task_queue):
        encounter = (await desk.request(a_key())).answer["encounter"]
        await until(lambda: desk.task_of(encounter))
        async with database.transaction(desk.hospital) as tx:
            await tx.execute(
                """
                update process set revision = revision + 1,
                       state = jsonb_set(state, '{revision}', to_jsonb(revision + 1))
                where hospital = %s
                """,
                [desk.hospital],
            )
        report = await reconcile(database, temporal_client, task_queue)
        assert report.replaced == [_id(desk, encounter)]
        handle = temporal_client.get_workflow_handle(_id(desk, encounter))
        assert await handle.query("revision", result_type=int) == (await desk.admission(encounter)).revision


async def test_a_closed_row_starts_nothing(
    desk: Desk, database: Database, temporal_client: Client, task_queue: str
) -> None:
    async with build_worker(temporal_client, database, task_queue=task_queue):
        encounter = (await desk.request(a_key())).answer["encounter"]
        await until(lambda: desk.task_of(encounter))
    await temporal_client.get_workflow_handle(_id(desk, encounter)).terminate()
    async with database.transaction(desk.hospital) as tx:
        await tx.execute("update process set closed_at = %s where hospital = %s", [datetime.now(UTC), desk.hospital])
    report = await reconcile(database, temporal_client, task_queue)
    described = await temporal_client.get_workflow_handle(_id(desk, encounter)).describe()
    assert report.open == 0
    assert described.status is WorkflowExecutionStatus.TERMINATED


async def test_without_a_worker_nothing_is_judged(
    desk: Desk, database: Database, temporal_client: Client, task_queue: str
) -> None:
    async with build_worker(temporal_client, database, task_queue=task_queue):
        encounter = (await desk.request(a_key())).answer["encounter"]
        await until(lambda: desk.task_of(encounter))
    report = await reconcile(database, temporal_client, task_queue)
    assert report.silent == [_id(desk, encounter)]


def _id(desk: Desk, encounter: str) -> str:
    return admission_id(desk.hospital, Reference(encounter))
