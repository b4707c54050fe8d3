"""Temporal payloads sealed for one workflow of one hospital.

Every payload that reaches the server is AES-256-GCM under a key derived for the hospital. Its metadata names the
hospital, the workflow and the key, and all three are part of what the tag protects: a payload that is edited, moved to
another workflow or replaced by plain text is refused, on the way out as on the way in.

Where the workflow's id comes from, and what stays outside (temporalio 1.35, read in its source and tried in
`tests/runtime_temporal/test_codec.py`):

- arguments and results of start, signal, query, update, activities (local ones and heartbeats too), continue-as-new,
  memo, summaries and failures carry a serialization context with the workflow's id: sealed;
- headers never get one, so they are not given to the codec: they hold trace ids only;
- search attributes, activity and step names, error types and termination reasons are readable by design: codes only;
- activities completed by task token and schedules have no final workflow id: refused, the house uses neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from domain.errors import Invalid, SealBroken
from domain.ids import hospital_of
from store.sealing import KeyRing, Sealed, open_, place, seal

ENCODING = b"binary/phis-sealed-1"
PURPOSE = "temporal"


@dataclass(frozen=True)
class SealedPayloads(PayloadCodec, WithSerializationContext):
    """The codec. Without a workflow's context it refuses both directions."""

    keys: KeyRing
    workflow_id: str | None = None

    def with_context(self, context: SerializationContext) -> SealedPayloads:
        if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return replace(self, workflow_id=context.workflow_id)
        return replace(self, workflow_id=None)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        workflow_id, hospital = self._place()
        return [self._seal(payload, workflow_id, hospital) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        workflow_id, hospital = self._place()
        return [self._open(payload, workflow_id, hospital) for payload in payloads]

    def _place(self) -> tuple[str, str]:
        if self.workflow_id is None:
            raise SealBroken("a payload outside of a workflow is neither sealed nor opened")
        try:
            return self.workflow_id, hospital_of(self.workflow_id)
        except Invalid as invalid:
            raise SealBroken("the workflow id names no hospital") from invalid

    def _seal(self, payload: Payload, workflow_id: str, hospital: str) -> Payload:
        associated = _associated(hospital, workflow_id, self.keys.current)
        text = payload.SerializeToString()
        sealed = seal(self.keys, text, associated, purpose=PURPOSE, hospital=hospital, fixed=True)
        return Payload(
            metadata={
                "encoding": ENCODING,
                "hospital": hospital.encode(),
                "workflow-id": workflow_id.encode(),
                "key-id": sealed.key_id.encode(),
            },
            data=sealed.data,
        )

    def _open(self, payload: Payload, workflow_id: str, hospital: str) -> Payload:
        metadata = payload.metadata
        if metadata.get("encoding") != ENCODING:
            raise SealBroken("a payload that is not sealed", workflow_id=workflow_id)
        if metadata.get("hospital") != hospital.encode() or metadata.get("workflow-id") != workflow_id.encode():
            raise SealBroken("a payload sealed for another workflow", workflow_id=workflow_id)
        sealed = Sealed(metadata.get("key-id", b"").decode("ascii", "replace"), payload.data)
        associated = _associated(hospital, workflow_id, sealed.key_id)
        return Payload.FromString(open_(self.keys, sealed, associated, purpose=PURPOSE, hospital=hospital))


def sealed_converter(keys: KeyRing) -> DataConverter:
    """The one data converter of clients, workers and replay: pydantic values, sealed; failures' messages sealed too."""
    return DataConverter(
        payload_converter_class=PydanticPayloadConverter,
        payload_codec=SealedPayloads(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _associated(hospital: str, workflow_id: str, key_id: str) -> bytes:
    return place(ENCODING.decode(), hospital, workflow_id, key_id)
