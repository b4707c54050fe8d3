"""What is locked is newer than what is known to be broken, and the age of that knowledge is told."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from runtime.advisories import STALE, Advisories, advisories
from tests.architecture.sources import ROOT
from tests.architecture.test_tracked_text import requirement_names

SOURCE = re.compile(r"https://github\.com/advisories/GHSA(-[23456789cfghjmpqrvwx]{4}){3}")
LOCKS = ("base.txt", "dev.txt")


def locked(name: str) -> dict[str, str]:
    """Package → version of a lock."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return {package: rest.removeprefix("==").split()[0] for package, rest in requirement_names(text).items()}


def broken(table: Advisories, versions: dict[str, str]) -> list[str]:
    return [each.id for each, _ in table.unmended(versions.get)]


@pytest.mark.parametrize("lock", LOCKS)
def test_no_locked_package_has_a_known_advisory(lock: str) -> None:
    assert broken(advisories(), locked(lock)) == []


def test_nothing_that_is_installed_has_a_known_advisory() -> None:
    assert advisories().unmended() == []


def test_every_advisory_is_about_something_that_we_lock() -> None:
    known = {package for lock in LOCKS for package in locked(lock)}
    assert {each.package for each in advisories().listed} <= known


def test_each_says_where_it_stands_and_when_it_was_read() -> None:
    for each in advisories().listed:
        assert SOURCE.fullmatch(each.source) or each.source == f"https://nvd.nist.gov/vuln/detail/{each.id}"
        assert each.checked <= advisories().reviewed
        assert each.what


def test_an_older_version_is_found() -> None:
    older = {"mako": "1.3.11", "python-multipart": "0.0.26", "h11": "0.16.0"}
    assert broken(advisories(), older) == ["CVE-2026-42561", "CVE-2026-44307"]


@pytest.mark.parametrize(
    ("installed", "mended"),
    [
        ("1.6.9", True),
        ("1.6.10", True),
        ("1.10", True),
        ("2", True),
        ("1.6.9.post1", True),
        ("1.6.8", False),
        ("1.6", False),
    ],
)
def test_versions_are_compared_as_numbers(installed: str, mended: bool) -> None:
    authlib = next(each for each in advisories().listed if each.package == "authlib" and each.minimum == "1.6.9")
    assert authlib.mended_in(installed) is mended


def test_the_age_of_the_table_is_told() -> None:
    table = advisories()
    assert table.age(table.reviewed + timedelta(days=3)) == timedelta(days=3)
    assert not table.stale(table.reviewed + STALE)
    assert table.stale(table.reviewed + STALE + timedelta(days=1))
    assert table.reviewed >= date(2026, 11, 24)
