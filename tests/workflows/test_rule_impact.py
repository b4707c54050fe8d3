"""An impact report is counted to its end by whichever worker runs, and nothing but its number travels."""

from __future__ import annotations

from temporalio.client import WorkflowHandle

from domain.rule_impact import Counted, ImpactState, ReportState
from store import processes
from store.database import Database
from store.rules import reports
from tests.rule_past import BEGAN, asked, fill, impact_of, report_of
from tests.workflows.desk import Desk
from workflows.rule_impact import RuleImpact

Counting = WorkflowHandle[RuleImpact, Counted]


async def begin(desk: Desk, state: ImpactState) -> Counting:
    return await desk.client.start_workflow(RuleImpact.run, state, id=state.workflow_id, task_queue=desk.task_queue)


async def closed(database: Database, state: ImpactState) -> bool:
    async with database.transaction(state.hospital) as tx:
        return (await processes.get(tx, state.workflow_id)).closed_at is not None


async def test_a_report_is_counted_and_its_process_closed(desk: Desk, database: Database) -> None:
    await fill(database, desk.hospital, 40)
    state = await asked(database, desk.hospital)
    counting = await begin(desk, state)
    assert await counting.result() == Counted(state=ReportState.DONE, cases=40)
    assert impact_of(await report_of(database, desk.hospital, state.report)).changed == 20
    assert await closed(database, state)


async def test_a_report_that_was_stopped_ends_its_process(closed_desk: Desk, database: Database) -> None:
    desk = closed_desk
    await fill(database, desk.hospital, 4)
    state = await asked(database, desk.hospital)
    counting = await begin(desk, state)  # nobody works yet
    async with database.transaction(desk.hospital) as tx:
        await reports.cancel(tx, state.report, by="analyst", reason="the wrong draft", now=BEGAN)
    async with desk.working():
        assert await counting.result() == Counted(state=ReportState.CANCELLED, cases=0)
    assert await closed(database, state)


async def test_a_lost_report_goes_on_from_its_row_and_counts_nothing_twice(
    closed_desk: Desk, database: Database
) -> None:
    desk = closed_desk
    await fill(database, desk.hospital, 40)
    state = await asked(database, desk.hospital)
    async with desk.working():
        await (await begin(desk, state)).result()
    # As if the engine had lost the last step: the row is what it was, the report is counted.
    again = await desk.client.start_workflow(RuleImpact.run, state, id=state.workflow_id, task_queue=desk.task_queue)
    async with desk.working():
        assert await again.result() == Counted(state=ReportState.DONE, cases=40)
    assert impact_of(await report_of(database, desk.hospital, state.report)).cases == 40


async def test_the_engine_lists_a_report_under_its_hospital(desk: Desk, database: Database) -> None:
    state = await asked(database, desk.hospital)
    counting = await begin(desk, state)
    await counting.result()
    described = await counting.describe()
    found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert found["PhisHospital"] == desk.hospital
    assert found["PhisProcess"] == "rule-impact"
    assert found["PhisPhase"] == "ended"
