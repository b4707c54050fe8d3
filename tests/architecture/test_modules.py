"""A module tells one story, opens by saying which, and is named for what it is about."""

from __future__ import annotations

import ast
import importlib.metadata
from pathlib import Path

import pytest

from tests.architecture.sources import files, modules, name_of, packages, pyproject, read

LONGEST = 350
MEANINGLESS = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
CONTRACTS = {
    "Rows import downwards, neighbours do not import each other",
    "Workflows know domain and signatures only",
    "Signatures know domain only",
    "Domain and rules know no framework",
}


def header(source: str) -> str | None:
    return ast.get_docstring(ast.parse(source))


def too_long(source: str) -> bool:
    return len(source.splitlines()) > LONGEST


def meaningless(path: str) -> bool:
    return bool(MEANINGLESS & {part.removesuffix(".py") for part in path.split("/")})


def taken(names: list[str], provided: dict[str, list[str]]) -> dict[str, list[str]]:
    """Which of our top-level names another distribution installs too."""
    others = {name: sorted(set(provided.get(name, [])) - {"phis"}) for name in names}
    return {name: distributions for name, distributions in others.items() if distributions}


@pytest.mark.parametrize("module", [*modules(), *modules("tests", "bench")], ids=name_of)
def test_a_module_says_what_it_is_about(module: Path) -> None:
    source = read(module)
    assert header(source) or not source.strip(), "the file needs a docstring at its head"
    assert not too_long(source), f"more than {LONGEST} lines: a second module is waiting in it"
    assert not meaningless(name_of(module)), "a function has a home under the name of what it is about"


def test_every_package_is_a_package() -> None:
    missing = [name for name in packages() if not (Path(__file__).parents[2] / name / "__init__.py").is_file()]
    assert missing == []


def test_nobody_else_installs_a_package_of_our_names() -> None:
    """Our packages are imported by bare name (ADR 0001), so a second `rules` on the path would shadow ours."""
    provided = importlib.metadata.packages_distributions()
    assert taken([*packages(), "tests"], {name: list(owners) for name, owners in provided.items()}) == {}


def test_the_import_contracts_stand() -> None:
    linter = pyproject()["tool"]["importlinter"]
    assert {contract["name"] for contract in linter["contracts"]} == CONTRACTS
    assert linter["root_packages"] == packages()
    layers = next(contract for contract in linter["contracts"] if contract["type"] == "layers")["layers"]
    assert {name.strip() for layer in layers for name in layer.split("|")} == set(packages())


def test_third_party_assets_are_not_committed() -> None:
    assert [name_of(path) for path in files() if "/vendor/" in name_of(path) or path.suffix == ".mo"] == []


def test_the_checks_can_fail() -> None:
    assert header("x = 1") is None
    assert too_long("x = 1\n" * (LONGEST + 1))
    assert not too_long("x = 1\n" * LONGEST)
    assert meaningless("store/utils.py")
    assert meaningless("api/common/routes.py")
    assert not meaningless("store/database.py")
    assert taken(["rules"], {"rules": ["phis", "somebody-else"]}) == {"rules": ["somebody-else"]}
