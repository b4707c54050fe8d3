"""Statements as PostgreSQL spells them, and which of them a connection keeps prepared."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import PyFormat

Params = Mapping[str, Any] | Sequence[Any] | None

Key = tuple[bytes, tuple[int, ...]]
"""A statement and the types of its parameters: with others it is prepared by itself."""

USES = 3
"""The use of a statement with which a connection prepares it."""

MOST = 300
"""Statements that a connection keeps prepared, the least recently used go first."""

_PLACEHOLDER = re.compile(rb"%(?:\((\w+)\))?(.?)", re.DOTALL)
_FORMATS = {b"s": PyFormat.AUTO, b"b": PyFormat.BINARY, b"t": PyFormat.TEXT}


@dataclass(frozen=True, slots=True)
class Spelled:
    """A statement with `$1` for its parameters. `names`: the parameters in order, empty where they have no names."""

    text: bytes
    names: tuple[str, ...]
    formats: tuple[PyFormat, ...]

    def ordered(self, params: Mapping[str, Any] | Sequence[Any]) -> Sequence[Any]:
        """The parameters in the statement's order. Raises psycopg.ProgrammingError for others than it has."""
        if isinstance(params, Mapping):
            if not self.names and self.formats:
                raise psycopg.ProgrammingError("a statement with %s takes a sequence of parameters")
            try:
                return [params[name] for name in self.names]
            except KeyError as missing:
                raise psycopg.ProgrammingError(f"a statement lacks its parameter {missing}") from None
        if self.names or len(params) != len(self.formats):
            raise psycopg.ProgrammingError(f"a statement takes {len(self.formats)} parameters, not {len(params)}")
        return params


@lru_cache(maxsize=2000)
def spelled(statement: bytes) -> Spelled:
    """Read psycopg's placeholders: `%s`, `%(name)s`, the same with `b` for binary, and `%%`."""
    names: dict[str, int] = {}
    formats: list[PyFormat] = []

    def numbered(found: re.Match[bytes]) -> bytes:
        name, letter = found[1], found[2]
        if letter == b"%" and name is None:
            return b"%"
        if letter not in _FORMATS:
            raise psycopg.ProgrammingError("only %s, %b and %t stand for parameters")
        if name is None:
            formats.append(_FORMATS[letter])
            return b"$%d" % len(formats)
        known = names.setdefault(name.decode(), len(formats))
        if known == len(formats):
            formats.append(_FORMATS[letter])
        return b"$%d" % (known + 1)

    text = _PLACEHOLDER.sub(numbered, statement)
    if names and len(names) != len(formats):
        raise psycopg.ProgrammingError("a statement's parameters have names, or none has")
    return Spelled(text, tuple(names), tuple(formats))


class Prepared:
    """What one connection has prepared, by text and types."""

    def __init__(self) -> None:
        self._names: OrderedDict[Key, bytes] = OrderedDict()
        self._uses: OrderedDict[Key, int] = OrderedDict()
        self._last = 0

    def name_of(self, key: Key) -> tuple[bytes | None, bool]:
        """The name that a statement is prepared under, and whether it is to be prepared now; None for neither."""
        name = self._names.get(key)
        if name is not None:
            self._names.move_to_end(key)
            return name, False
        uses = self._uses.pop(key, 0) + 1
        if uses < USES:
            self._uses[key] = uses
            while len(self._uses) > 5 * MOST:
                self._uses.popitem(last=False)
            return None, False
        self._last += 1
        self._names[key] = name = b"s%d" % self._last
        return name, True

    def forget(self, key: Key) -> bytes | None:
        """Prepare it anew when it comes again. Returns the name that it had."""
        return self._names.pop(key, None)

    def surplus(self) -> bytes | None:
        """The name of a statement that is to make room, if one is."""
        return self._names.popitem(last=False)[1] if len(self._names) > MOST else None
