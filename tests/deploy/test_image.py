"""The Dockerfile is not built here; what it names exists, and what it does can be done."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import subprocess

import pytest
from packaging.requirements import Requirement

from tests.architecture.sources import ROOT, packages, pyproject
from tests.deploy.compose import OURS, services
from tests.deploy.test_compose import exact_version

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n", " ", TEXT).splitlines()


def instructions(word: str, lines: list[str] = LINES) -> list[str]:
    return [line.removeprefix(word).strip() for line in lines if line.startswith(f"{word} ")]


def sources(line: str) -> list[str]:
    """What a COPY takes from the build context; nothing when it copies from another stage."""
    words = shlex.split(line)
    return [] if words[0].startswith("--from") else words[:-1]


def let_in(path: str, ignore: str) -> bool:
    """Whether .dockerignore, which begins by leaving everything out, lets a path into the build context."""
    rules = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    allowed = [rule[1:].rstrip("/") for rule in rules if rule.startswith("!")]
    return rules[0] == "*" and any(path.rstrip("/") == rule or path.startswith(f"{rule}/") for rule in allowed)


def test_what_is_copied_exists_and_is_let_in() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    wanted = [path for line in instructions("COPY") for path in sources(line)]
    assert [path for path in wanted if not (ROOT / path).exists()] == []
    assert [path for path in wanted if not let_in(path, ignore)] == []


def test_every_package_is_copied() -> None:
    copied = {path.rstrip("/") for line in instructions("COPY") for path in sources(line)}
    assert set(packages()) <= copied


def test_base_images_have_exact_versions() -> None:
    images = [line.partition("=")[2] for line in instructions("ARG") if "_IMAGE=" in line]
    assert images
    assert all(exact_version(image) for image in images)
    assert all(line.startswith("${") for line in instructions("FROM")), "an image that no ARG names"


def test_everything_that_pip_installs_is_locked_or_built_here() -> None:
    installs = re.findall(r"pip install ([^&]*)", "\n".join(LINES))
    assert installs
    assert all("--require-hashes" in each or "/wheels/" in each for each in installs)


def test_the_last_stage_is_not_root_and_starts_phis() -> None:
    assert instructions("USER")[-1] == "10001:10001"
    assert instructions("ENTRYPOINT") == ['["phis"]']
    assert "HEALTHCHECK" in TEXT


def test_the_chosen_build_tools_are_all_that_building_needs() -> None:
    """The Dockerfile picks them out of the development lock with awk: the same awk, tried on the same file."""
    program = re.search(r"awk '([^']+)'", "\n".join(LINES))
    assert program
    picked = subprocess.run(
        ["awk", program.group(1), str(ROOT / "requirements" / "dev.txt")], check=True, capture_output=True, text=True
    ).stdout
    names = set(re.findall(r"^([a-z0-9-]+)==", picked, re.MULTILINE))
    assert picked.count("--hash=") >= len(names)
    assert names == closure("hatchling")
    assert f"hatchling=={pyproject()['build-system']['requires'][0].removeprefix('hatchling==')} " in picked


def closure(name: str) -> set[str]:
    """A distribution and all it requires in this environment."""
    found = {name}
    for text in importlib.metadata.requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found |= closure(requirement.name)
    return found


@pytest.mark.parametrize("name", sorted(OURS))
def test_commands_and_their_options_exist(name: str) -> None:
    command, *options = services()[name]["command"]
    assert missing(command, options) == []


def missing(command: str, options: list[str]) -> list[str]:
    """What `phis` does not know of a command line."""
    from typer.main import get_command

    from runtime.cli.commands import app

    root = get_command(app)
    commands = getattr(root, "commands", {})
    if command not in commands:
        return [command]
    known = {name for parameter in commands[command].params for name in parameter.opts}
    return [option for option in options if option.startswith("-") and option.partition("=")[0] not in known]


def test_the_checks_can_fail() -> None:
    assert missing("serve", []) == ["serve"]
    assert missing("server", ["--colour"]) == ["--colour"]
    assert sources("--from=build /opt/phis /opt/phis") == []
    assert sources("pyproject.toml LICENSE ./") == ["pyproject.toml", "LICENSE"]
    assert not let_in(".env", "*\n!domain/\n")
    assert let_in("domain/", "*\n!domain/\n")
    assert not let_in("domain/", "!domain/\n")
    assert not exact_version("python:3.11-slim")
    assert not exact_version("node")
