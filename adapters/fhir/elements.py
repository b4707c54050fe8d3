"""FHIR data types that every builder writes, and the check by the R4B model that every built resource passes.

Data types: hl7.org/fhir/R4/datatypes.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fhir.resources.R4B.domainresource import DomainResource
from pydantic import ValidationError

from domain.care import ACCOUNT
from domain.errors import Invalid

Json = dict[str, Any]

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_PRIORITY = "http://terminology.hl7.org/CodeSystem/v3-ActPriority"
BED_STATUS = "http://terminology.hl7.org/CodeSystem/v2-0116"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
PHYSICAL_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"
SNOMED = "http://snomed.info/sct"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
# Codes of the house. A URN, because no web address of theirs exists that would outlive us.
TASK_KIND = "urn:phis:task-kind"
TASK_INPUT = "urn:phis:task-input"
ROLE = "urn:phis:role"
CANCEL_REASON = "urn:phis:cancel-reason"


def checked(model: type[DomainResource], resource: Json) -> Json:
    """The resource as its model writes it. Raises Invalid with a JSON Pointer; never with the value, a patient's."""
    try:
        return json.loads(model.model_validate(resource).model_dump_json())  # type: ignore[no-any-return]
    except ValidationError as invalid:
        where = "".join(f"/{part}" for part in invalid.errors(include_input=False)[0]["loc"])
        raise Invalid(f"not a valid {resource.get('resourceType')}", field=where) from None


def reference(to: str) -> Json:
    return {"reference": str(to)}


def person(account: str) -> Json:
    """Somebody of the staff, known by account name: a logical reference, true also before a Practitioner is set up."""
    return {"type": "Practitioner", "identifier": {"system": ACCOUNT, "value": account}}


def coded(system: str, code: str, display: str | None = None, text: str | None = None) -> Json:
    """A CodeableConcept with one coding."""
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


def instant(at: datetime) -> str:
    """A FHIR dateTime in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
