"""What another account can reach, and programs copied to where it can."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from runtime import unprivileged
from runtime.children import Account
from runtime.unprivileged import can_reach, reachable_copy

STRANGER = Account(uid=54_321, gid=54_321, name="stranger")


@pytest.fixture
def programs(tmp_path: Path) -> list[Path]:
    """A program and its library, under a folder that is closed to others."""
    closed = tmp_path / "closed"
    (closed / "package" / "bin").mkdir(parents=True)
    (closed / "package" / "bin" / "server").write_text("program", encoding="utf-8")
    (closed / "package" / "bin" / "server").chmod(0o700)
    (closed / "libs").mkdir()
    (closed / "libs" / "lib.so").write_text("library", encoding="utf-8")
    closed.chmod(0o700)
    return [closed / "package", closed / "libs"]


@pytest.fixture(autouse=True)
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ours"
    monkeypatch.setattr(unprivileged, "OURS", folder)
    return folder


def test_a_closed_folder_anywhere_above_is_out_of_reach(programs: list[Path]) -> None:
    assert not can_reach(programs[0], STRANGER)
    assert can_reach(Path("/usr/bin"), STRANGER)
    closed = programs[0].parent
    owner = Account(closed.stat().st_uid, closed.stat().st_gid, "owner")
    assert can_reach(closed, owner)
    assert not can_reach(closed, STRANGER)


def test_programs_out_of_reach_are_copied_once_with_their_layout(programs: list[Path], ours: Path) -> None:
    before = stat.S_IMODE(programs[0].parent.stat().st_mode)
    copy = reachable_copy(programs, STRANGER)
    assert ours in copy.parents
    assert (copy / "package" / "bin" / "server").read_text(encoding="utf-8") == "program"
    assert stat.S_IMODE((copy / "package" / "bin" / "server").stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "libs" / "lib.so").stat().st_mode) == 0o644
    made = (copy / "libs" / "lib.so").stat().st_ino
    assert reachable_copy(programs, STRANGER) == copy
    assert (copy / "libs" / "lib.so").stat().st_ino == made
    assert stat.S_IMODE(programs[0].parent.stat().st_mode) == before


def test_an_altered_copy_is_not_used(programs: list[Path]) -> None:
    copy = reachable_copy(programs, STRANGER)
    (copy / "package" / "bin" / "server").write_text("altered", encoding="utf-8")
    again = reachable_copy(programs, STRANGER)
    assert (again / "package" / "bin" / "server").read_text(encoding="utf-8") == "program"


def test_a_newer_program_gets_a_copy_of_its_own(programs: list[Path]) -> None:
    old = reachable_copy(programs, STRANGER)
    (programs[0] / "bin" / "server").write_text("program 2", encoding="utf-8")
    new = reachable_copy(programs, STRANGER)
    assert new != old
    assert (new / "package" / "bin" / "server").read_text(encoding="utf-8") == "program 2"
