"""What `phis pack` does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from adapters.packs import reading, signing
from adapters.packs.reading import Pack
from adapters.packs.sizes import Size
from domain.errors import Misconfigured


def verify(folder: Path | None, trust: Path | None) -> Iterator[str]:
    """One line for the pack and one for each size. Raises Invalid, Misconfigured."""
    for size in Size:
        pack = read(folder, size, trust)
        if size is Size.CLINIC:
            made = pack.manifest
            yield f"{made.name} {made.version}, signed by {made.publisher} on {made.made_at:%Y-%m-%d}: intact."
        counts = Counter(entry.kind for entry in pack.entries)
        yield f"{size}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items())


def read(folder: Path | None, size: Size, trust: Path | None) -> Pack:
    """A pack of ours, or of another's with its key. Raises Invalid, Misconfigured."""
    if folder is None:
        return reading.read(reading.shipped(), size)
    if trust is None:
        raise Misconfigured("A pack from elsewhere is taken with its publisher's key only: give --trust.")
    return reading.read(folder, size, public_key(trust))


def sign(folder: Path, version: str, key_file: Path, *, name: str, publisher: str) -> str:
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{key_file} holds no Ed25519 key: openssl genpkey -algorithm ed25519 -out {key_file}")
    tables = {file.name: file.read_bytes() for file in sorted(folder.glob("*.csv"))}
    for size in Size:
        reading.entries(tables, size)
    made = signing.signed(tables, key, name=name, version=version, publisher=publisher, at=datetime.now(UTC))
    (folder / signing.MANIFEST).write_text(made.model_dump_json(indent=1) + "\n", "utf-8")
    return f"{len(tables)} tables signed as {made.name} {made.version} by {publisher}."


def public_key(file: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(file.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"{file} holds no public Ed25519 key: openssl pkey -in KEY -pubout -out {file}")
    return key
