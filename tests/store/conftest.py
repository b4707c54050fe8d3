"""What only the store's tests need: an address where nothing listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def unreachable() -> Iterator[str]:
    """The URL of a port that is ours and that nobody serves."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"postgresql://phis_app:x@127.0.0.1:{taken.getsockname()[1]}/phis"
