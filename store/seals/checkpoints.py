"""The second place: a signed line for every link, where somebody who has the database cannot reach.

One file a hospital and month, `hanbit-2026-11.jsonl`, only ever appended to. A line that a crash tore is passed over;
the whole line follows it. Another kind of place implements `Place`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from domain.errors import Misconfigured, Unavailable
from store.sealing import KeyRing
from store.seals.chain import Link, signed_words, verified

_TAIL = 4096  # bytes; a line has about 330


@dataclass(frozen=True)
class Checkpoint:
    """What the second place knows of a link. where: file and line it was read from."""

    hospital: str
    number: int
    first: int
    count: int
    sealed_at: datetime
    hash: bytes
    key_id: str
    signature: bytes
    where: str = ""

    @classmethod
    def of(cls, link: Link) -> Checkpoint:
        return cls(
            link.hospital,
            link.number,
            link.first,
            len(link.ids),
            link.sealed_at,
            link.hash,
            link.key_id,
            link.signature,
        )

    def is_signed(self, keys: KeyRing) -> bool:
        """Raises SealBroken when its key is not in the ring."""
        message = signed_words(self.hospital, self.number, (self.first, self.count), self.sealed_at, self.hash)
        return verified(keys, self.key_id, self.hospital, self.signature, message)

    @property
    def line(self) -> str:
        said = {
            "hospital": self.hospital,
            "number": self.number,
            "first": self.first,
            "count": self.count,
            "at": self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "hash": base64.b64encode(self.hash).decode(),
            "key": self.key_id,
            "signature": base64.b64encode(self.signature).decode(),
        }
        return json.dumps(said, separators=(",", ":")) + "\n"

    @classmethod
    def parse(cls, line: str, where: str = "") -> Checkpoint | None:
        """None for what is no such line."""
        try:
            said = json.loads(line)
            return cls(
                str(said["hospital"]),
                int(said["number"]),
                int(said["first"]),
                int(said["count"]),
                datetime.fromisoformat(said["at"]).astimezone(UTC),
                base64.b64decode(said["hash"], validate=True),
                str(said["key"]),
                base64.b64decode(said["signature"], validate=True),
                where,
            )
        except (ValueError, TypeError, KeyError, binascii.Error):
            return None


class Place(Protocol):
    """Somewhere else. Methods block; a place that cannot be reached raises Unavailable."""

    def append(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep them, in this order, so that they are there after a power failure."""

    def last(self, hospital: str) -> Checkpoint | None:
        """The one with the largest number."""

    def all_of(self, hospital: str) -> Iterable[Checkpoint]:
        """Every one, in the order in which they were kept."""


class Folder:
    """Files in a folder: of another machine, of a disk that can only be added to, or at least of another account."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def prepare(self) -> Folder:
        """Make the folder. Raises Misconfigured when it cannot be written to."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as refused:
            message = f"PHIS_AUDIT_CHECKPOINTS: {self.directory} cannot be made ({refused.strerror})."
            raise Misconfigured(message) from None
        if not os.access(self.directory, os.W_OK | os.X_OK):
            raise Misconfigured(f"PHIS_AUDIT_CHECKPOINTS: {self.directory} cannot be written to.")
        return self

    def append(self, checkpoints: Sequence[Checkpoint]) -> None:
        by_file: dict[Path, list[str]] = {}
        for checkpoint in checkpoints:
            by_file.setdefault(self._file(checkpoint), []).append(checkpoint.line)
        try:
            for path, lines in by_file.items():
                self._append(path, "".join(lines).encode())
        except OSError as failed:
            raise Unavailable(f"{self.directory} does not take checkpoints: {failed.strerror}", part="disk") from failed

    def last(self, hospital: str) -> Checkpoint | None:
        for path in reversed(self._files(hospital)):
            with self._open(path) as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL))
                lines = file.read().decode("utf-8", "replace").split("\n")
            found = [one for line in lines if (one := Checkpoint.parse(line, path.name)) and one.hospital == hospital]
            if found:
                return max(found, key=lambda one: one.number)
        return None

    def all_of(self, hospital: str) -> Iterator[Checkpoint]:
        for path in self._files(hospital):
            with self._open(path) as file:
                for number, line in enumerate(file, start=1):
                    found = Checkpoint.parse(line.decode("utf-8", "replace"), f"{path.name}:{number}")
                    if found is not None:
                        yield found

    def _file(self, checkpoint: Checkpoint) -> Path:
        return self.directory / f"{checkpoint.hospital}-{checkpoint.sealed_at.astimezone(UTC):%Y-%m}.jsonl"

    def _files(self, hospital: str) -> list[Path]:
        return sorted(self.directory.glob(f"{hospital}-[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    def _open(self, path: Path) -> BinaryIO:
        try:
            return path.open("rb")
        except OSError as failed:
            raise Unavailable(f"{path} cannot be read: {failed.strerror}", part="disk") from failed

    def _append(self, path: Path, content: bytes) -> None:
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a crash tore the last line
                content = b"\n" + content
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:  # the file's name, too, must be there after a power failure
            folder = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
