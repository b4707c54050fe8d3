"""Calls to the process engine that may find it away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.service import RPCError, RPCStatusCode

from domain.errors import Unavailable

# Temporal says these while it starts, stops, is overloaded, has ten updates of one workflow in flight or its own
# database is away (engine room, 4). They mean "later", and a person never sees them.
_LATER = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
    }
)


@contextmanager
def engine_calls() -> Iterator[None]:
    """Around calls to the engine: raises Unavailable(part="engine") when it does not answer; its refusals pass."""
    try:
        yield
    except RPCError as error:
        if error.status in _LATER:
            raise Unavailable("the process engine does not answer", part="engine", status=error.status.name) from error
        raise
    except RuntimeError as error:  # how a client that connects at its first call says that it cannot
        if not str(error).startswith("Failed client connect"):
            raise
        raise Unavailable("the process engine does not answer", part="engine") from error
