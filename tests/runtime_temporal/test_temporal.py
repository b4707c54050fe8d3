"""The way to the engine: what is registered, and what is said when nobody answers."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import Unavailable
from runtime.ports import free_port
from runtime.temporal import connect, engine_calls, register_namespace_and_attributes
from store.sealing import KeyRing
from tests.conftest import House


async def test_a_namespace_is_registered_once_and_keeps_what_ended_for_30_days(house: House, keys: KeyRing) -> None:
    client = await connect(house.temporal, f"n{uuid4().hex[:8]}", keys)
    for _ in range(2):
        await register_namespace_and_attributes(client)
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    assert {"PhisHospital", "PhisProcess", "PhisSubject", "PhisPhase"} <= set(listed.custom_attributes)


async def test_an_engine_that_does_not_answer_is_unavailable(keys: KeyRing) -> None:
    with pytest.raises(Unavailable) as refused:
        await connect(f"127.0.0.1:{free_port()}", "phis", keys, within=timedelta(seconds=1))
    assert refused.value.params["part"] == "engine"


async def test_a_lazy_client_is_there_before_its_engine(keys: KeyRing) -> None:
    client = await connect(f"127.0.0.1:{free_port()}", "phis", keys, lazy=True, within=timedelta(seconds=1))
    assert client.namespace == "phis"


@pytest.mark.parametrize(
    ("status", "away"),
    [
        (RPCStatusCode.UNAVAILABLE, True),
        (RPCStatusCode.RESOURCE_EXHAUSTED, True),
        (RPCStatusCode.DEADLINE_EXCEEDED, True),
        (RPCStatusCode.NOT_FOUND, False),
        (RPCStatusCode.INVALID_ARGUMENT, False),
        (RPCStatusCode.PERMISSION_DENIED, False),
    ],
)
def test_an_outage_is_told_from_a_refusal(status: RPCStatusCode, away: bool) -> None:
    with pytest.raises(Unavailable if away else RPCError), engine_calls():
        raise RPCError("said the server", status, b"")
