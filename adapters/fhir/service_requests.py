"""ServiceRequest: what a physician asks for. hl7.org/fhir/R4/servicerequest.html"""

from __future__ import annotations

from datetime import datetime

from fhir.resources.R4B.servicerequest import ServiceRequest

from adapters.fhir.elements import SNOMED, Json, checked, coded, instant, person, reference
from domain.ids import Reference
from domain.worklist import Priority

_HOSPITAL_ADMISSION = coded(SNOMED, "32485007", "Hospital admission")


def admission_request(
    patient: Reference, encounter: Reference, ward: Reference, priority: Priority, *, requester: str, at: datetime
) -> Json:
    """The order to admit a patient to a ward. `requester` is an account, `at` the time of the order."""
    return checked(
        ServiceRequest,
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "priority": priority.value,
            "code": _HOSPITAL_ADMISSION,
            "subject": reference(patient),
            "encounter": reference(encounter),
            "authoredOn": instant(at),
            "requester": person(requester),
            "locationReference": [reference(ward)],
        },
    )


def completed(request: Json) -> Json:
    return checked(ServiceRequest, request | {"status": "completed"})


def revoked(request: Json) -> Json:
    """Withdrawn before it was carried out; the FHIR code is `revoked`, there is no `cancelled` for requests."""
    return checked(ServiceRequest, request | {"status": "revoked"})
