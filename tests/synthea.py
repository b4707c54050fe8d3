"""The 160 Synthea patients, made by nobody here: transaction Bundles, hospitals and practitioners first."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ARCHIVE = Path(__file__).parents[2] / "shared/data/fhir/synthea-160-patients.tar.xz"
REASON = "the archive of Synthea patients is not here"

_FIRST = ("hospitalInformation", "practitionerInformation")


def here() -> bool:
    return ARCHIVE.is_file()


def places() -> list[bytes]:
    """The Bundles of hospitals and of practitioners."""
    return [text for name, text in _members() if name.startswith(_FIRST)]


def patients(count: int | None = None) -> list[bytes]:
    """Bundles of patients, the shortest first."""
    found = sorted((text for name, text in _members() if not name.startswith(_FIRST)), key=len)
    return found[:count]


@lru_cache(maxsize=1)
def _members() -> list[tuple[str, bytes]]:
    return sorted(_read())


def _read() -> Iterator[tuple[str, bytes]]:
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                yield Path(member.name).name, file.read()
