"""Folders on disk that one process owns at a time, and secrets kept in them."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from domain.errors import Misconfigured


class Ownership:
    """The right to use a folder: held by one process, and given back by the kernel whatever ends that process."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._descriptor: int | None = None

    def take(self) -> Self:
        """Raises Misconfigured naming the process that has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
            os.close(descriptor)
            message = (
                f"{self._path.parent} is in use by process {owner}: stop that one first (Ctrl-C or kill {owner}), "
                "or give another folder with --data-dir."
            )
            raise Misconfigured(message) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def give_back(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def make_directory(path: Path, mode: int = 0o700) -> None:
    """Make `path` with `mode`; one that exists is left as it is. Raises Misconfigured with what to do."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=mode)
        path.chmod(mode)  # whatever the umask took away
    except FileExistsError:
        if not path.is_dir():
            raise Misconfigured(f"{path} is a file: move it away or give another folder with --data-dir.") from None
    except OSError as refused:
        raise Misconfigured(f"{path} cannot be made: {_reason(refused)}.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise Misconfigured(f"{path} cannot be written to by {_me()}: change its owner, or give another --data-dir.")


def write_private(path: Path, content: str) -> None:
    """Write a file that only we can read; a reader sees the old content or the new, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as refused:
        draft.unlink(missing_ok=True)
        raise Misconfigured(f"{path} cannot be written: {_reason(refused)}.") from None


def kept_secrets(path: Path, names: Iterable[str]) -> dict[str, str]:
    """The secrets kept in `path`, one for each name; those that are missing are made and kept."""
    try:
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    except (OSError, ValueError) as broken:
        raise Misconfigured(f"{path} cannot be read ({broken}): restore it from a backup.") from None
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(24) for name in missing}
        write_private(path, json.dumps(known, indent=1) + "\n")
    return known


def _me() -> str:
    return f"user {os.geteuid()}"


def _reason(refused: OSError) -> str:
    return (refused.strerror or type(refused).__name__).lower()
