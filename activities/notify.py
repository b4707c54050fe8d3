"""Messages of processes: written here, sent by the servers (`api/paging.py`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from temporalio import activity

from activities.edge import hospital_here, workflow_id_here
from activities.signatures.notify import Acknowledge, AskNotices, Heard, NotifyActivities, SendNotice
from domain.errors import NotFound
from domain.notices import NoticeState
from store.database import Database
from store.people import notices


class StoreNotifyActivities(NotifyActivities):
    """now: the real present, at which a message is due."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    @activity.defn(name="notify_send")
    async def send(self, request: SendNotice) -> None:
        workflow_id = workflow_id_here(request.workflow_id)
        async with self._database.transaction(hospital_here()) as tx:
            await notices.send(
                tx,
                source=workflow_id,
                step=request.step,
                to=request.to,
                kind=request.kind,
                params=request.params,
                urgency=request.urgency,
                now=request.at,
                real=self._now(),
            )

    @activity.defn(name="notify_heard")
    async def heard(self, request: AskNotices) -> Heard:
        workflow_id = workflow_id_here(request.workflow_id)
        async with self._database.transaction(hospital_here()) as tx:
            sent = await notices.of_step(tx, workflow_id, request.step)

        def of(*states: NoticeState) -> tuple[str, ...]:
            return tuple(each.account for each in sent if each.state in states)

        return Heard(
            acknowledged=of(NoticeState.ACKNOWLEDGED),
            delivered=of(NoticeState.DELIVERED),
            unreached=of(NoticeState.UNREACHED, NoticeState.WITHDRAWN),
            under_way=of(NoticeState.WAITING, NoticeState.SENT),
        )

    @activity.defn(name="notify_acknowledge")
    async def acknowledge(self, request: Acknowledge) -> None:
        workflow_id = workflow_id_here(request.workflow_id)
        async with self._database.transaction(hospital_here()) as tx:
            sent = await notices.of_step(tx, workflow_id, request.step)
            known = next((each for each in sent if each.account == request.account), None)
            if known is None:
                raise NotFound("the step sent this person nothing", account=request.account)
            await notices.acknowledge(tx, known.id, account=request.account, how=request.how, now=request.at)
