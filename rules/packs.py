"""Signed packs: rules as files of a folder, and one file that names and signs them.

`pack.json` holds the publisher, each file with its document's digest, the public key, and an Ed25519 signature
(RFC 8032) over the canonical JSON of everything else. Who trusts the key trusts these very texts, whatever carried
them here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from domain.canonical import canonical_json
from domain.errors import Invalid
from rules.document import RuleDocument, load

PACK = "pack.json"
_PUBLISHER = r"^[a-z0-9][a-z0-9-]{0,60}$"
_FILE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.json$"


class Entry(BaseModel, frozen=True):
    file: str = Field(pattern=_FILE)
    rule: str
    version: str
    digest: str = Field(pattern="^[0-9a-f]{64}$")


class Pack(BaseModel, frozen=True, extra="forbid"):
    """What is signed, with its signature. Both keys in base64."""

    format: Literal["phis-rules/1"] = "phis-rules/1"
    publisher: str = Field(pattern=_PUBLISHER)
    made_at: AwareDatetime
    rules: tuple[Entry, ...] = Field(min_length=1, max_length=10_000)
    key: str
    signature: str = ""

    @property
    def content(self) -> bytes:
        return canonical_json(self.model_dump(mode="json", exclude={"signature"}))


def sign(
    documents: Mapping[str, RuleDocument], *, publisher: str, made_at: AwareDatetime, key: Ed25519PrivateKey
) -> Pack:
    """A pack of documents by file name. Raises Invalid for names that no pack has."""
    if not re.fullmatch(_PUBLISHER, publisher):
        raise Invalid(
            f"{publisher!r} is no publisher's code: small letters, digits and hyphens, such as river", field=PACK
        )
    for file in documents:
        if not re.fullmatch(_FILE, file):
            raise Invalid(
                f"{file!r} is no file's name for a pack: letters, digits, dots, hyphens, and .json at its end",
                field=file,
            )
    try:
        pack = Pack(
            publisher=publisher,
            made_at=made_at,
            rules=tuple(
                Entry(file=file, rule=document.id, version=document.version, digest=document.digest)
                for file, document in sorted(documents.items())
            ),
            key=_text(key.public_key().public_bytes_raw()),
        )
    except ValidationError as wrong:
        raise Invalid(f"the pack cannot be made: {wrong.errors()[0]['msg']}", field=PACK) from wrong
    return pack.model_copy(update={"signature": _text(key.sign(pack.content))})


def opened(raw: Any, files: Mapping[str, Any], trusted: Ed25519PublicKey) -> dict[str, RuleDocument]:
    """The documents of a pack. files: the folder's other JSON files, parsed.

    Raises Invalid, naming the file: another key, a broken signature, a text that is not the signed one, a file that is
    missing or that the pack does not name. Raises RuleUnusable for a document that is none.
    """
    try:
        pack = Pack.model_validate(raw)
    except ValidationError as wrong:
        raise Invalid(f"{PACK} is no pack: {wrong.errors()[0]['msg']}", field=PACK) from wrong
    if _bytes(pack.key) != trusted.public_bytes_raw():
        raise Invalid("the pack was signed with another key than the trusted one", field=PACK)
    try:
        trusted.verify(_bytes(pack.signature), pack.content)
    except InvalidSignature:
        raise Invalid("the signature does not fit the pack: it was changed", field=PACK) from None
    named = {entry.file: entry for entry in pack.rules}
    if strange := sorted(files.keys() ^ named.keys()):
        where = (
            "the folder, and the pack does not name it" if strange[0] in files else "the pack, and not in the folder"
        )
        raise Invalid(f"{strange[0]} is in {where}", field=strange[0])
    documents = {}
    for file, entry in named.items():
        document = load(files[file])
        if (document.digest, document.id, document.version) != (entry.digest, entry.rule, entry.version):
            raise Invalid(f"{file}: its text is not the one that was signed", field=file)
        documents[file] = document
    return documents


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
