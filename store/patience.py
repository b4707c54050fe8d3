"""How long a statement may take is the database's to say (`statement_timeout`); that it asked too much, ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from domain.errors import TooCostly


@asynccontextmanager
async def in_time(said: str = "the search takes too long; narrow it") -> AsyncIterator[None]:
    """Raises TooCostly when PostgreSQL gives up a statement of the block."""
    try:
        yield
    except psycopg.errors.QueryCanceled as late:
        raise TooCostly(said, limit="time", field="http.query") from late
