"""Coverage: who pays for a patient, hl7.org/fhir/R4/coverage.html"""

from __future__ import annotations

from fhir.resources.R4B.coverage import Coverage

from adapters.fhir.elements import Json, checked, coded, reference
from domain.patients import Cover

INSURANCE = "urn:phis:insurance"


def coverage(patient: str, cover: Cover) -> Json:
    """What the patient is covered by from `since` on. Raises Invalid."""
    made: Json = {
        "resourceType": "Coverage",
        "status": "active",
        "type": coded(INSURANCE, cover.insurance.value),
        "beneficiary": reference(patient),
        # Who pays is an organisation of the agencies' lists; until they are set up its kind stands for it.
        "payor": [{"display": cover.insurance.value}],
    }
    if cover.subscriber:
        made["subscriberId"] = cover.subscriber
    if cover.since:
        made["period"] = {"start": cover.since}
    return checked(Coverage, made)
