"""Patients that resources are about or mention."""

from __future__ import annotations

import re
from collections.abc import Iterable

from domain.ids import Reference
from store.fhir.versions import Version

_PATIENT = re.compile(rb'"reference"\s*:\s*"(?:[^"\s]*/)?(Patient/[A-Za-z0-9\-.]{1,64})(?:/_history/[^"]*)?"')


def patients_of(versions: Iterable[Version]) -> set[Reference]:
    """Every patient that resources are about or mention, found in the text: parsing costs more than the read."""
    named: set[bytes] = set()
    found: set[Reference] = set()
    for version in versions:
        if version.reference.startswith("Patient/"):
            found.add(version.reference)
        named.update(_PATIENT.findall(version.text))
    return found.union(Reference(each.decode()) for each in named)
