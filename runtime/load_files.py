"""What `phis load` finds in files: one resource a line (NDJSON), a resource, or a Bundle, read piece by piece.

hl7.org/fhir/R4/nd-json.html; hl7.org/fhir/R4/bundle.html. A transaction is one piece, because it holds together. Every
other resource is a piece of its own: the entry of a transaction that would write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from api.fhir import references
from api.fhir.text import Json, parse
from domain.errors import Invalid, Misconfigured

LONGEST = 64 * 1024 * 1024
"""Bytes of a line, or of a file that is no NDJSON: more than any server sends in one piece."""

_LINES = (".ndjson", ".jsonl")
_WHOLE = ".json"
_HOLDING = frozenset({"collection", "searchset", "history"})


@dataclass(frozen=True, slots=True)
class Piece:
    """What is written together or not at all. `where`: its line, its entry, or both; empty for a whole file."""

    where: str
    entries: list[Any]
    transaction: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """What cannot be read."""

    where: str
    said: str


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files, and those of the folders by name. Raises Misconfigured for what is not there or has another ending."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.iterdir() if each.suffix in {*_LINES, _WHOLE})
        elif not path.is_file():
            raise Misconfigured(f"There is no file {path}.")
        elif path.suffix not in {*_LINES, _WHOLE}:
            raise Misconfigured(f"{path}: a file to load ends in .ndjson, .jsonl or .json.")
        else:
            found.append(path)
    if not found:
        raise Misconfigured("There is nothing to load: no file ends in .ndjson, .jsonl or .json.")
    return found


def pieces(path: Path) -> Iterator[Piece | Broken]:
    """Everything that a file holds, in its order, and never more of it in memory than a line."""
    with path.open("rb") as file:
        if path.suffix == _WHOLE:
            yield from _of_text(file.read(LONGEST + 1), "")
            return
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                # The next line cannot be found without reading on, perhaps for ever.
                yield Broken(f"line {number}", f"more than {LONGEST} bytes; the rest of the file is left out")
                return
            if line.strip():
                yield from _of_text(line, f"line {number}")


def _of_text(text: bytes, where: str) -> Iterator[Piece | Broken]:
    if len(text) > LONGEST:
        yield Broken(where, f"more than {LONGEST} bytes: write one resource a line into a file that ends in .ndjson")
        return
    try:
        resource = parse(text)
    except Invalid as wrong:
        yield Broken(where, str(wrong))
        return
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        yield Broken(where, "no resource: it is no object with a resourceType")
    elif resource["resourceType"] != "Bundle":
        yield Piece(where, [_put(resource)])
    else:
        yield from _of_bundle(resource, where)


def _of_bundle(bundle: Json, where: str) -> Iterator[Piece | Broken]:
    kind, entries = bundle.get("type"), bundle.get("entry", [])
    if not isinstance(entries, list):
        yield Broken(where, "entry is a list")
    elif kind == "transaction":
        yield Piece(where, entries, transaction=True)
    elif kind == "batch":
        yield from (Piece(_at(where, index), [entry]) for index, entry in enumerate(entries))
    elif kind in _HOLDING:
        yield from _of_collection(entries, where)
    else:  # a document, a message: its entries mean something only together
        yield Piece(where, [_put(bundle)])


def _of_collection(entries: list[Any], where: str) -> Iterator[Piece | Broken]:
    """Each resource by itself, and what they say of each other by fullUrl said by id."""
    known: dict[str, str] = {}
    held: list[tuple[str, Json, str]] = []
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            yield Broken(_at(where, index), "the entry holds no resource")
            continue
        full_url = entry.get("fullUrl")
        if isinstance(full_url, str) and full_url:
            # The same at every reading: a file that is read again means the same resources.
            resource.setdefault("id", str(uuid5(NAMESPACE_URL, full_url)))
            known[full_url] = f"{resource['resourceType']}/{resource['id']}"
        held.append((_at(where, index), resource, full_url if isinstance(full_url, str) else ""))
    for at, resource, full_url in held:
        try:
            references.rewrite(resource, full_url, known)
        except Invalid as wrong:
            yield Broken(at, str(wrong))
        else:
            yield Piece(at, [_put(resource)])


def _put(resource: Json) -> Json:
    """The entry that writes a resource under its own id, or under a new one."""
    kind, own = resource["resourceType"], resource.get("id")
    request = {"method": "POST", "url": kind} if own is None else {"method": "PUT", "url": f"{kind}/{own}"}
    return {"resource": resource, "request": request}


def _at(where: str, index: int) -> str:
    return f"{where}, entry[{index}]" if where else f"entry[{index}]"
