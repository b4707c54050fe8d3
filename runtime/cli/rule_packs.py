"""What `phis rules export`, `sign` and `import` do: rules as files, so that a hospital keeps them in git."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from domain.errors import Invalid, Misconfigured, RuleUnusable
from rules.bundle import Bundle
from rules.checking.checker import check
from rules.document import Level, RuleDocument, load
from rules.engine import RuleEngine
from rules.json_texts import NotJson, parsed
from rules.packs import PACK, opened, sign
from rules.points import shipped_registry
from rules.proof import prove
from rules.resolution import Published
from rules.texts import text_of
from runtime.cli.database import opened as database_of
from runtime.cli.database import reachable_settings
from store import accounts, audit, clocks
from store.audit import AuditAction
from store.database import Database
from store.rules import drafts, shared, versions
from store.rules.shared import SharedText

_OURS = frozenset({Level.HOSPITAL, Level.DEPARTMENT})


async def export(hospital: str, folder: Path, data_dir: Path | None, *, everything: bool) -> int:
    """Write what applies, or will, as files; returns how many. everything: national and network rules, too."""
    async with database_of(reachable_settings(data_dir)) as database, database.transaction(hospital) as tx:
        now = (await clocks.clock_of(tx)).at(datetime.now(UTC))
        network, kept = await versions.applying(tx)
        bundle = Bundle(hospital, network, kept)
        found = {
            _file(one): bundle.document(one.digest)
            for one in sorted(bundle.published(), key=lambda one: one.published_at)
            if (everything or one.scope.level in _OURS) and (one.effective.until is None or one.effective.until > now)
        }
        await audit.record(
            tx, action=AuditAction.EXPORT, actor="phis-rules", detail="rules", at=datetime.now(UTC), found=len(found)
        )
    _write_all(folder, found)
    return len(found)


def sign_folder(folder: Path, publisher: str, key_file: Path) -> int:
    """Check every document of a folder, and write its pack; returns how many there are."""
    documents = {file.name: _sound(file.name, _json(file)) for file in _files(folder)}
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{key_file} holds no Ed25519 key: openssl genpkey -algorithm ed25519 -out KEY.pem")
    pack = sign(documents, publisher=publisher, made_at=datetime.now(UTC), key=key)
    _write(folder / PACK, pack.model_dump(mode="json"))
    return len(documents)


async def import_shared(folder: Path, trust: Path, data_dir: Path | None) -> int:
    """Keep the national and network rules of a pack whose key is trusted; returns how many were new."""
    key = _trusted(trust)
    raw = _json(folder / PACK)
    documents = opened(raw, {file.name: _json(file) for file in _files(folder)}, key)
    for name, document in documents.items():
        _sound(name, json.loads(document.canonical))
        if document.scope.level in _OURS:
            raise Invalid("a pack holds national and network rules; a hospital's own come as drafts", field=name)
    settings = reachable_settings(data_dir).require("database_migrate_url")
    texts = [
        SharedText(text=text_of(document), since=document.effective.since, until=document.effective.until)
        for document in documents.values()
    ]
    url = settings.database_migrate_url.get_secret_value()
    new, _ = await shared.put(url, texts, signer=str(raw["publisher"]), now=datetime.now(UTC))
    return new


async def import_drafts(folder: Path, hospital: str, account: str, data_dir: Path | None) -> tuple[int, int]:
    """Make a draft of each document that is not in force as it is: new, and left as they were. They go to review."""
    documents = {file.name: _sound(file.name, _json(file)) for file in _files(folder)}
    async with database_of(reachable_settings(data_dir)) as database:
        return await _drafts(database, documents, hospital, account)


async def _drafts(
    database: Database, documents: dict[str, RuleDocument], hospital: str, account: str
) -> tuple[int, int]:
    made = same = 0
    async with database.transaction(hospital) as tx:
        await accounts.account(tx, account)
        real = datetime.now(UTC)
        now = (await clocks.clock_of(tx)).at(real)
        network, kept = await versions.applying(tx)
        bundle = Bundle(hospital, network, kept)
        known = {one.digest for one in bundle.published()}
        for name, document in documents.items():
            place = document.scope.place
            if document.scope.level not in _OURS or place.partition("/")[0] != hospital:
                raise Invalid("not a rule of this hospital or of one of its departments", field=name)
            if document.digest in known:
                same += 1
                continue
            parent = bundle.parent(_as_published(document, now), now)
            text = text_of(document, parent.digest if parent else None)
            reason = document.rationale.en
            await drafts.begin(tx, uuid4(), text, reason=reason, by=account, now=now)
            await audit.record(
                tx, action=AuditAction.CREATE, actor=account, detail=f"rule-draft/{document.id}", at=real
            )
            made += 1
    return made, same


def _as_published(document: RuleDocument, now: datetime) -> Published:
    return Published(
        document.decision_point, document.id, document.version, document.digest, document.scope, document.effective, now
    )


def _sound(name: str, raw: Any) -> RuleDocument:
    """A document that may be saved and whose own tests pass. Raises Invalid with the file and the place."""
    for found in check(raw, shipped_registry()):
        if found.refuses:
            raise Invalid(f"{name}#{found.pointer}: {found.en}", field=name)
    try:
        document = load(raw)
        proof = prove(RuleEngine(), document)
    except RuleUnusable as unusable:
        raise Invalid(f"{name}: {unusable}", field=name) from unusable
    if not proof.passed:
        raise Invalid(f"{name}: its own tests do not pass", field=name)
    return document


def _file(one: Published) -> str:
    where = one.scope.place.replace("/", ".") or one.scope.level.value
    return f"{where}.{one.rule}.json"


def _files(folder: Path) -> list[Path]:
    found = sorted(file for file in folder.glob("*.json") if file.name != PACK)
    if not found:
        raise Invalid(f"{folder} holds no rule documents", field=str(folder))
    return found


def _json(file: Path) -> Any:
    try:
        return parsed(file.read_bytes())
    except NotJson as broken:
        raise Invalid(f"{file} is not JSON: {broken}", field=file.name) from None
    except OSError:
        raise Invalid(f"{file} cannot be read", field=file.name) from None


def _trusted(file: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(file.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"{file} holds no public Ed25519 key: openssl pkey -in KEY.pem -pubout -out TRUST.pem")
    return key


def _write_all(folder: Path, documents: dict[str, RuleDocument]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        _write(folder / name, json.loads(document.canonical))


def _write(file: Path, value: Any) -> None:
    """As git likes it: one member a line, members in order."""
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")
