"""How large a document may be. Checked first and without recursion: everything after it may recurse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.canonical import canonical_json
from rules.findings import Finding, escaped, finding

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64
MAX_NODES = 5_000
MAX_ROWS = 2_000


def within_limits(raw: Any) -> Finding | None:
    """The first limit that `raw` breaks, with its place.

    The 5,000 nodes are counted in the logic. What a table compiles to is bounded by its rows and the bytes instead.
    """
    for nodes, (depth, pointer) in enumerate(walk(raw)):
        if depth > MAX_DEPTH:
            return finding("too-deep", pointer, limit=MAX_DEPTH)
        if nodes > MAX_BYTES // 2:  # no value takes less than a byte, and a comma or a bracket beside it
            return finding("too-large", "", limit=MAX_BYTES // 1024)
    if isinstance(raw, dict):
        rows = raw["table"].get("rows") if isinstance(raw.get("table"), dict) else None
        if isinstance(rows, list) and len(rows) > MAX_ROWS:
            return finding("too-many-rows", f"/table/rows/{MAX_ROWS}", limit=MAX_ROWS)
        if rows is None:
            for nodes, (_, pointer) in enumerate(walk(raw.get("logic")), start=1):
                if nodes > MAX_NODES:
                    return finding("too-many-nodes", f"/logic{pointer}", limit=MAX_NODES)
    try:
        size = len(canonical_json(raw))
    except ValueError:
        return finding("not-json", "")
    if size > MAX_BYTES:
        return finding("too-large", "", limit=MAX_BYTES // 1024)
    return None


def depth_of(value: Any) -> int:
    """How deep a JSON value is nested: 1 for a scalar. Counted without recursion."""
    return max(depth for depth, _ in walk(value))


def walk(value: Any) -> Iterator[tuple[int, str]]:
    """Each value within `value` with its depth and JSON Pointer, in no particular order, without recursion."""
    waiting: list[tuple[Any, int, str]] = [(value, 1, "")]
    while waiting:
        here, depth, pointer = waiting.pop()
        yield depth, pointer
        match here:
            case dict():
                inner = [(part, f"{pointer}/{escaped(name)}") for name, part in here.items()]
            case list() | tuple():
                inner = [(part, f"{pointer}/{index}") for index, part in enumerate(here)]
            case _:
                continue
        waiting.extend((part, depth + 1, where) for part, where in inner)
