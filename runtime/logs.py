"""Logs that may be read by people who may not read records.

Only keys on the list below are written, so a name or a number cannot slip in beside an event. An exception leaves its
type and the lines it passed; its message may hold what it choked on. Libraries whose sentences are known to be about
the machine are quoted; of the others only the sentence's pattern is, without what they fill in.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from prometheus_client import Counter
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

ALLOWED = frozenset(
    """
    event level timestamp logger part dropped_keys error where
    hospital workflow_id process step task_queue activity attempt code reason command_id key_id topic position
    revision resumed replaced open silent route log_id status version build_id rule
    hint pid port exit_code signal seconds address namespace path name count
    """.split()  # noqa: SIM905  (a word a line would hide the groups)
)
"""What, where and how bad; names and numbers of the engine, all of them coded; the machine."""

_QUOTED = ("uvicorn", "alembic", "psycopg.pool", "store", "runtime", "api", "activities", "workflows", "adapters")
_LONGEST = 300

_dropped = Counter("phis_log_dropped_keys", "Log keys left out because they are not on the list")

Format = Literal["auto", "console", "json"]


class UnlistedKey(Exception):
    """A log line used a key that `ALLOWED` does not name; raised in tests only."""


def configure(
    part: str, *, style: Format = "auto", level: str = "info", strict: bool = False, stream: TextIO | None = None
) -> None:
    """Send everything that this process logs through one handler. `part` names the process: server, worker, up.

    strict: an unlisted key raises instead of being left out and counted.
    """
    stream = stream or sys.stderr
    readable = style == "console" or (style == "auto" and stream.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_messages,
        _only_listed(part, strict=strict),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_of_a_library, structlog.stdlib.add_logger_name, *before],
            processors=[ProcessorFormatter.remove_processors_meta, _line if readable else _object],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()  # or its lines would appear twice
        logger.propagate = True
        logger.setLevel(logging.NOTSET)  # one level for all, whatever a library has set for itself
    # Of each connection that it lends the pool would write two lines: a quarter of what a FHIR read costs.
    for name in ("temporalio.activity", "temporalio.worker", "httpx", "alembic.runtime", "psycopg.pool", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _of_a_library(_logger: Any, _name: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    if not record.name.startswith(_QUOTED):
        event["event"] = str(record.msg)
    return event


def _without_messages(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """An exception becomes its type and the lines it passed."""
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if found is True:
        found = sys.exc_info()
    error, passed = _error_and_traceback(found)
    if error is not None:
        event["error"] = error
        event["where"] = passed
    return event


def _error_and_traceback(found: object) -> tuple[str | None, list[str]]:
    kind: type[BaseException] | None = None
    passed: TracebackType | None = None
    if isinstance(found, BaseException):
        kind, passed = type(found), found.__traceback__
    elif isinstance(found, tuple) and found and found[0] is not None:
        kind, passed = found[0], found[2]
    if kind is None:
        return None, []
    frames = traceback.extract_tb(passed)[-8:]
    return kind.__name__, [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]


def _only_listed(part: str, *, strict: bool) -> Processor:
    def only_listed(_logger: Any, _name: str, event: EventDict) -> Mapping[str, Any]:
        kept: MutableMapping[str, Any] = {"part": part}
        unlisted = []
        for key, value in event.items():
            if key in ALLOWED or key in {"_record", "_from_structlog"}:
                kept[key] = value if key.startswith("_") else _plain(value)
            else:
                unlisted.append(key)
        if unlisted:
            if strict:
                raise UnlistedKey(", ".join(unlisted))
            _dropped.inc(len(unlisted))
            kept["dropped_keys"] = len(unlisted)
        return kept

    return only_listed


def _plain(value: object) -> object:
    """Numbers and short texts; anything with an inside is named by its type only."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        # One line, and nothing that moves a terminal's cursor or turns the order of what is read.
        return "".join(sign if sign.isprintable() else "\ufffd" for sign in " ".join(value[:_LONGEST].split()))
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return [str(_plain(item)) for item in value[:12]]
    return f"<{type(value).__name__}>"


def _object(_logger: Any, _name: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=False, default=str)


def _line(_logger: Any, _name: str, event: EventDict) -> str:
    time = str(event.pop("timestamp", ""))[11:19]
    level, part, said = event.pop("level", ""), event.pop("part", ""), event.pop("event", "")
    event.pop("logger", None)
    rest = " ".join(
        f"{key}={value if not isinstance(value, list) else ','.join(value)}" for key, value in event.items()
    )
    return f"{time} {level:<7} {part:<6} {said}  {rest}".rstrip()
