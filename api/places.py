"""Wards and beds among a hospital's Locations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.fhir.locations import BedStatus

_WARD, _BED = "wa", "bd"
"""FHIR R4 CodeSystem location-physical-type: ward, bed."""

Location = Mapping[str, Any]


def is_ward(location: Location) -> bool:
    """A ward that is in use."""
    return _physical_type(location) == _WARD and location.get("status", "active") == "active"


def is_usable_bed(location: Location) -> bool:
    """A bed that may be given. Who lies in it stands in the occupancy; the resource says whether it is in order."""
    status = location.get("operationalStatus", {}).get("code", BedStatus.UNOCCUPIED)
    in_order = location.get("status", "active") == "active" and status in {BedStatus.UNOCCUPIED, BedStatus.OCCUPIED}
    return _physical_type(location) == _BED and in_order


def ward_of(location: Location, by_reference: Mapping[str, Location]) -> str:
    """The reference of the ward that a bed stands in, through rooms and whatever lies between; empty without one."""
    seen: set[str] = set()
    at = _parent(location)
    while at in by_reference and at not in seen:
        seen.add(at)
        if _physical_type(by_reference[at]) == _WARD:
            return at
        at = _parent(by_reference[at])
    return ""


def _parent(location: Location) -> str:
    return str(location.get("partOf", {}).get("reference", ""))


def _physical_type(location: Location) -> str:
    codings = location.get("physicalType", {}).get("coding", [])
    return next((str(coding["code"]) for coding in codings if "code" in coding), "")
