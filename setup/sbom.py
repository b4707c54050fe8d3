"""The bill of materials, CycloneDX 1.6 as JSON: every locked package with its hashes, Python's and the screens'.

Run as a program, with the file to write. The same locks give the same bytes: nothing in it is of this machine or hour.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[1]

_LOCKS = {
    "base.txt": ComponentScope.REQUIRED,
    "fhir-definitions.txt": ComponentScope.REQUIRED,
    "dev.txt": ComponentScope.EXCLUDED,
    "node.txt": ComponentScope.EXCLUDED,
}
"""What runs, and what only set-up and tests need. A package of two locks is what the first says."""

_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)(?:\s*;\s*([^\\\n]+))?(.*)$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(root: Path = ROOT) -> str:
    """The bill as JSON text, keys in order. Raises ValueError for an entry of a lock that it cannot read."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bom = Bom()
    bom.metadata.component = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION, bom_ref=project["name"]
    )
    found: dict[str, Component] = {}
    for lock, scope in _LOCKS.items():
        for each in _python((root / "requirements" / lock).read_text(encoding="utf-8"), scope):
            found.setdefault(str(each.purl), each)
    bom.components.update(found.values())
    bom.components.update(_node(json.loads((root / "package-lock.json").read_text(encoding="utf-8"))))
    direct = {_normal(re.split(r"[^A-Za-z0-9._-]", entry)[0]) for entry in project["dependencies"]}
    bom.register_dependency(bom.metadata.component, [each for each in found.values() if each.name in direct])
    made = json.loads(JsonV1Dot6(bom).output_as_string())
    made["metadata"].pop("timestamp", None)
    made.pop("serialNumber", None)
    made["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps(made, sort_keys=True))}"
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def _python(lock: str, scope: ComponentScope) -> Iterator[Component]:
    """Packages of a compiled requirements file, each file of theirs by its SHA-256."""
    for entry in re.sub(r"\\\s*\n", " ", lock).splitlines():
        if not entry.strip() or entry.startswith(("#", "-")):
            continue
        found = _ENTRY.match(entry.strip())
        if found is None:
            raise ValueError(f"not a locked requirement: {entry[:80]}")
        yield _component("pypi", _normal(found[1]), found[2], scope, {HashAlgorithm.SHA_256: _HASH.findall(entry)})


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _node(lock: dict[str, dict[str, dict[str, str]]]) -> Iterator[Component]:
    """Packages of package-lock.json; what only the tests need is excluded."""
    for place, locked in lock["packages"].items():
        if not place:
            continue
        scope = ComponentScope.EXCLUDED if locked.get("dev") else ComponentScope.REQUIRED
        algorithm, _, encoded = locked["integrity"].partition("-")
        if algorithm != "sha512":
            raise ValueError(f"{place}: {algorithm} is not sha512")
        hashes = {HashAlgorithm.SHA_512: [base64.b64decode(encoded).hex()]}
        yield _component("npm", place.rpartition("node_modules/")[2], locked["version"], scope, hashes)


def _component(
    kind: str, name: str, version: str, scope: ComponentScope, hashes: dict[HashAlgorithm, list[str]]
) -> Component:
    group, _, short = name.rpartition("/")
    url = PackageURL(kind, group or None, short, version)
    (algorithm, found), *_ = hashes.items()
    made = Component(name=short, group=group or None, version=version, scope=scope, purl=url, bom_ref=str(url))
    if len(found) == 1:
        made.hashes.add(HashType(alg=algorithm, content=found[0]))
    else:  # a package has a hash for each of its files, and a component only one of a kind
        made.properties.update(Property(name="phis:file:sha256", value=each) for each in found)
    return made


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(bill(), encoding="utf-8")
    print(f"{target}: {len(json.loads(target.read_text(encoding='utf-8'))['components'])} packages")  # noqa: T201
