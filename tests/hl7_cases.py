"""HL7's own R4 cases, read from the archive beside the repository where it has been fetched."""

from __future__ import annotations

import tarfile
from functools import cache
from pathlib import Path

ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "fhir" / "hl7-r4-cases.tar.xz"
MISSING = f"{ARCHIVE.name} is not beside the repository (../shared/data/fhir)"


def present() -> bool:
    return ARCHIVE.is_file()


@cache
def files() -> dict[str, bytes]:
    """Content by path below `r4/`; none where the archive is absent."""
    if not present():
        return {}
    with tarfile.open(ARCHIVE) as archive:
        members = [member for member in archive if member.isfile()]
        found = {member.name: archive.extractfile(member) for member in members}
        return {name.partition("r4/")[2]: file.read() for name, file in found.items() if file is not None}
