"""Hospital and departments as Organization, places as Location.

hl7.org/fhir/R4/organization.html, location.html
"""

from __future__ import annotations

from fhir.resources.R4B.location import Location
from fhir.resources.R4B.organization import Organization

from adapters.fhir.elements import BED_STATUS, PHYSICAL_TYPE, Json, coded
from adapters.fhir.locations import BedStatus
from adapters.fhir.setup.elements import extension, sound
from domain.setup.places import Department, Hospital, Place, PlaceKind, PlaceStatus

AGENCY_NUMBER = "urn:phis:care-institution-number"
AGENCY_DEPARTMENT = "urn:phis:agency-department"
_ORGANIZATION_TYPE = "http://terminology.hl7.org/CodeSystem/organization-type"
_INSTITUTION = "urn:phis:institution-type"


def hospital(code: str, content: Hospital, *, active: bool) -> Json:
    resource: Json = {
        "resourceType": "Organization",
        "id": code,
        "active": active,
        "name": content.name_ko,
        "alias": [content.name_en],
        "type": [coded(_ORGANIZATION_TYPE, "prov"), coded(_INSTITUTION, content.type.value)],
    }
    if content.agency_number:
        resource["identifier"] = [{"system": AGENCY_NUMBER, "value": content.agency_number}]
    if content.phone:
        resource["telecom"] = [{"system": "phone", "value": content.phone}]
    if content.address:
        resource["address"] = [{"use": "work", "text": content.address, "country": "KR"}]
    return sound(Organization, resource)


def department(code: str, content: Department, *, active: bool) -> Json:
    resource: Json = {
        "resourceType": "Organization",
        "id": f"department-{code}",
        "active": active and content.active,
        "name": content.name_ko,
        "alias": [content.name_en],
        "type": [coded(_ORGANIZATION_TYPE, "dept")],
        "identifier": [{"system": "urn:phis:department", "value": code}],
        "partOf": {"reference": "Organization/hospital"},
    }
    if content.agency_code:
        resource["identifier"].append({"system": AGENCY_DEPARTMENT, "value": content.agency_code})
    return sound(Organization, resource)


def place(code: str, content: Place, *, active: bool) -> Json:
    """A bed that is closed says so twice: its Location is suspended, and its bed status closed."""
    status = content.status if active else PlaceStatus.INACTIVE
    resource: Json = {
        "resourceType": "Location",
        "id": code,
        "status": status.value,
        "mode": "instance",
        "name": content.name_ko,
        "alias": [content.name_en],
        "identifier": [{"system": "urn:phis:place", "value": code}],
        "physicalType": coded(PHYSICAL_TYPE, content.kind.value),
    }
    if content.part_of:
        resource["partOf"] = {"reference": f"Location/{content.part_of}"}
    if content.department:
        resource["managingOrganization"] = {"reference": f"Organization/department-{content.department}"}
    if content.kind is PlaceKind.BED:
        state = BedStatus.UNOCCUPIED if status is PlaceStatus.ACTIVE else BedStatus.CLOSED
        resource["operationalStatus"] = {"system": BED_STATUS, "code": state.value}
    told = [
        *([extension("room-class", valueCode=content.room_class)] if content.room_class else []),
        *([extension("sex-rule", valueCode=content.sex_rule)] if content.sex_rule else []),
        *(extension("isolation", valueCode=each) for each in content.isolation.split(";") if each),
    ]
    if told:
        resource["extension"] = told
    return sound(Location, resource)
