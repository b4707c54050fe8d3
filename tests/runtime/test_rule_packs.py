"""A hospital's rules leave as files and come back as drafts; a network's come as a signed pack."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.conninfo import conninfo_to_dict

from domain.decisions import DecisionPoint
from domain.errors import Conflict, Invalid, Misconfigured
from domain.roles import Role
from rules.bundle import Bundle
from runtime.cli import rule_packs
from runtime.shipping import ship_rules
from store import accounts
from store.database import Database
from store.rules import drafts, shared, versions
from store.sealing import KeyRing
from tests.rule_texts import published, raw, text
from tests.store.values import Urls

POINT = DecisionPoint.BED_ASSIGNMENT_DUE


@pytest.fixture
def _reachable(urls: Urls, keys: KeyRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (("", urls.app), ("SYSTEM_", urls.system), ("MIGRATE_", urls.migrate)):
        monkeypatch.setenv(f"PHIS_DATABASE_{name}URL", address(value))
    monkeypatch.setenv("PHIS_KEYS", keys.text)


def address(conninfo: str) -> str:
    """As settings write it."""
    return "postgresql:///?" + urlencode(conninfo_to_dict(conninfo))


def key_files(folder: Path) -> tuple[Path, Path]:
    key, private, public = Ed25519PrivateKey.generate(), folder / "key.pem", folder / "trust.pem"
    private.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.mark.usefixtures("_reachable")
async def test_rules_go_through_files_and_come_back_the_same(database: Database, hospital: str, tmp_path: Path) -> None:
    own = text(hospital, minutes=5)
    async with database.transaction(hospital) as tx:
        await published(tx, own, datetime.now(UTC))
        await accounts.create_account(
            tx, name="analyst", display_ko="분석", display_en="Analyst", roles=[Role.ANALYST], password_hash="x"
        )
    folder = tmp_path / "ours"
    assert await rule_packs.export(hospital, folder, None, everything=False) == 1
    (file,) = folder.iterdir()
    assert file.name == f"{hospital}.{POINT}.json"
    assert await rule_packs.import_drafts(folder, hospital, "analyst", None) == (0, 1)
    edited = json.loads(file.read_text()) | {"version": "2.1.0"}
    file.write_text(json.dumps(edited))
    assert await rule_packs.import_drafts(folder, hospital, "analyst", None) == (1, 0)
    async with database.transaction(hospital) as tx:
        (draft,) = await drafts.listed(tx)
    assert (draft.version, draft.state, draft.saved_by) == ("2.1.0", "draft", "analyst")
    file.write_text(json.dumps(edited | {"logic": {"var": "nothing"}}))
    with pytest.raises(Invalid, match=file.name):
        await rule_packs.import_drafts(folder, hospital, "analyst", None)


@pytest.mark.usefixtures("_reachable")
async def test_a_networks_pack_applies_in_its_hospitals(
    database: Database, urls: Urls, hospital: str, tmp_path: Path
) -> None:
    await ship_rules(urls.migrate, now=datetime.now(UTC))
    await shared.join(urls.migrate, hospital, "river")
    private, public = key_files(tmp_path)
    folder = tmp_path / "pack"
    folder.mkdir()
    document = raw(hospital, minutes=7) | {"scope": {"level": "network", "place": "river"}}
    (folder / "due.json").write_text(json.dumps(document))
    with pytest.raises(Misconfigured, match="openssl"):
        rule_packs.sign_folder(folder, "river", public)
    assert rule_packs.sign_folder(folder, "river", private) == 1
    assert await rule_packs.import_shared(folder, public, None) == 1
    assert await rule_packs.import_shared(folder, public, None) == 0
    async with database.transaction(hospital) as tx:
        network, kept = await versions.applying(tx)
    chosen = Bundle(hospital, network, kept).resolve(POINT, datetime.now(UTC)).chosen
    assert chosen is not None
    assert (chosen.scope.place, chosen.version) == ("river", "2.0.0")
    (folder / "due.json").write_text(json.dumps(document | {"version": "1.9.0"}))  # an old pack, found again
    rule_packs.sign_folder(folder, "river", private)
    with pytest.raises(Conflict, match="a newer version is kept"):
        await rule_packs.import_shared(folder, public, None)
    (folder / "due.json").write_text(json.dumps(document | {"owner": "somebody"}))
    with pytest.raises(Invalid, match="not the one that was signed"):
        await rule_packs.import_shared(folder, public, None)
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "due.json").write_text(json.dumps(raw(hospital)))
    rule_packs.sign_folder(ours, "river", private)
    with pytest.raises(Invalid, match="come as drafts"):
        await rule_packs.import_shared(ours, public, None)
