"""Reads the tables that set-up compiled from HL7's definitions of R4: zip archives of JSON, an entry a type or set.

An archive is read whole (0.1 to 2.4 MB) when first asked and its entries are opened one by one, so that a process pays
for what it uses, and processes that share a parent share no file position.
"""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, Literal

from domain.errors import Misconfigured

Table = Literal["structures", "search", "terminology", "expansions", "maps", "canonicals"]

FOLDER = Path(__file__).parent / "tables"


@cache
def archive(table: Table) -> zipfile.ZipFile:
    path = FOLDER / f"{table}.zip"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Misconfigured(f"HL7's definitions of FHIR are missing ({path.name}): run `make setup`") from None
    return zipfile.ZipFile(io.BytesIO(content))


def names(table: Table) -> list[str]:
    return archive(table).namelist()


def entry(table: Table, name: str) -> Any:
    """The content of an entry, None where there is none. Decoded anew each time: whoever keeps it, caches it."""
    try:
        text = archive(table).read(name)
    except KeyError:
        return None
    return json.loads(text)
