"""Location: wards, rooms and beds. hl7.org/fhir/R4/location.html"""

from __future__ import annotations

from enum import StrEnum

from fhir.resources.R4B.location import Location

from adapters.fhir.elements import BED_STATUS, PHYSICAL_TYPE, Json, checked, coded
from domain.ids import Reference


class BedStatus(StrEnum):
    """HL7 v2 table 0116, bed status: what `Location.operationalStatus` says of a bed."""

    CLOSED = "C"
    HOUSEKEEPING = "H"
    OCCUPIED = "O"
    UNOCCUPIED = "U"
    CONTAMINATED = "K"
    ISOLATED = "I"


def ward(name: str, *, alias: str | None = None) -> Json:
    """name: as signs in the hospital read it, e.g. 7병동; alias: the name in the other language."""
    return _location(name, "wa", alias=alias)


def room(name: str, part_of: Reference) -> Json:
    return _location(name, "ro", part_of=part_of)


def bed(name: str, part_of: Reference, status: BedStatus = BedStatus.UNOCCUPIED) -> Json:
    """`status` is about the bed itself: who lies in it stands in the occupancy, not here."""
    resource = _location(name, "bd", part_of=part_of)
    return checked(Location, resource | {"operationalStatus": {"system": BED_STATUS, "code": status.value}})


def _location(name: str, physical: str, *, part_of: Reference | None = None, alias: str | None = None) -> Json:
    resource: Json = {
        "resourceType": "Location",
        "status": "active",
        "mode": "instance",
        "name": name,
        "physicalType": coded(PHYSICAL_TYPE, physical),
    }
    if alias:
        resource["alias"] = [alias]
    if part_of:
        resource["partOf"] = {"reference": str(part_of)}
    return checked(Location, resource)


def is_bed(location: Json) -> bool:
    codings = location.get("physicalType", {}).get("coding", [])
    return location.get("resourceType") == "Location" and any(coding.get("code") == "bd" for coding in codings)
