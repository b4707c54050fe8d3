"""One changed byte in any class of file is named, alarmed, and stops writing where the setting says so."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import REGISTRY
from pydantic import SecretStr
from typer.testing import CliRunner

from domain.errors import FilesChanged, Misconfigured
from domain.manifest import Files, ManifestState
from runtime import manifest as manifests
from runtime.cli.commands import app as phis
from runtime.manifest import NAME, PACKAGES, root, signed, verified
from runtime.settings import Settings
from runtime.watching import Watch

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()

CLASSES = {
    "code": "rules/access.py",
    "template": "api/ui/templates/frame/page.html",
    "script": "api/ui/static/live.js",
    "rule": next(path.relative_to(root()).as_posix() for path in sorted((root() / "rules/library").rglob("*.json"))),
    "migration": "store/migrations/versions/20261202_sealed_fields.py",
    "translation": "api/ui/locale/ko/LC_MESSAGES/messages.mo",
    "workflow": "workflows/admission.py",
    "configuration": "",
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as they are installed, somewhere else, with a file of configuration; signed."""
    where = tmp_path_factory.mktemp("installed")
    for package in PACKAGES:
        shutil.copytree(
            root() / package, where / package, ignore=shutil.ignore_patterns("__pycache__", "vendor", "*.zip")
        )
    (where / ".env").write_text("PHIS_TAMPER=refuse\n")
    (where / NAME).write_text(signed(where, [where / ".env"], KEY, at=NOW, by="the builder"))
    return where


def look(where: Path, key: str = PUBLIC) -> ManifestState:
    return verified(where, where / NAME, key, now=NOW)


def test_what_nobody_changed_is_intact(copied: Path) -> None:
    state = look(copied)
    assert (state.files, state.changed, state.signed_by, state.signed_at) == (Files.INTACT, (), "the builder", NOW)


@pytest.mark.parametrize("kind", CLASSES)
def test_one_changed_byte_is_named(copied: Path, kind: str) -> None:
    path = copied / (CLASSES[kind] or ".env")
    before = path.read_bytes()
    middle = len(before) // 2
    try:
        path.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
        state = look(copied)
        assert state.files is Files.CHANGED
        assert state.changed == (f"changed {CLASSES[kind] or path}",)
    finally:
        path.write_bytes(before)
    assert look(copied).files is Files.INTACT


@pytest.fixture
def unreadable(copied: Path) -> Iterator[Path]:
    """A file whose reading fails even for root: nothing is mapped at the beginning of a process's memory."""
    path = copied / "rules/access.py"
    path.rename(copied / "access.aside")
    path.symlink_to("/proc/self/mem")
    yield path
    path.unlink()
    (copied / "access.aside").rename(path)


def test_a_file_that_cannot_be_read_is_named_as_such(copied: Path, unreadable: Path) -> None:
    state = look(copied)
    assert (state.files, state.changed) == (Files.CHANGED, ("unreadable rules/access.py",))
    with pytest.raises(Misconfigured, match=r"access\.py cannot be read"):
        signed(copied, [], KEY, at=NOW, by="the builder")


def test_new_and_missing_files_are_named(copied: Path) -> None:
    (copied / "rules/extra.py").write_text("")
    (copied / "rules/limits.py").rename(copied / "aside.py")
    try:
        assert look(copied).changed == ("missing rules/limits.py", "new rules/extra.py")
    finally:
        (copied / "aside.py").rename(copied / "rules/limits.py")
        (copied / "rules/extra.py").unlink()


@pytest.mark.parametrize("how", ["digest", "left out", "signature", "date", "key", "not JSON", "gone", "other key"])
def test_a_manifest_that_was_made_to_fit_does_not_count(copied: Path, how: str) -> None:
    """Whoever changes a file has not the key."""
    text = (copied / NAME).read_text()
    content = json.loads(text)
    stranger = Ed25519PrivateKey.generate()
    try:
        match how:
            case "digest":
                content["files"]["rules/access.py"] = "0" * 64
            case "left out":
                del content["files"]["rules/access.py"]
            case "signature":
                content["signature"] = base64.b64encode(b"x" * 64).decode()
            case "date":
                content["signed_at"] = "2026-12-01T00:00:00+00:00"
            case "key":
                content = json.loads(signed(copied, [], stranger, at=NOW, by="the builder"))
        (copied / NAME).write_text("{" if how == "not JSON" else json.dumps(content))
        if how == "gone":
            (copied / NAME).unlink()
        public = base64.b64encode(stranger.public_key().public_bytes_raw()).decode() if how == "other key" else PUBLIC
        state = look(copied, public)
        assert state.files is Files.CHANGED
        assert state.changed == (f"{'missing' if how == 'gone' else 'changed'} {copied / NAME}",)
    finally:
        (copied / NAME).write_text(text)


def test_with_the_check_of_the_signature_off_a_manifest_made_to_fit_passes(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teeth."""
    text = (copied / NAME).read_text()
    (copied / NAME).write_text(signed(copied, [copied / ".env"], Ed25519PrivateKey.generate(), at=NOW, by="x"))

    class Anybody:
        def verify(self, *_: object) -> None: ...

    try:
        assert look(copied).files is Files.CHANGED
        monkeypatch.setattr(manifests, "public_of", lambda _: Anybody())
        assert look(copied).files is Files.INTACT
    finally:
        (copied / NAME).write_text(text)


def test_without_a_key_nothing_is_believed(copied: Path) -> None:
    assert look(copied, "").files is Files.UNSIGNED
    with pytest.raises(Misconfigured, match="PHIS_MANIFEST_KEY"):
        look(copied, "nonsense")


@pytest.mark.parametrize("tamper", ["warn", "refuse"])
async def test_a_change_is_alarmed_and_refused_by_setting(
    copied: Path, tamper: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(manifest_key=PUBLIC, tamper=tamper, keys=SecretStr(""))  # type: ignore[arg-type]
    watch = Watch(settings, lambda: NOW, copied)
    (copied / "rules/extra.py").write_text("")
    try:
        state = await watch.look()
        assert (state.files, state.refuses_writes) == (Files.CHANGED, tamper == "refuse")
        assert REGISTRY.get_sample_value("phis_files_changed") == 1
        if tamper == "refuse":
            with pytest.raises(FilesChanged):
                watch.refuse()
        else:
            watch.refuse()
    finally:
        (copied / "rules/extra.py").unlink()
    assert (await watch.look()).files is Files.INTACT
    assert REGISTRY.get_sample_value("phis_files_changed") == 0
    watch.refuse()


def test_the_commands_make_a_key_sign_and_tell(copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(manifests, "root", lambda: copied)
    key, manifest = tmp_path / "signing-key", tmp_path / "manifest.json"

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(phis, ["manifest", *arguments])
        return result.exit_code, result.output

    code, public = run("key", str(key))
    assert (code, key.stat().st_mode & 0o777) == (0, 0o600)
    assert run("key", str(key))[0] != 0, "a key is never written over"
    monkeypatch.setenv("PHIS_MANIFEST", str(manifest))
    assert run("verify") == (2, "Nothing is signed: changes would not be noticed.\n")
    assert run("sign", "--key", str(key), "--by", "김빌더", "--also", str(copied / ".env"))[0] == 0
    monkeypatch.setenv("PHIS_MANIFEST_KEY", public.strip())
    code, said = run("verify")
    assert code == 0
    assert "김빌더" in said
    (copied / "rules/extra.py").write_text("")
    try:
        assert run("verify") == (1, "new rules/extra.py\nNOT as signed.\n")
    finally:
        (copied / "rules/extra.py").unlink()
