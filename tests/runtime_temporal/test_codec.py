"""The payload codec: what it binds, and everything it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from domain.errors import PhisError, SealBroken
from runtime.codec import ENCODING, SealedPayloads, sealed_converter
from store.sealing import KeyRing

HERE, THERE = "hanbit/admission/Encounter/1", "saebom/admission/Encounter/1"
VALUE = Payload(metadata={"encoding": b"json/plain"}, data=b'"Encounter/1"')
OLD, NEW = KeyRing.generate("k1"), KeyRing.generate("k2")


def workflow(id_: str) -> WorkflowSerializationContext:
    return WorkflowSerializationContext(namespace="phis", workflow_id=id_)


def codec(id_: str = HERE, keys: KeyRing = OLD) -> SealedPayloads:
    return SealedPayloads(keys).with_context(workflow(id_))


async def sealed(keys: KeyRing = OLD) -> Payload:
    [payload] = await codec(keys=keys).encode([VALUE])
    return payload


async def test_what_is_sealed_opens_in_its_place_and_shows_nothing_of_itself() -> None:
    payload = await sealed()
    assert b"Encounter/1" not in payload.data
    assert dict(payload.metadata) == {
        "encoding": ENCODING,
        "hospital": b"hanbit",
        "workflow-id": HERE.encode(),
        "key-id": b"k1",
    }
    assert await codec().decode([payload]) == [VALUE]


async def test_an_activity_opens_what_its_workflow_sealed() -> None:
    context = ActivitySerializationContext(
        namespace="phis",
        activity_id="1",
        activity_type="admit",
        activity_task_queue="phis-process",
        workflow_id=HERE,
        workflow_type="Admission",
        is_local=True,
    )
    assert await SealedPayloads(OLD).with_context(context).decode([await sealed()]) == [VALUE]


@pytest.mark.parametrize("name", ["encoding", "hospital", "workflow-id", "key-id"])
@pytest.mark.parametrize("change", ["other", "gone"])
async def test_changed_metadata_is_refused(name: str, change: str) -> None:
    payload = await sealed()
    if change == "gone":
        del payload.metadata[name]
    else:
        payload.metadata[name] = b"k9" if name == "key-id" else payload.metadata[name] + b"x"
    with pytest.raises(SealBroken):
        await codec().decode([payload])


async def test_metadata_that_names_the_new_place_does_not_help_a_moved_payload() -> None:
    payload = await sealed()
    payload.metadata["hospital"], payload.metadata["workflow-id"] = b"saebom", THERE.encode()
    with pytest.raises(SealBroken):
        await codec(THERE).decode([payload])


@pytest.mark.parametrize("id_", [THERE, "hanbit/admission/Encounter/2", "hanbit/discharge/Encounter/1"])
async def test_a_payload_moved_to_another_workflow_is_refused(id_: str) -> None:
    with pytest.raises(SealBroken):
        await codec(id_).decode([await sealed()])


async def test_a_key_id_swapped_for_another_key_of_the_ring_is_refused() -> None:
    payload = await sealed()
    payload.metadata["key-id"] = b"k2"
    both = KeyRing("k1", {**OLD.keys, **NEW.keys})
    with pytest.raises(SealBroken):
        await codec(keys=both).decode([payload])


@pytest.mark.parametrize(
    "edit",
    [lambda data: data[:-1], lambda data: bytes([data[0] ^ 1]) + data[1:], lambda data: b"", lambda data: data[:11]],
    ids=["cut", "flipped", "empty", "no nonce"],
)
async def test_changed_bytes_are_refused(edit: Callable[[bytes], bytes]) -> None:
    payload = await sealed()
    payload.data = edit(payload.data)
    with pytest.raises(SealBroken):
        await codec().decode([payload])


async def test_plain_text_is_refused() -> None:
    with pytest.raises(SealBroken):
        await codec().decode([VALUE])


async def test_one_bad_payload_among_good_ones_refuses_them_all() -> None:
    with pytest.raises(SealBroken):
        await codec().decode([await sealed(), VALUE])


@pytest.mark.parametrize(
    "context",
    [None, workflow("Encounter/1"), workflow(""), NexusSerializationContext(endpoint="e", service="s", operation="o")],
    ids=["no context", "no hospital", "no id", "no workflow"],
)
async def test_nothing_is_sealed_or_opened_outside_of_a_hospitals_workflow(
    context: SerializationContext | None,
) -> None:
    outside = SealedPayloads(OLD).with_context(context) if context else SealedPayloads(OLD)
    with pytest.raises(SealBroken):
        await outside.encode([VALUE])
    with pytest.raises(SealBroken):
        await outside.decode([await sealed()])


async def test_a_context_without_a_workflow_forgets_the_one_before() -> None:
    context = NexusSerializationContext(endpoint="e", service="s", operation="o")
    with pytest.raises(SealBroken):
        await codec().with_context(context).encode([VALUE])


async def test_a_rotated_ring_opens_the_old_and_seals_with_the_new() -> None:
    before = await sealed()
    rotated = codec(keys=KeyRing("k2", {**NEW.keys, **OLD.keys}))
    assert await rotated.decode([before]) == [VALUE]
    [after] = await rotated.encode([VALUE])
    assert after.metadata["key-id"] == b"k2"
    with pytest.raises(SealBroken):
        await codec(keys=OLD).decode([after])


async def test_a_failure_leaves_its_message_and_stack_sealed() -> None:
    converter = sealed_converter(OLD).with_context(workflow(HERE))
    failure = Failure()
    with pytest.raises(ApplicationError) as raised:
        _fail_twice()
    await converter.encode_failure(raised.value, failure)
    raw = failure.SerializeToString()
    for readable in (b"sentence", b"Location/9", b"test_codec"):
        assert readable not in raw
    assert failure.application_failure_info.type == "bed-taken"
    again = await converter.decode_failure(failure)
    assert isinstance(again, ApplicationError)
    assert (again.message, list(again.details)) == ("the outer sentence", [{"bed": "Location/9"}])
    assert "the inner sentence" in str(again.__cause__)


def _fail_twice() -> None:
    inner = PhisError("the inner sentence")
    raise ApplicationError("the outer sentence", {"bed": "Location/9"}, type="bed-taken") from inner
