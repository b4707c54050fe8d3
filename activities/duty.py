"""Whom a position comes to, read from the rosters as they stand; vacancies raise alarms in the same transaction."""

from __future__ import annotations

from temporalio import activity

from activities.edge import hospital_here, workflow_id_here
from activities.signatures.duty import DutyActivities, NextRung, OnCall, Reach, Reached, Rung
from domain.duty import NOBODY_LEFT, DutyPosition, Resolution
from store import worklist
from store.database import Database, Transaction
from store.people import alarms, notices, rosters


class StoreDutyActivities(DutyActivities):
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="duty_reach")
    async def reach(self, request: Reach) -> Reached:
        workflow_id_here(request.workflow_id)
        async with self._database.transaction(hospital_here()) as tx:
            found = await rosters.resolve(tx, request.position, request.place, request.moment, but=request.but)
            await _alarm(tx, found if not request.but else await _plain(tx, found))
        people = tuple(
            OnCall(account=each.account, until=each.until, instead_of=each.instead_of) for each in found.people
        )
        return Reached(position=found.position, people=people, vacant=found.vacant)

    @activity.defn(name="duty_next_rung")
    async def next_rung(self, request: NextRung) -> Rung:
        workflow_id = workflow_id_here(request.workflow_id)
        async with self._database.transaction(hospital_here()) as tx:
            task = await worklist.get(tx, request.task)
            if not task.waits or await _acknowledged(tx, request):
                return Rung(climbs=False)
            start: DutyPosition | None = request.ladder
            if request.last is not None:
                start = (await rosters.above(tx)).get(request.last)
            if start is None:
                return Rung(climbs=False)
            called = await notices.called(tx, workflow_id)
            found = await rosters.resolve(tx, start, request.place, request.moment, but=called)
            await _alarm(tx, found if not called else await _plain(tx, found))
        if found.position is None:
            # From here on the list of a role shows it: a task is on somebody's list, whatever set-up lacks.
            return Rung(climbs=True, position=found.vacant[-1], role=NOBODY_LEFT[request.ladder])
        return Rung(climbs=True, position=found.position, people=tuple(each.account for each in found.people))


async def _acknowledged(tx: Transaction, request: NextRung) -> bool:
    """Whether somebody of the last rung acknowledged since the look before: that rung counts as reached."""
    if request.last_step is None:
        return False
    sent = await notices.of_step(tx, request.workflow_id, request.last_step)
    since = request.moment - request.patience
    return any(each.acknowledged_at is not None and each.acknowledged_at > since for each in sent)


async def _plain(tx: Transaction, found: Resolution) -> Resolution:
    """The same without leaving anybody out: who was called already does not make a position vacant."""
    return await rosters.resolve(tx, found.asked, found.place, found.moment)


async def _alarm(tx: Transaction, found: Resolution) -> None:
    for position in found.vacant:
        await alarms.set_off(tx, alarms.VACANT, rosters.subject_of(position, found.place), found.moment)
