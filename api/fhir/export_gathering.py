"""What an export gives out of a type, a stretch at a time, as lines for its files: NDJSON, deletions, what is broken.

hl7.org/fhir/uv/bulkdata/export.html#bulk-data-output-file-request; hl7.org/fhir/R4/nd-json.html. The scope of whoever
asked holds on every resource, as in a search. What costs processor time happens in a thread, so that the server goes on
answering, and no more than a few MiB are held at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.fhir import outcome
from api.fhir.exchange import Call
from api.fhir.export_request import Asked, parsed_filter
from api.fhir.mentions import patients_of
from api.fhir.reach import hold_back, reach
from api.fhir.subsets import cut
from api.fhir.text import Json, write
from api.fhir.veil import veiled
from domain.ids import Reference
from store.database import Transaction
from store.export_files import FileKind, Lines
from store.fhir import walking
from store.fhir.versions import Version
from store.fhir.walking import Span
from store.search.building import Builder
from store.search.extract import extract
from store.search.keyed import target_key, token_hash
from store.search.query import Condition
from store.search.rechecking import agrees
from store.search.sql import Sql, both, either, membership, of_patients

LONGEST_PIECE = 4 * 1024 * 1024
"""Bytes of text, about, that are made at a time."""

_BREAKS = bytes.maketrans(b"\r\n", b"  ")

Keep = Callable[[Lines], Awaitable[None]]


@dataclass(frozen=True)
class Gathering:
    """One export: what was asked, on whose behalf (`call`), and as of when."""

    call: Call
    asked: Asked
    span: Span

    async def stretch(self, tx: Transaction, kind: str, after: str, keep: Keep) -> str | None:
        """Keep the lines of the next stretch of a type; the id to go on after, None at the type's end."""
        filters, scope = self._filters(kind), await reach(self.call, tx)
        narrowed = self._narrowed(kind, filters, Builder.of(tx, scope))
        found = await walking.walk(tx, kind, self.span, after=after, allowed=scope, narrowed=narrowed)
        made = _Made(tx, self.call, self.asked.elements_of(kind), filters, found.rows)
        pieces = made.pieces(kind)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            lines, versions = piece
            await hold_back(self.call, tx, versions)
            await keep(lines)
        deleted = await self._of_these_patients(tx, kind, made.deleted)
        if deleted:
            await keep(_deletions(deleted))
        if made.broken:
            await keep(_unreadable(made.broken))
        return found.last

    def _filters(self, kind: str) -> list[tuple[Condition, ...]]:
        texts = [text for of, text in self.asked.filters if of == kind]
        return [parsed_filter(kind, text, self.call.base, self.span.until).conditions for text in texts]

    def _narrowed(self, kind: str, filters: Sequence[tuple[Condition, ...]], builder: Builder) -> Sql | None:
        parts = []
        if self.asked.level != "system":
            parts.append(of_patients(self._keys(), kind, "r"))
        if filters:
            parts.append(either(both(*(builder.condition(each, kind, "r") for each in one)) for one in filters))
        return both(*parts) if parts else None

    def _keys(self) -> list[UUID] | None:
        return None if self.asked.patients is None else [target_key(each) for each in self.asked.patients]

    async def _of_these_patients(self, tx: Transaction, kind: str, deleted: list[Version]) -> list[Reference]:
        """Deletions of what was in the compartments; what a resource was found by is gone, so its last version says."""
        if self.asked.level == "system" or not deleted:
            return [each.reference for each in deleted]
        keys = self._keys()
        if kind == "Patient":
            return [each.reference for each in deleted if keys is None or target_key(each.reference) in keys]
        numbers, hash_ = set(membership("Patient", kind)), token_hash(tx.keys, tx.hospital)
        found = []
        for each in await walking.before_deletion(tx, deleted):
            links = [link for link in extract(each.body, hash_).references if link[0] in numbers]
            if any(of == "Patient" if keys is None else UUID(str(target)) in keys for _, target, of in links):
                found.append(each.reference)
        return found


class _Made:
    """Lines of a stretch as they are made; afterwards, what was deleted and what could not be opened."""

    def __init__(
        self,
        tx: Transaction,
        call: Call,
        elements: tuple[str, ...],
        filters: Sequence[tuple[Condition, ...]],
        rows: list[dict[str, object]],
    ) -> None:
        self._tx, self._call, self._elements, self._filters, self._rows = tx, call, elements, filters, rows
        self.deleted: list[Version] = []
        self.broken: list[Reference] = []

    def pieces(self, kind: str) -> Iterator[tuple[Lines, list[Version]]]:
        texts, versions, size = list[bytes](), list[Version](), 0
        for row in self._rows:
            version = walking.open_row(self._tx, row)
            if isinstance(version, Reference):
                self.broken.append(version)
            elif version.deleted:
                self.deleted.append(version)
            elif not self._filters or any(agrees(version, one) for one in self._filters):
                texts.append(_line(cut(veiled(self._call, version), None, self._elements)))
                versions.append(version)
                size += len(texts[-1])
                if size >= LONGEST_PIECE:
                    yield _lines(kind, texts, versions), versions
                    texts, versions, size = [], [], 0
        if texts:
            yield _lines(kind, texts, versions), versions


def _lines(kind: str, texts: list[bytes], versions: list[Version]) -> Lines:
    return Lines(FileKind.OUTPUT, kind, b"".join(texts), len(texts), patients_of(versions))


def _line(text: bytes) -> bytes:
    """The client's text on one line: within JSON's strings there are no line breaks, between them they mean nothing."""
    return text.translate(_BREAKS) + b"\n"


def _deletions(references: Sequence[Reference]) -> Lines:
    entries: list[Json] = [{"request": {"method": "DELETE", "url": each}} for each in references]
    bundle = write({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    about = {each for each in references if each.resource_type == "Patient"}
    return Lines(FileKind.DELETED, "Bundle", bundle + b"\n", 1, about)


def _unreadable(references: Sequence[Reference]) -> Lines:
    issues = [outcome.error("exception", f"{each} cannot be opened and is left out") for each in references]
    return Lines(FileKind.ERROR, "OperationOutcome", write(outcome.outcome(issues)) + b"\n", 1)
