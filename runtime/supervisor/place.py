"""The folder a P-HIS on one machine lives in: which one, who owns it, is there room, and the keys kept in it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import Misconfigured
from runtime.directory import Ownership, make_directory, write_private
from runtime.unprivileged import OURS, account_for, can_reach
from store.sealing import KeyRing

DEFAULT = Path(".phis")
RUNNING = "running.json"
_ROOM = 256 << 20  # bytes free below which a start is refused: PostgreSQL stops at a full disk, in the middle of work


@dataclass
class Place:
    """A data folder that is ours until `leave`. `moved_from`: where it would have been, were that within reach."""

    directory: Path
    ephemeral: bool
    ownership: Ownership
    moved_from: Path | None = None

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"

    @property
    def temporal(self) -> Path:
        return self.directory / "temporal"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def audit(self) -> Path:
        """Signed lines of the sealed audit. On one machine this is the second place that there is."""
        return self.directory / "audit"

    def keys(self) -> str:
        """The key ring of this folder, made at its first start: without it nothing kept here can be read again."""
        return self._kept("keys", KeyRing.generate().text)

    def demo_password(self) -> str:
        """One password for all demo accounts of this folder."""
        return self._kept("demo-password", _readable_password())

    def publish(self, environment: Mapping[str, str] | None) -> None:
        """Tell other commands of this machine how to reach what runs here; None: nothing does."""
        path = self.directory / RUNNING
        if environment is None:
            path.unlink(missing_ok=True)
        else:
            write_private(path, json.dumps(dict(environment), indent=1) + "\n")

    def leave(self) -> None:
        """Give the folder back; a throw-away one is removed."""
        self.ownership.give_back()
        if self.ephemeral:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _kept(self, name: str, fresh: str) -> str:
        path = self.directory / name
        if not path.exists():
            write_private(path, f"{fresh}\n")
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as refused:
            raise Misconfigured(f"{path} cannot be read ({refused.strerror}): restore it from a backup.") from None


def take(given: Path | None, *, ephemeral: bool = False) -> Place:
    """Make the folder where needed and take it. Raises Misconfigured with what to do.

    given: an explicit choice, never replaced by another one.
    """
    directory, moved_from = _choose(given, ephemeral=ephemeral)
    as_root = account_for(directory / "postgres" / "data") is not None
    if moved_from and not OURS.exists():
        make_directory(OURS, 0o755)
    make_directory(directory, 0o711 if as_root else 0o700)
    _refuse_full(directory)
    place = Place(directory, ephemeral, Ownership(directory).take(), moved_from)
    make_directory(place.logs)
    return place


def location(given: Path | None) -> Path:
    """The folder that `phis up` would use."""
    return _choose(given, ephemeral=False)[0]


def running(given: Path | None) -> dict[str, str]:
    """The settings, as environment, of the `phis up` that runs over this folder. Raises Misconfigured without one."""
    directory = location(given)
    try:
        found: dict[str, str] = json.loads((directory / RUNNING).read_text(encoding="utf-8"))
    except OSError:
        message = (
            f"No phis up runs over {directory}: start it, name its folder with --data-dir, or set PHIS_DATABASE_URL "
            "and the other addresses."
        )
        raise Misconfigured(message) from None
    return found


def _choose(given: Path | None, *, ephemeral: bool) -> tuple[Path, Path | None]:
    if ephemeral:
        return _throw_away(), None
    wanted = (given or DEFAULT).absolute()
    account = account_for(wanted / "postgres" / "data")
    if given or account is None or can_reach(wanted, account):
        return wanted, None
    name = wanted.parent.name or "root"
    mark = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:8]  # two folders of one name do not share their data
    return OURS / f"{name}-{mark}", wanted


def _throw_away() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="phis-"))
    if os.geteuid() == 0:
        directory.chmod(0o711)  # PostgreSQL's own account passes through it
    return directory


def _refuse_full(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < _ROOM:
        message = (
            f"{directory} has {free >> 20} MB left, and a start needs {_ROOM >> 20} MB: "
            "make room, or give another folder with --data-dir."
        )
        raise Misconfigured(message)


def _readable_password() -> str:
    """Five groups of letters and digits that are not mistaken for one another, 99 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(5))
