"""Encounter: the stay. hl7.org/fhir/R4/encounter.html"""

from __future__ import annotations

from datetime import datetime

from fhir.resources.R4B.encounter import Encounter

from adapters.fhir.elements import ACT_CODE, ACT_PRIORITY, Json, checked, coded, instant, person, reference
from domain.ids import Reference
from domain.worklist import Priority

ATTENDER = coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "ATND", "attender")
_ACT_PRIORITY = {Priority.ROUTINE: "R", Priority.URGENT: "UR", Priority.ASAP: "A", Priority.STAT: "S"}


def planned(
    patient: Reference, request: Reference, ward: Reference, priority: Priority, *, physician: str | None = None
) -> Json:
    """An inpatient stay that has been asked for. physician: the account of the one who asked, who cares from now on."""
    attending = {"participant": [{"type": [ATTENDER], "individual": person(physician)}]} if physician else {}
    return checked(
        Encounter,
        {
            "resourceType": "Encounter",
            "status": "planned",
            "class": {"system": ACT_CODE, "code": "IMP", "display": "inpatient encounter"},
            "priority": coded(ACT_PRIORITY, _ACT_PRIORITY[priority]),
            "subject": reference(patient),
            "basedOn": [reference(request)],
            "location": [{"location": reference(ward), "status": "planned"}],
            **attending,
        },
    )


def with_bed(encounter: Json, bed: Reference) -> Json:
    """The planned stay with the bed it will begin in."""
    location = [*encounter.get("location", []), {"location": reference(bed), "status": "planned"}]
    return checked(Encounter, encounter | {"location": location})


def in_progress(encounter: Json, at: datetime) -> Json:
    """The patient lies in the bed since `at`: what was planned is active."""
    start = {"start": instant(at)}
    location = [
        place | {"status": "active", "period": start} if place.get("status") == "planned" else place
        for place in encounter.get("location", [])
    ]
    return checked(Encounter, encounter | {"status": "in-progress", "period": start, "location": location})


def cancelled(encounter: Json) -> Json:
    """A stay that never began. Its planned places are taken out; the history keeps them."""
    location = [place for place in encounter.get("location", []) if place.get("status") != "planned"]
    rest = {name: value for name, value in encounter.items() if name != "location"}
    return checked(Encounter, rest | {"status": "cancelled"} | ({"location": location} if location else {}))
