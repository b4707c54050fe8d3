"""Running an activity as if a given process ran it."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.testing import ActivityEnvironment

Given = TypeVar("Given")
Answer = TypeVar("Answer")


async def inside(
    workflow_id: str | None,
    run: Callable[[Given], Awaitable[Answer]],
    given: Given,
    environment: ActivityEnvironment | None = None,
) -> Answer:
    environment = environment or ActivityEnvironment()
    environment.info = dataclasses.replace(ActivityEnvironment.default_info(), workflow_id=workflow_id)
    return await environment.run(run, given)
