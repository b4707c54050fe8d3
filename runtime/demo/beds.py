"""The wards of 한빛대학교병원 with a few rooms and beds each. The clinic has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapters.fhir import locations
from domain.ids import Reference

HOSPITALS = (
    ("hanbit", "한빛대학교병원", "Hanbit University Hospital", "tertiary"),
    ("saebom", "새봄의원", "Saebom Clinic", "clinic"),
)


@dataclass(frozen=True)
class Ward:
    """`rooms`: beds in each room, in order."""

    id: str
    name: str
    alias: str
    rooms: tuple[int, ...]

    @property
    def reference(self) -> Reference:
        return Reference.to("Location", f"ward-{self.id}")


WARDS = (
    Ward("51", "51병동 (내과)", "Ward 51 (medicine)", (4, 2, 1)),
    Ward("61", "61병동 (외과)", "Ward 61 (surgery)", (4, 2, 1)),
    Ward("71", "71병동 (소아청소년과)", "Ward 71 (paediatrics)", (4, 2, 1)),
    Ward("10", "중환자실", "Intensive care unit", (6,)),
)


def places() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Location of the hospital with its id: ward, room, bed. Room 5102 is the second of ward 51."""
    for ward in WARDS:
        yield ward.reference.id, locations.ward(ward.name, alias=ward.alias)
        for number, beds in enumerate(ward.rooms, start=1):
            sign = f"{ward.id}{number:02}"
            room = Reference.to("Location", f"room-{sign}")
            yield room.id, locations.room(sign, ward.reference)
            for bed in range(1, beds + 1):
                yield f"bed-{sign}-{bed}", locations.bed(f"{sign}-{bed}", room)
