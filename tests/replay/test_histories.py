"""Every recorded history is replayed by the workflows of today, in the sandbox, as a worker would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from domain.admission import AdmissionOutcome, AdmissionPhase, AdmissionState
from runtime.codec import sealed_converter
from runtime.versions import sandbox
from tests.replay.keys import KEYS
from tests.replay.scenarios import SCENARIOS
from workflows.registry import PROCESSES

HISTORIES = Path(__file__).parent / "histories"


def history(name: str) -> WorkflowHistory:
    recorded = json.loads((HISTORIES / f"{name}.json").read_text("utf-8"))
    started = recorded["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], recorded)


@pytest.mark.parametrize("name", sorted(file.stem for file in HISTORIES.glob("*.json")))
async def test_a_recorded_history_replays(name: str) -> None:
    replayer = Replayer(
        workflows=[process.definition for process in PROCESSES.values()],
        workflow_runner=sandbox(),
        data_converter=sealed_converter(KEYS),
    )
    await replayer.replay_workflow(history(name))


def test_every_way_of_a_process_was_recorded() -> None:
    assert {file.stem for file in HISTORIES.glob("*.json")} >= set(SCENARIOS)


@workflow.defn(name="Admission", sandboxed=False)
class Forgetful:
    """An admission by code that no longer asks for a bed."""

    @workflow.run
    async def run(self, _state: AdmissionState) -> AdmissionOutcome:
        return AdmissionOutcome(phase=AdmissionPhase.CANCELLED)


async def test_a_history_does_not_replay_with_code_that_does_something_else() -> None:
    replayer = Replayer(workflows=[Forgetful], data_converter=sealed_converter(KEYS))
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(history("admission-assigned"))


async def test_a_history_does_not_open_with_other_keys() -> None:
    replayer = Replayer(
        workflows=[process.definition for process in PROCESSES.values()],
        workflow_runner=sandbox(),
        data_converter=sealed_converter(type(KEYS).generate("replay")),
    )
    with pytest.raises(RuntimeError, match="Workflow activation completion failed"):
        await replayer.replay_workflow(history("admission-assigned"))
