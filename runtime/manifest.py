"""The signed manifest of what is installed: code, templates, rules, migrations, translations, and configuration files.

Somebody signs it once, at build or set-up, with a key that no server has (Ed25519); servers and workers know the public
half from their settings and compare at start and every hour. Who changes a file and the manifest, too, has not the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.errors import Misconfigured
from domain.manifest import Files, ManifestState

NAME = "phis-manifest.json"
"""Beside our packages, unless a setting names another place."""

PACKAGES = ("activities", "adapters", "api", "domain", "rules", "runtime", "store", "workflows")

_VERSION = 1
_LISTED = 100
_CHUNK = 1 << 20
_UNREADABLE = "unreadable"
_BESIDE = {"__pycache__"}  # what Python makes of the sources; it looks at their time and size and makes it anew


@dataclass(frozen=True)
class Manifest:
    """files: SHA-256 by path: below `root`, or absolute for those elsewhere.  signed_at: ISO 8601."""

    files: dict[str, str]
    signed_at: str
    signed_by: str

    @property
    def message(self) -> bytes:
        content = {"version": _VERSION, "files": self.files, "signed_at": self.signed_at, "signed_by": self.signed_by}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def root() -> Path:
    """The folder that our packages stand in: site-packages, or the checkout."""
    return Path(str(files("runtime"))).parent


def public_of(text: str) -> Ed25519PublicKey:
    """Raises Misconfigured for anything that is no public key in base64."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise Misconfigured("PHIS_MANIFEST_KEY is not a public key as phis manifest key prints it.") from None


def private_of(path: Path) -> Ed25519PrivateKey:
    """Raises Misconfigured."""
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_text().strip(), validate=True))
    except (OSError, UnicodeDecodeError, binascii.Error, ValueError):
        raise Misconfigured(f"{path} holds no private key as phis manifest key writes it.") from None


def signed(where: Path, also: Iterable[Path], key: Ed25519PrivateKey, *, at: datetime, by: str) -> str:
    """The manifest of what is installed at `where`, as text. `also`: files elsewhere, such as configuration.

    Raises Misconfigured naming a file that cannot be read: what nobody read, nobody signs.
    """
    listed = dict(sorted((*_installed(where), *_elsewhere(also))))
    if unread := next((path for path, digest in listed.items() if digest == _UNREADABLE), None):
        raise Misconfigured(f"{where / unread} cannot be read.")
    made = Manifest(listed, at.isoformat(timespec="seconds"), by)
    signature = base64.b64encode(key.sign(made.message)).decode()
    content = {
        "version": _VERSION,
        "signed_at": made.signed_at,
        "signed_by": made.signed_by,
        "signature": signature,
        "files": made.files,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def verified(where: Path, manifest: Path, key: str, *, now: datetime) -> ManifestState:
    """Compare what is installed at `where` with its manifest. `key`: the public key, empty where none was set.

    Takes a second for some hundred files. Raises Misconfigured for a key that is none.
    """
    if not key and not manifest.exists():
        return ManifestState(Files.UNSIGNED, checked_at=now)
    public = public_of(key) if key else None
    if public is None:
        # A signature by just anybody proves nothing.
        return ManifestState(Files.UNSIGNED, ("without PHIS_MANIFEST_KEY nobody can tell who signed",), checked_at=now)
    try:
        known = _read(manifest, public)
    except FileNotFoundError:
        return ManifestState(Files.CHANGED, (f"missing {manifest}",), checked_at=now)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        return ManifestState(Files.CHANGED, (f"changed {manifest}",), checked_at=now)
    found = dict(_installed(where)) | dict(_looked_up(path for path in known.files if path.startswith("/")))
    changed = [
        *(f"unreadable {path}" for path, digest in found.items() if digest == _UNREADABLE),
        *(
            f"changed {path}"
            for path, digest in known.files.items()
            if path in found and found[path] not in {digest, _UNREADABLE}
        ),
        *(f"missing {path}" for path in known.files if path not in found),
        *(f"new {path}" for path, digest in found.items() if path not in known.files and digest != _UNREADABLE),
    ]
    return ManifestState(
        Files.CHANGED if changed else Files.INTACT,
        tuple(changed[:_LISTED]),
        datetime.fromisoformat(known.signed_at),
        known.signed_by,
        now,
    )


def _read(manifest: Path, key: Ed25519PublicKey) -> Manifest:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    if content["version"] != _VERSION:
        raise ValueError("another version")
    read = Manifest(dict(content["files"]), str(content["signed_at"]), str(content["signed_by"]))
    key.verify(base64.b64decode(content["signature"], validate=True), read.message)
    return read


def _installed(where: Path) -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in (where / package).rglob("*"):
            name = path.relative_to(where)
            if not _BESIDE.isdisjoint(name.parts):
                continue
            try:
                if path.is_file():
                    yield name.as_posix(), _digest(path)
            except FileNotFoundError:
                continue
            except OSError:
                yield name.as_posix(), _UNREADABLE


def _elsewhere(also: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in also:
        try:
            yield str(path.resolve()), _digest(path)
        except OSError as refused:
            raise Misconfigured(f"{path} cannot be read ({refused.strerror}).") from None


def _looked_up(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        try:
            yield path, _digest(Path(path))
        except FileNotFoundError:
            continue
        except OSError:
            yield path, _UNREADABLE


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()
