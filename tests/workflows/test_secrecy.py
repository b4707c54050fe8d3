"""What somebody reads who holds Temporal's database: coded names of what happens, and nothing of whom it happens to."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowUpdateFailedError

from domain.errors import SealBroken
from runtime.temporal import connect
from store.sealing import KeyRing
from tests.conftest import NAMESPACE, House
from tests.workflows.desk import BED_MANAGER, NAME, PHONE, Desk, Stay


async def raw(stay: Stay) -> bytes:
    return History(events=(await stay.fetch_history()).events).SerializeToString()


async def refused_and_admitted(desk: Desk) -> tuple[Stay, list[str]]:
    """An admission that went through every kind of message, and the values that travelled in them."""
    taken, bed = await desk.bed(), await desk.bed()
    await desk.assign(await desk.admission(), taken)
    stay = await desk.admission()
    task = await desk.claim(stay)
    with pytest.raises(WorkflowUpdateFailedError):
        await desk.assign(stay, taken, task=task)
    await desk.assign(stay, bed, task=task)
    await stay.result()
    state = await desk.state(stay)
    ids = [ref.id for ref in (state.patient, state.request, state.ward, task.ref, taken, bed)]
    return stay, [*ids, BED_MANAGER, NAME, PHONE, "routine", "within-30-minutes", "the bed has an occupant"]


async def test_no_value_of_a_process_is_readable_in_its_history(desk: Desk) -> None:
    stay, values = await refused_and_admitted(desk)
    bytes_ = await raw(stay)
    assert [value for value in values if value.encode() in bytes_] == []
    # Readable by design, so that operators find a process: its id, what it was asked, and the code of a refusal.
    for coded in (stay.id, "Admission", "assign_bed", "bed-taken", "PhisPhase"):
        assert coded.encode() in bytes_


async def test_every_payload_of_a_history_is_sealed_or_the_sdks_own(desk: Desk) -> None:
    stay, _ = await refused_and_admitted(desk)
    plain: set[tuple[int, str]] = set()
    for event in (await stay.fetch_history()).events:
        for where, encoding in encodings(event):
            if encoding != b"binary/phis-sealed-1":
                plain.add((event.event_type, where))
    assert plain == {
        # which local activity a marker is about: names and times
        (EventType.EVENT_TYPE_MARKER_RECORDED, "marker_recorded_event_attributes.details.data.payloads"),
        *(
            (EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, f"{_UPSERTED}.{name}")
            for name in ("PhisHospital", "PhisProcess", "PhisSubject", "PhisPhase")
        ),
    }


_UPSERTED = "upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields"


def encodings(message: object, where: str = "") -> list[tuple[str, bytes]]:
    """Every payload within a protobuf message, as its place and its encoding."""
    if isinstance(message, Payload):
        return [(where, message.metadata["encoding"])]
    if not isinstance(message, Message):
        return []
    found: list[tuple[str, bytes]] = []
    for field, value in message.ListFields():
        here = f"{where}.{field.name}".lstrip(".")
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key in value:
                found += encodings(value[key], f"{here}.{key}")
        elif field.is_repeated:
            for each in value:
                found += encodings(each, here)
        else:
            found += encodings(value, here)
    return found


async def test_a_client_with_another_key_ring_reads_nothing(desk: Desk, house: House) -> None:
    stay = await desk.admission()
    stranger = await connect(house.temporal, NAMESPACE, KeyRing.generate("k1"))
    with pytest.raises(SealBroken):
        await stranger.get_workflow_handle(stay.id).query("state")
