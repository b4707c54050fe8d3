"""A pack's signature: `pack.json` names each table by its digest and is signed with Ed25519 (RFC 8032).

The publisher's public key stands in the pack. Ours is trusted because it is installed with P-HIS, whose files have a
manifest of their own; a pack from elsewhere is taken only with the key that its hospital trusts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from domain.canonical import canonical_json
from domain.errors import Invalid

MANIFEST = "pack.json"

Digest = Annotated[str, StringConstraints(pattern="^sha256:[0-9a-f]{64}$")]

_KEY = "ed25519:"


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """`tables`: SHA-256 of each file by name. `version`: year.month.number."""

    format: Literal["phis-pack/1"] = "phis-pack/1"
    name: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,60}$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$")]
    publisher: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,60}$")]
    made_at: AwareDatetime
    tables: Annotated[dict[str, Digest], Field(min_length=1, max_length=100)]
    key: str
    signature: str = ""

    @property
    def content(self) -> bytes:
        return canonical_json(self.model_dump(mode="json", exclude={"signature"}))


def signed(
    tables: Mapping[str, bytes], key: Ed25519PrivateKey, *, name: str, version: str, publisher: str, at: AwareDatetime
) -> Manifest:
    """The manifest of these files. Raises Invalid for a name or version that no pack has."""
    try:
        made = Manifest(
            name=name,
            version=version,
            publisher=publisher,
            made_at=at,
            tables={file: digest_of(content) for file, content in sorted(tables.items())},
            key=_text(key.public_key().public_bytes_raw()),
        )
    except ValidationError as wrong:
        raise Invalid(f"the pack cannot be made: {wrong.errors()[0]['msg']}", field=MANIFEST) from wrong
    return made.model_copy(update={"signature": _text(key.sign(made.content))})


def verified(text: bytes, tables: Mapping[str, bytes], trusted: Ed25519PublicKey | None) -> Manifest:
    """The manifest, once key, signature and every file fit. trusted: None takes the pack's own key.

    Raises Invalid, naming the file.
    """
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as wrong:
        raise Invalid(f"{MANIFEST} is no pack: {wrong.errors()[0]['msg']}", field=MANIFEST) from wrong
    try:
        key = Ed25519PublicKey.from_public_bytes(_bytes(manifest.key))
    except ValueError:
        raise Invalid("the pack names no public key", field=MANIFEST) from None
    if trusted is not None and trusted.public_bytes_raw() != key.public_bytes_raw():
        raise Invalid("the pack was signed with another key than the trusted one", field=MANIFEST)
    try:
        key.verify(_bytes(manifest.signature), manifest.content)
    except InvalidSignature:
        raise Invalid("the signature does not fit the pack: it was changed", field=MANIFEST) from None
    if strange := sorted(tables.keys() ^ manifest.tables.keys()):
        raise Invalid("it stands in the folder or in the pack, not in both", field=strange[0])
    for file, content in tables.items():
        if digest_of(content) != manifest.tables[file]:
            raise Invalid("it is not the table that was signed", field=file)
    return manifest


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _text(raw: bytes) -> str:
    return _KEY + base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(_KEY), validate=True)
    except (binascii.Error, ValueError):
        return b""
