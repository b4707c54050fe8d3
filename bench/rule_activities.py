"""Decisions as local activities of open processes: `python -m bench.rule_activities`."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.worker import Worker

from runtime.temporal_server import TemporalServer

with workflow.unsafe.imports_passed_through():
    from activities.decisions import StoreDecisionActivities
    from activities.signatures.decisions import DecisionActivities
    from activities.signatures.effects import EFFECT
    from bench import rules
    from bench.report import Figure, show
    from domain.decisions import DecisionRequest
    from domain.ids import Reference, StepName
    from rules.bundle import RuleBook
    from rules.engine import RuleEngine
    from runtime.interceptors import AtTheEdge
    from runtime.temporal import connect, register_namespace_and_attributes
    from runtime.versions import sandbox

_PROCESSES, _EACH = 20, 50


@workflow.defn
class Asking:
    """Asks the same question under a new step each time, as a process does over its life."""

    @workflow.run
    async def run(self, times: int) -> int:
        workflow_id = workflow.info().workflow_id
        for number in range(times):
            request = DecisionRequest(
                workflow_id=workflow_id,
                step=StepName(f"ask/{number}"),
                point=rules.POINT,
                subject=Reference("Encounter/e1"),
                facts={"priority": "stat"},
                at=workflow.now(),
            )
            await workflow.execute_local_activity_method(DecisionActivities.decide, request, **EFFECT)
        return times


async def measure() -> list[Figure]:
    async with rules.house() as house:
        temporal = TemporalServer(None, log=house.folder / "temporal.log", namespace="phis")
        address = (await temporal.start()).address
        try:
            client = await connect(address, "phis", house.keys)
            await register_namespace_and_attributes(client)
            deciding = StoreDecisionActivities(house.database, RuleEngine(), RuleBook(), lambda: datetime.now(UTC))
            async with Worker(
                client,
                task_queue="bench",
                workflows=[Asking],
                activities=[deciding.decide],
                workflow_runner=sandbox(),
                interceptors=[AtTheEdge()],
                max_concurrent_local_activities=8,
            ):
                began = time.perf_counter()
                await asyncio.gather(
                    *(
                        client.execute_workflow(
                            Asking.run,
                            _EACH,
                            id=f"{rules.HOSPITAL}/admission/Encounter/a{number}",
                            task_queue="bench",
                            execution_timeout=timedelta(minutes=5),
                        )
                        for number in range(_PROCESSES)
                    )
                )
                took = time.perf_counter() - began
        finally:
            await temporal.stop()
    spent = took / (_PROCESSES * _EACH) * 1000
    return [Figure("a decision as local activity, 20 processes at once (5 ms = 200/s)", spent, "ms", 5)]


if __name__ == "__main__":
    show("rule-activities", asyncio.run(measure()))
