"""Effects that happened although their process never heard of it."""

from __future__ import annotations

from datetime import UTC, datetime

from activities.admission import StoreAdmissionActivities
from activities.effects import Effects
from activities.signatures.admission import AssignBedEffect
from domain.admission import AdmissionPhase
from domain.ids import Reference, StepName
from domain.process import ProcessSnapshot, Step
from tests.activities.edges import inside
from tests.workflows.desk import BED_MANAGER, Desk, Stay, command_of
from workflows.admission import ASSIGN_BED


async def bed_assigned(desk: Desk, stay: Stay, bed: Reference) -> AssignBedEffect:
    """The bed manager's answer is in the store; the worker died before the engine was told."""
    task, state, at = await desk.claim(stay), await desk.state(stay), datetime.now(UTC)
    after = state.model_copy(update={"phase": AdmissionPhase.BED_ASSIGNED, "bed": bed, "revision": state.revision + 1})
    snapshot = ProcessSnapshot(
        workflow_id=stay.id, revision=after.revision, state=after.model_dump(mode="json"), deadline=None
    )
    effect = AssignBedEffect(
        step=Step(name=StepName(f"{ASSIGN_BED}/complete"), at=at, process=snapshot, command=command_of(BED_MANAGER)),
        encounter=state.encounter,
        patient=state.patient,
        task=task.ref,
        revision=task.revision,
        bed=bed,
    )
    activities = StoreAdmissionActivities(Effects(desk.database, lambda: datetime.now(UTC)))
    await inside(stay.id, activities.assign_bed, effect)
    return effect
