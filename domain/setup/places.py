"""The hospital itself, its departments, and its places from the site down to the bed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from domain.setup.kinds import Code, Content, Kind, Ref, Words

HOSPITAL = "hospital"
"""The code of the one entry of its kind."""


class HospitalType(StrEnum):
    """Kind of institution (요양기관 종별): what a visit costs depends on it."""

    TERTIARY = "tertiary"
    GENERAL = "general"
    HOSPITAL = "hospital"
    CLINIC = "clinic"


class Hospital(Content):
    """`agency_number`: the eight digits by which agencies know it (요양기관기호); empty until it is known."""

    type: HospitalType
    agency_number: Annotated[str, StringConstraints(pattern=r"^([0-9]{8})?$")] = ""
    phone: Annotated[str, StringConstraints(pattern=r"^([0-9+() -]{1,30})?$")] = ""
    address: Words = ""


class Department(Content):
    """`agency_code`: two digits of the agency's list of departments (진료과목코드)."""

    agency_code: Annotated[str, StringConstraints(pattern=r"^([0-9]{2})?$")] = ""
    active: bool = True


class PlaceKind(StrEnum):
    """FHIR R4 CodeSystem location-physical-type."""

    SITE = "si"
    BUILDING = "bu"
    WARD = "wa"
    ROOM = "ro"
    BED = "bd"
    AREA = "area"


class PlaceStatus(StrEnum):
    """FHIR R4 CodeSystem location-status. Suspended: closed for a while."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    INACTIVE = "inactive"


RoomClass = Literal["", "single", "double", "three", "four", "five", "six", "intensive", "nursery", "delivery"]
_ISOLATION = "(airborne|droplet|contact|protective)"
SexRule = Literal["", "any", "male", "female"]

_INSIDE: Mapping[PlaceKind, frozenset[PlaceKind]] = {
    PlaceKind.SITE: frozenset(),
    PlaceKind.BUILDING: frozenset({PlaceKind.SITE}),
    PlaceKind.AREA: frozenset({PlaceKind.SITE, PlaceKind.BUILDING, PlaceKind.AREA}),
    PlaceKind.WARD: frozenset({PlaceKind.SITE, PlaceKind.BUILDING, PlaceKind.AREA}),
    PlaceKind.ROOM: frozenset({PlaceKind.SITE, PlaceKind.BUILDING, PlaceKind.AREA, PlaceKind.WARD}),
    PlaceKind.BED: frozenset({PlaceKind.ROOM, PlaceKind.WARD, PlaceKind.AREA}),
}


class Place(Content):
    """A site, building, ward, room or bed. `isolation`: kinds of isolation that the room allows."""

    kind: PlaceKind
    part_of: Code | Literal[""] = ""
    room_class: RoomClass = ""
    sex_rule: SexRule = ""
    isolation: Annotated[str, StringConstraints(pattern=rf"^({_ISOLATION}(;{_ISOLATION})*)?$")] = ""
    department: Code | Literal[""] = ""
    status: PlaceStatus = PlaceStatus.ACTIVE

    @model_validator(mode="after")
    def _stands_somewhere(self) -> Self:
        if self.kind is PlaceKind.BED and not self.part_of:
            raise ValueError("a bed stands in a room or a ward: name it in part_of")
        if self.kind is PlaceKind.SITE and self.part_of:
            raise ValueError("a site is part of nothing")
        return self

    def needs(self) -> tuple[Ref, ...]:
        found = [Ref("part_of", Kind.PLACE, self.part_of)] if self.part_of else []
        if self.department:
            found.append(Ref("department", Kind.DEPARTMENT, self.department))
        return tuple(found)

    def may_stand_in(self, whole: Place) -> bool:
        """Whether a place of this kind can be part of `whole`."""
        return whole.kind in _INSIDE[self.kind]
