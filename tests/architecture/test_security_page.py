"""The security page names for every control where it lives and what holds it, and both are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "security.md"
_PATH = re.compile(r"`([a-z_0-9]+(?:/[a-z_0-9*.-]+)*/?(?:\.\w+)?)`( ¹)?")
_TEETH = re.compile(r"def test_\w*(teeth|switched_off|without|unguarded|unprotected|_off_|absence|would|unsealed)")


class Control(NamedTuple):
    against: str
    what: str
    where: str
    held: str


def controls(text: str) -> list[Control]:
    """Rows of the first table: controls that exist."""
    table = text.partition("## Controls that exist")[2].partition("\n¹")[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [Control(*(cell.strip(" |") for cell in row)) for row in rows[2:] if len(row) == 4]


def wrong(control: Control) -> list[str]:
    """What a row promises and is not there."""
    tests = [(ROOT / path, bool(teeth)) for path, teeth in _PATH.findall(control.held) if path.startswith("tests/")]
    told = [] if tests else ["names no test"]
    told += [f"{path} is not there" for path, _ in tests if not path.exists()]
    told += [f"{path} has no run without the control" for path, teeth in tests if teeth and not has_teeth(path)]
    lives = [path for path, _ in _PATH.findall(control.where) if "/" in path]
    return told + [f"{path} is not there" for path in lives if not list(ROOT.glob(path.rstrip("/")))]


def has_teeth(path: Path) -> bool:
    sources = path.rglob("test_*.py") if path.is_dir() else [path]
    return any(_TEETH.search(each.read_text(encoding="utf-8")) for each in sources)


def test_the_page_has_its_controls() -> None:
    assert len(controls(PAGE.read_text(encoding="utf-8"))) > 50


@pytest.mark.parametrize("control", controls(PAGE.read_text(encoding="utf-8")), ids=lambda each: each.against[:40])
def test_a_control_lives_where_the_page_says_and_its_test_is_there(control: Control) -> None:
    assert wrong(control) == []


@pytest.mark.parametrize(
    "row",
    [
        Control("x", "y", "`api/guards.py`", "tests"),
        Control("x", "y", "`api/nothing_here.py`", "`tests/api/test_doors.py`"),
        Control("x", "y", "`api/guards.py`", "`tests/api/test_nothing_here.py`"),
        Control("x", "y", "`api/guards.py`", "`tests/architecture/test_time.py` ¹"),
    ],
)
def test_a_row_that_promises_too_much_is_found(row: Control) -> None:
    assert wrong(row)
