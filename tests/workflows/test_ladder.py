"""The ladder of a late bed climbs duty positions: by the roster of that moment, held by an acknowledgement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.admission import AdmissionState
from domain.duty import DutyPosition
from domain.ids import Reference
from domain.journal import JournalKey
from domain.notices import NoticeState
from domain.roles import Role
from store import worklist
from store.people import alarms, notices, rosters
from store.people.notices import Notice
from store.worklist import Person
from tests.workflows.desk import Desk, Stay

SUPERVISOR, NIGHT, DIRECTOR = DutyPosition.WARD_SUPERVISOR, DutyPosition.NIGHT_SUPERVISOR, DutyPosition.DUTY_DIRECTOR
HELD = {
    SUPERVISOR: ("choi@x", Role.CHARGE_NURSE),
    NIGHT: ("na@x", Role.NURSE),
    DIRECTOR: ("lee@x", Role.PHYSICIAN),
}


async def on_duty(desk: Desk, *positions: DutyPosition) -> None:
    for position in positions:
        await desk.on_duty(position, *HELD[position])


async def after(desk: Desk, stay: Stay, minutes: int, count: int) -> AdmissionState:
    await desk.minutes(stay, minutes)
    return await desk.until(stay, lambda state: state.bed_task is not None and state.bed_task.looks >= count)


async def sent(desk: Desk, account: str) -> list[Notice]:
    async with desk.database.transaction(desk.hospital) as tx:
        return await notices.to(tx, account)


async def may_take(desk: Desk, account: str) -> list[Reference]:
    async with desk.database.transaction(desk.hospital) as tx:
        return [task.ref for task in await worklist.for_person(tx, Person(account, ()), now=datetime.now(UTC))]


async def keys(desk: Desk, state: AdmissionState) -> list[tuple[str, str]]:
    called = {JournalKey.DUTY_CALLED, JournalKey.DUTY_VACANT}
    return [(line.key, line.params["position"]) for line in await desk.story(state) if line.key in called]


async def test_whoever_is_on_duty_gets_a_message_and_may_take_the_task(desk: Desk) -> None:
    await on_duty(desk, SUPERVISOR)
    stay = await desk.admission()
    state = await after(desk, stay, 31, 1)
    assert state.bed_task is not None
    assert await may_take(desk, "choi@x") == [state.bed_task.ref]
    (message,) = await sent(desk, "choi@x")
    assert message.state is NoticeState.WAITING
    due = state.bed_task.due_at.isoformat()
    assert message.params == {"place": state.ward, "due": due}  # about a place, never about whom
    async with desk.database.transaction(desk.hospital) as tx:
        task = await worklist.claim(
            tx, state.bed_task.ref, by=Person("choi@x", {Role.NURSE}), revision=2, now=datetime.now(UTC)
        )
        assert await worklist.candidates(tx, task.ref) == {Role.BED_MANAGER}
    assert task.owner == "choi@x"


async def test_silence_lets_the_ladder_climb_and_nobody_is_called_twice(desk: Desk) -> None:
    await on_duty(desk, SUPERVISOR, NIGHT, DIRECTOR)
    stay = await desk.admission()
    state = await after(desk, stay, 151, 5)
    assert await keys(desk, state) == [
        ("duty-called", "ward-supervisor"),
        ("duty-called", "night-supervisor"),
        ("duty-called", "duty-director"),
    ]
    assert [len(await sent(desk, name)) for name, _ in HELD.values()] == [1, 1, 1]


async def test_a_vacant_position_passes_upwards_and_raises_an_alarm(desk: Desk) -> None:
    await on_duty(desk, DIRECTOR)
    stay = await desk.admission()
    state = await after(desk, stay, 31, 1)
    assert await keys(desk, state) == [("duty-called", "duty-director")]
    async with desk.database.transaction(desk.hospital) as tx:
        subjects = {each.subject for each in await alarms.standing(tx)}
    assert subjects == {f"ward-supervisor {state.ward}", f"night-supervisor {state.ward}"}


async def test_an_acknowledgement_holds_the_ladder_for_one_look(desk: Desk) -> None:
    await on_duty(desk, SUPERVISOR, NIGHT)
    stay = await desk.admission()
    state = await after(desk, stay, 31, 1)
    assert state.bed_task is not None
    (message,) = await sent(desk, "choi@x")
    async with desk.database.transaction(desk.hospital) as tx:
        at = state.bed_task.due_at + timedelta(minutes=5)
        await notices.acknowledge(tx, message.id, account="choi@x", how="screen", now=at)
    state = await after(desk, stay, 30, 2)
    assert await keys(desk, state) == [("duty-called", "ward-supervisor")]
    state = await after(desk, stay, 30, 3)
    assert await keys(desk, state) == [("duty-called", "ward-supervisor"), ("duty-called", "night-supervisor")]


async def test_somebody_on_two_rungs_is_called_once_and_the_ladder_moves_on(desk: Desk) -> None:
    await on_duty(desk, SUPERVISOR, DIRECTOR)
    now = datetime.now(UTC)
    async with desk.database.transaction(desk.hospital) as tx:
        await rosters.enter(
            tx, uuid4(), position=NIGHT, place=None, account="choi@x", since=now - timedelta(days=1),
            until=now + timedelta(days=1), by="admin@x", now=now,
        )  # fmt: skip
    stay = await desk.admission()
    state = await after(desk, stay, 61, 2)
    assert await keys(desk, state) == [("duty-called", "ward-supervisor"), ("duty-called", "duty-director")]
    async with desk.database.transaction(desk.hospital) as tx:
        assert await alarms.standing(tx) == []  # both positions were held


async def test_a_roster_entered_after_the_request_counts_when_the_ladder_climbs(desk: Desk) -> None:
    stay = await desk.admission()
    await on_duty(desk, SUPERVISOR)
    state = await after(desk, stay, 31, 1)
    assert await keys(desk, state) == [("duty-called", "ward-supervisor")]


async def test_a_message_that_has_not_gone_out_is_withdrawn_when_the_bed_is_found(desk: Desk) -> None:
    await on_duty(desk, SUPERVISOR)
    bed = await desk.bed()
    stay = await desk.admission()
    await after(desk, stay, 31, 1)
    await desk.assign(stay, bed)
    await stay.result()
    assert [each.state for each in await sent(desk, "choi@x")] == [NoticeState.WITHDRAWN]
