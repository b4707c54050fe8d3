"""Free beds by ward, from the hospital's Locations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from api.places import Location, is_usable_bed, ward_of
from api.ui.views.people import place_name
from api.ui.words import Words


@dataclass(frozen=True)
class Bed:
    value: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class WardBeds:
    """Free beds of one ward. count: `빈 병상 3`.  asked: this is the ward that the request names."""

    ward: str
    count: str
    asked: bool
    beds: tuple[Bed, ...]


def free_beds(
    words: Words, locations: Mapping[str, Location], occupied: Collection[str], asked: str, chosen: str = ""
) -> Sequence[WardBeds]:
    """Free beds in order, the asked ward first and always there, then wards with a free bed by name."""
    by_ward: dict[str, list[Bed]] = {asked: []}
    for reference, body in locations.items():
        if is_usable_bed(body) and reference not in occupied:
            bed = Bed(value=reference, name=place_name(words, body), chosen=reference == chosen)
            by_ward.setdefault(ward_of(body, locations), []).append(bed)
    made = [
        WardBeds(
            ward=place_name(words, locations[ward]) if ward in locations else words.gettext("Without a ward"),
            count=words.ngettext("{count} free bed", "{count} free beds", len(free)).format(count=len(free)),
            asked=ward == asked,
            beds=tuple(sorted(free, key=lambda bed: bed.name)),
        )
        for ward, free in by_ward.items()
    ]
    return sorted(made, key=lambda ward: (not ward.asked, ward.ward))
