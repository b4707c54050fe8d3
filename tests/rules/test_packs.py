"""A pack is taken as it was signed, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.errors import Invalid
from rules.library import shipped
from rules.packs import opened, sign

KEY = Ed25519PrivateKey.generate()
DOCUMENTS = {f"{rule.id}.json": rule for rule in list(shipped().values())[:3]}
FILES = {name: json.loads(rule.canonical) for name, rule in DOCUMENTS.items()}
PACK = sign(DOCUMENTS, publisher="river", made_at=datetime(2026, 11, 23, tzinfo=UTC), key=KEY).model_dump(mode="json")
FIRST = next(iter(DOCUMENTS))


def test_a_pack_brings_the_very_documents_that_were_signed() -> None:
    found = opened(json.loads(json.dumps(PACK)), FILES, KEY.public_key())
    assert {name: rule.digest for name, rule in found.items()} == {n: rule.digest for n, rule in DOCUMENTS.items()}


def _edited(files: dict[str, Any]) -> None:
    files[FIRST]["owner"] = "somebody-else"


@pytest.mark.parametrize(
    ("pack", "change", "says"),
    [
        (PACK, _edited, f"{FIRST}: its text is not the one that was signed"),
        (PACK, lambda files: files.pop(FIRST), f"{FIRST} is in the pack, and not in the folder"),
        (
            PACK,
            lambda files: files.update({"more.json": files[FIRST]}),
            "more.json is in the folder, and the pack does",
        ),
        (PACK | {"publisher": "nation"}, None, "it was changed"),
        (PACK | {"rules": PACK["rules"][:2]}, None, "it was changed"),
        (PACK | {"signature": "!"}, None, "it was changed"),
        (PACK | {"key": PACK["signature"]}, None, "another key"),
        (PACK | {"more": 1}, None, "no pack"),
        ([], None, "no pack"),
    ],
)
def test_what_was_changed_on_its_way_is_refused(
    pack: Any, change: Callable[[dict[str, Any]], object] | None, says: str
) -> None:
    files = json.loads(json.dumps(FILES))
    if change:
        change(files)
    with pytest.raises(Invalid, match=says):
        opened(pack, files, KEY.public_key())


def test_another_signer_is_not_believed() -> None:
    with pytest.raises(Invalid, match="another key"):
        opened(PACK, FILES, Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize(
    ("file", "publisher", "says"),
    [
        ("../x.json", "river", "'../x.json' is no file's name for a pack"),
        ("my rule.json", "river", "'my rule.json' is no file's name"),
        (FIRST, "River Net", "'River Net' is no publisher's code"),
    ],
)
def test_names_that_no_pack_has_are_told(file: str, publisher: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        sign({file: DOCUMENTS[FIRST]}, publisher=publisher, made_at=datetime.now(UTC), key=KEY)
