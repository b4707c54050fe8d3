"""What we take from others is listed whole, and nothing secret lies in what we give away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from tests.architecture.sources import ROOT, files, name_of
from tests.architecture.test_tracked_text import LOCKS, requirement_names

EXPLAINED = ROOT / "tests" / "architecture" / "explained_secrets.toml"
NOT_SCANNED = {
    name_of(EXPLAINED): "digests of what it explains",
    "package-lock.json": "hashes of packages",
}
_SHAPES = [
    {"name": name}
    for name in (
        "AWSKeyDetector",
        "AzureStorageKeyDetector",
        "GitHubTokenDetector",
        "GitLabTokenDetector",
        "JwtTokenDetector",
        "NpmDetector",
        "OpenAIDetector",
        "PrivateKeyDetector",
        "PypiTokenDetector",
        "SlackDetector",
        "StripeDetector",
    )
]
"""Secrets that look like nothing else."""

_GUESSES = [
    {"name": "BasicAuthDetector"},
    {"name": "KeywordDetector"},
    {"name": "Base64HighEntropyString", "limit": 4.5},
    {"name": "HexHighEntropyString", "limit": 3.0},
]
"""Looked for in code and configuration; tests' passwords are invented and open nothing."""

_CONFIGURING = {"", ".cfg", ".example", ".in", ".ini", ".py", ".sh", ".toml", ".yaml", ".yml"}


def secrets_in(paths: list[Path]) -> set[tuple[str, str]]:
    """File and digest of everything that looks like a secret."""
    found = SecretsCollection(root=str(ROOT))
    shaped = [path for path in paths if path.is_relative_to(ROOT) and _invented_or_prose(path)]
    guessed = [path for path in paths if path not in shaped]
    for chosen, plugins in ((shaped, _SHAPES), (guessed, _SHAPES + _GUESSES)):
        with transient_settings({"plugins_used": plugins}):
            for path in chosen:
                found.scan_file(name_of(path) if path.is_relative_to(ROOT) else str(path))
    return {(name, secret.secret_hash) for name, secret in found}


def _invented_or_prose(path: Path) -> bool:
    return name_of(path).startswith("tests/") or path.suffix not in _CONFIGURING


def scanned() -> list[Path]:
    """Text that is, or is about to be, under version control."""
    return [path for path in files() if name_of(path) not in NOT_SCANNED and path not in LOCKS]


def explained() -> dict[tuple[str, str], str]:
    listed = tomllib.loads(EXPLAINED.read_text(encoding="utf-8")).get("looks-secret", [])
    return {(each["file"], each["digest"]): each["why"] for each in listed}


def test_nothing_secret_is_under_version_control() -> None:
    found, known = secrets_in(scanned()), explained()
    assert sorted(found - known.keys()) == [], "a secret; or say in explained_secrets.toml why it is none"
    assert sorted(known.keys() - found) == [], "explained, and not there any more"
    assert all(known.values())


@pytest.mark.parametrize(
    "line",
    [
        'password = "' + "zV7-quartz-9Lm" + '"',
        "https://phis:" + "zV7quartz9Lm@db.example.org/",
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        'key = "' + "A9f3Kz0Qw8Lr5Xc2Vb7Nm4Ty6Ui1Op3As5Df7Gh9Jk2=" + '"',
        "AKIA" + "Z7QWERTYUIOPASDF",
    ],
)
def test_a_secret_is_found(tmp_path: Path, line: str) -> None:
    """The scan's own teeth."""
    place = tmp_path / "settings.py"
    place.write_text(line + "\n", encoding="utf-8")
    assert secrets_in([place])


def bill(target: Path) -> dict[str, Any]:
    subprocess.run(
        [sys.executable, "-W", "error", "setup/sbom.py", str(target)], cwd=ROOT, check=True, capture_output=True
    )
    read: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return read


def locked() -> set[str]:
    """Every package of every lock, as a package URL."""
    listed = set()
    for lock in LOCKS:
        for name, rest in requirement_names(lock.read_text(encoding="utf-8")).items():
            version = re.match(r"==([^\s;]+)", rest)
            assert version, (lock, name)
            listed.add(f"pkg:pypi/{name}@{version[1]}")
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    named = {place.rpartition("node_modules/")[2]: each["version"] for place, each in packages.items() if place}
    return listed | {f"pkg:npm/{name.replace('@', '%40')}@{version}" for name, version in named.items()}


def missing(made: dict[str, Any]) -> set[str]:
    return locked() - {each["purl"] for each in made["components"]}


def test_the_bill_of_materials_lists_every_locked_package_with_its_hashes(tmp_path: Path) -> None:
    made = bill(tmp_path / "one.json")
    assert missing(made) == set()
    assert {each["purl"] for each in made["components"]} - locked() == set()
    assert all(each.get("hashes") or each["properties"] for each in made["components"])
    scopes = {each["name"]: each["scope"] for each in made["components"]}
    assert (scopes["fastapi"], scopes["htmx.org"], scopes["pytest"], scopes["axe-core"]) == (
        "required",
        "required",
        "excluded",
        "excluded",
    )
    short = {**made, "components": made["components"][1:]}
    assert missing(short) == {made["components"][0]["purl"]}, "the comparison can fail"


def test_the_same_locks_give_the_same_bill(tmp_path: Path) -> None:
    bill(tmp_path / "one.json")
    bill(tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert "timestamp" not in (tmp_path / "one.json").read_text(encoding="utf-8")
