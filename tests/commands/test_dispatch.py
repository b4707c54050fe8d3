"""A command is kept before anything else happens, and answered once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import uuid4

import pytest
from temporalio.client import Client

from api.commands.dispatch import Dispatcher, Planned
from api.commands.processes import Processes, refusal
from domain.admission import AdmissionPhase, admission_id
from domain.commands import CommandState
from domain.errors import AlreadyDone, BedTaken, KeyReused, NotFound, Refused, Unavailable
from domain.ids import Reference
from domain.worklist import TaskKind
from runtime.temporal import connect
from runtime.worker import build_worker
from store import beds
from store.database import Transaction
from store.sealing import KeyRing
from store.worklist import Task
from tests.desk import Desk, a_key
from tests.waiting import until

AT_ONCE = timedelta()


async def test_the_same_key_again_gets_the_first_answer_and_does_nothing_twice(
    desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    key = a_key()
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        first = await desk.request(key)
        again = await desk.request(key)
    assert first.status == HTTPStatus.CREATED
    assert again == first


async def test_the_same_key_with_another_body_is_refused(desk: Desk) -> None:
    key = a_key()
    await desk.request(key, name="김시험")
    with pytest.raises(KeyReused):
        await desk.request(key, name="이시험")


async def test_two_at_once_with_one_key_make_one_admission(desk: Desk) -> None:
    key = a_key()
    answers = await asyncio.gather(*(desk.request(key) for _ in range(5)))
    assert len({answer.command_id for answer in answers}) == 1


async def test_a_refusal_by_the_plan_leaves_nothing_behind(desk: Desk, dispatcher: Dispatcher) -> None:
    async def refuse(_tx: Transaction, _id: object) -> Planned:
        raise BedTaken("occupied", bed="Location/1")

    async def agree(_tx: Transaction, _id: object) -> Planned:
        return Planned.answered(HTTPStatus.OK, {"done": "yes"})

    key = a_key()
    with pytest.raises(BedTaken):
        await dispatcher.submit(desk.physician, key=key, command="try", body={}, plan=refuse)
    outcome = await dispatcher.submit(desk.physician, key=key, command="try", body={}, plan=agree)
    assert outcome.answer == {"done": "yes"}


async def test_without_a_worker_the_command_is_kept_and_goes_on_by_itself(
    desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    """The Update waits for a worker; its caller is told after two seconds and the re-sender brings the answer."""
    encounter, task, revision = await _claimed(desk, temporal_client, task_queue)
    key = a_key()
    kept = await desk.complete(key, task, desk.beds[0], revision=revision)
    same = await desk.complete(key, task, desk.beds[0], revision=revision)
    assert (kept.status, kept.state) == (HTTPStatus.ACCEPTED, CommandState.SENT)
    assert same.answer == kept.answer == {"state": "sent", "status": f"/commands/{key}"}

    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        await desk.state.dispatcher.resend_once(older_than=AT_ONCE)
        await until(lambda: desk.phase(encounter), AdmissionPhase.ADMITTED)
    answered = await desk.complete(key, task, desk.beds[0], revision=revision)
    assert (answered.status, answered.answer["bed"]) == (HTTPStatus.OK, desk.beds[0])
    assert (await desk.story(encounter)).count("bed-assigned") == 1


async def test_while_temporal_is_away_an_admission_is_kept_and_starts_later(
    desk: Desk, keys: KeyRing, task_queue: str, temporal_client: Client
) -> None:
    dispatcher, database = desk.state.dispatcher, desk.state.database
    nobody = await connect("127.0.0.1:9", "phis", keys, lazy=True)
    desk.state.dispatcher.processes = Processes(nobody, task_queue)
    kept = await desk.request(key := a_key())
    assert kept.status == HTTPStatus.ACCEPTED

    desk.state.dispatcher.processes = Processes(temporal_client, task_queue)
    async with build_worker(temporal_client, database, task_queue=task_queue):
        assert await dispatcher.resend_once(older_than=AT_ONCE) == 1
        answer = (await desk.request(key)).answer
        await until(lambda: desk.phase(answer["encounter"]), AdmissionPhase.AWAITING_BED)


async def test_a_lease_keeps_two_servers_from_sending_at_once(
    desk: Desk, dispatcher: Dispatcher, keys: KeyRing
) -> None:
    nobody = await connect("127.0.0.1:9", "phis", keys, lazy=True)
    dispatcher.processes = Processes(nobody, "nobody")
    await desk.request(a_key())
    dispatcher.now = lambda: later
    later = datetime.now(UTC) + timedelta(seconds=6)
    taken = await asyncio.gather(*(dispatcher.resend_once() for _ in range(3)))
    assert sorted(taken) == [0, 0, 1]


async def test_a_command_to_a_workflow_that_temporal_lost_resumes_it(
    desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    encounter, task, revision = await _claimed(desk, temporal_client, task_queue)
    await temporal_client.get_workflow_handle(admission_id(desk.hospital, Reference(encounter))).terminate()
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        done = await desk.complete(a_key(), task, desk.beds[0], revision=revision)
        await until(lambda: desk.phase(encounter), AdmissionPhase.ADMITTED)
    assert done.status == HTTPStatus.OK


async def test_an_answer_that_nobody_heard_is_found_in_the_effect(
    desk: Desk, temporal_client: Client, task_queue: str, dispatcher: Dispatcher
) -> None:
    """The process did it and ended; the server died before it could keep the answer: no refusal, no second effect."""
    encounter, task, revision = await _claimed(desk, temporal_client, task_queue)
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        done = await desk.complete(key := a_key(), task, desk.beds[0], revision=revision)
        await until(lambda: desk.phase(encounter), AdmissionPhase.ADMITTED)
        await temporal_client.get_workflow_handle(admission_id(desk.hospital, Reference(encounter))).result()
    async with desk.state.database.transaction(desk.hospital) as tx:
        await tx.execute(
            "update command_ledger set state = 'received', answer = null where hospital = %s and key = %s",
            [desk.hospital, key],
        )
    assert await dispatcher.resend_once(older_than=AT_ONCE) == 1
    assert (await desk.complete(key, task, desk.beds[0], revision=revision)).answer == done.answer


async def test_a_refusal_that_comes_late_is_a_task_for_its_author(
    desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    """Kept while no worker ran; meanwhile the bed was given to somebody else."""
    encounter, task, revision = await _claimed(desk, temporal_client, task_queue)
    key = a_key()
    assert (await desk.complete(key, task, desk.beds[0], revision=revision)).status == HTTPStatus.ACCEPTED
    async with desk.state.database.transaction(desk.hospital) as tx:
        await beds.occupy(tx, desk.beds[0], Reference("Encounter/another"), datetime.now(UTC))

    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        assert await desk.state.dispatcher.resend_once(older_than=AT_ONCE) == 1
    with pytest.raises(BedTaken):
        await desk.complete(key, task, desk.beds[0], revision=revision)
    mine = [found for found in await desk.tasks() if found.owner == desk.bed_manager.actor]
    assert {found.kind for found in mine} == {TaskKind.ASSIGN_BED, TaskKind.COMMAND_REFUSED}
    assert "command-refused" in await desk.story(encounter)

    told = next(found for found in mine if found.kind is TaskKind.COMMAND_REFUSED)
    seen = await desk.complete(a_key(), told, None, revision=told.revision)
    assert seen.status == HTTPStatus.OK
    assert [found.kind for found in await desk.tasks()] == [TaskKind.ASSIGN_BED]


async def test_a_process_that_has_ended_refuses_and_the_refusal_is_kept(
    desk: Desk, dispatcher: Dispatcher, temporal_client: Client, task_queue: str
) -> None:
    encounter, task, revision = await _claimed(desk, temporal_client, task_queue)
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        await desk.complete(a_key(), task, desk.beds[0], revision=revision)
        await until(lambda: desk.phase(encounter), AdmissionPhase.ADMITTED)
    workflow_id = admission_id(desk.hospital, Reference(encounter))
    wish = {
        "command": {"id": str(uuid4()), "actor": "x", "received_at": datetime.now(UTC).isoformat()},
        "reason": "no-longer-needed",
    }

    async def plan(_tx: Transaction, _id: object) -> Planned:
        return Planned.update(workflow_id, "cancel", wish)

    key = a_key()
    for _ in range(2):
        with pytest.raises(AlreadyDone):
            await dispatcher.submit(desk.physician, key=key, command="cancel", body={}, plan=plan)


def test_a_refusal_comes_back_as_the_error_it_was() -> None:
    error = refusal("bed-taken", {"bed": "Location/1"})
    assert isinstance(error, BedTaken)
    assert error.params == {"bed": "Location/1"}
    assert type(refusal("not-found", {})) is NotFound
    assert type(refusal("said-by-a-newer-release", {})) is Refused
    assert isinstance(refusal("unavailable", {"part": "engine"}), Unavailable)


async def _claimed(desk: Desk, client: Client, task_queue: str) -> tuple[str, Task, int]:
    """An admission whose bed task is claimed, and no worker running any more."""
    async with build_worker(client, desk.state.database, task_queue=task_queue):
        encounter = (await desk.request(a_key())).answer["encounter"]
        task = await until(lambda: desk.task_of(encounter))
    claimed = await desk.claim(a_key(), task)
    return encounter, task, claimed.answer["revision"]
