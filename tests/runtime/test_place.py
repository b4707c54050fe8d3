"""The data folder: one owner, room enough, and secrets that stay."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from domain.errors import Misconfigured
from runtime.directory import kept_secrets, write_private
from runtime.supervisor import place
from store.sealing import KeyRing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_second_owner_is_refused_and_told_who_the_first_is(folder: Path) -> None:
    first = place.take(folder)
    with pytest.raises(Misconfigured, match=rf"in use by process {os.getpid()}.*--data-dir"):
        place.take(folder)
    first.leave()
    place.take(folder).leave()


def test_a_folder_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(Misconfigured, match="/proc/phis cannot be made"):
        place.take(Path("/proc/phis"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    with pytest.raises(Misconfigured, match="cannot be written to"):
        place.take(folder)


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    folder.write_text("x", encoding="utf-8")
    with pytest.raises(Misconfigured, match="is a file"):
        place.take(folder)


def test_a_full_disk_is_refused_before_anything_starts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=12 << 20))
    with pytest.raises(Misconfigured, match=r"has 12 MB left.*make room"):
        place.take(folder)


def test_a_disk_that_fills_up_while_a_secret_is_written_leaves_the_old_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder.mkdir()
    kept = folder / "keys"
    write_private(kept, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Misconfigured, match="no space left on device"):
        write_private(kept, "new")
    assert kept.read_text(encoding="utf-8") == "old"
    assert [file.name for file in folder.iterdir()] == ["keys"]


def test_keys_are_made_once_and_only_we_can_read_them(folder: Path) -> None:
    taken = place.take(folder)
    text = taken.keys()
    assert KeyRing.parse(text) == KeyRing.parse(taken.keys())
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o600
    taken.leave()


def test_secrets_are_kept_and_new_names_added(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    first = kept_secrets(file, ["a", "b"])
    assert kept_secrets(file, ["a", "b", "c"]).items() >= first.items()
    assert len(set(kept_secrets(file, []).values())) == 3


def test_secrets_that_cannot_be_read_are_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(Misconfigured, match="restore it from a backup"):
        kept_secrets(file, ["a"])
    assert file.read_text(encoding="utf-8") == "{"


def test_a_throw_away_folder_is_gone_afterwards() -> None:
    taken = place.take(None, ephemeral=True)
    assert taken.directory.is_dir()
    taken.leave()
    assert not taken.directory.exists()


def test_a_command_finds_what_runs_over_a_folder_and_says_when_nothing_does(folder: Path) -> None:
    taken = place.take(folder)
    taken.publish({"PHIS_PORT": "8000"})
    assert place.running(folder) == {"PHIS_PORT": "8000"}
    taken.publish(None)
    with pytest.raises(Misconfigured, match="No phis up runs over"):
        place.running(folder)
    taken.leave()
