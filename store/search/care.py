"""When care took place: the dates that `start` and `end` of `$everything` mean, which are not dates of recording.

hl7.org/fhir/R4/patient-operation-everything.html. Each type of a patient's compartment has a search parameter for it,
or none: allergies, conditions, consents, goals and family history hold from some day on, and are part of any period.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from store.search.places import parameter
from store.search.sql import ScopePredicate, Sql, both, one_of

CARE_DATES: Mapping[str, str] = {
    "Account": "period",
    "AdverseEvent": "date",
    "Appointment": "date",
    "CarePlan": "date",
    "CareTeam": "date",
    "ChargeItem": "occurrence",
    "Claim": "created",
    "ClaimResponse": "created",
    "ClinicalImpression": "date",
    "Communication": "sent",
    "CommunicationRequest": "occurrence",
    "Composition": "date",
    "CoverageEligibilityRequest": "created",
    "CoverageEligibilityResponse": "created",
    "DetectedIssue": "identified",
    "DeviceRequest": "event-date",
    "DiagnosticReport": "date",
    "DocumentManifest": "created",
    "DocumentReference": "date",
    "Encounter": "date",
    "EpisodeOfCare": "date",
    "ExplanationOfBenefit": "created",
    "Flag": "date",
    "ImagingStudy": "started",
    "Immunization": "date",
    "ImmunizationEvaluation": "date",
    "ImmunizationRecommendation": "date",
    "Invoice": "date",
    "List": "date",
    "MeasureReport": "period",
    "Media": "created",
    "MedicationAdministration": "effective-time",
    "MedicationDispense": "whenhandedover",
    "MedicationRequest": "authoredon",
    "MedicationStatement": "effective",
    "NutritionOrder": "datetime",
    "Observation": "date",
    "Procedure": "date",
    "QuestionnaireResponse": "authored",
    "RequestGroup": "authored",
    "ResearchSubject": "date",
    "RiskAssessment": "date",
    "ServiceRequest": "occurrence",
    "Specimen": "collected",
    "SupplyRequest": "date",
    "VisionPrescription": "datewritten",
}
"""Resource type → the search parameter of when its care took place."""


def cared_for(low: datetime | None, high: datetime | None) -> ScopePredicate:
    """Resources of care within `[low, high)`, as far as each end is given, and all that say no date of care."""

    def of(resource_type: str, alias: str) -> Sql | None:
        numbers = _numbers(resource_type)
        if not numbers or (low is None and high is None):
            return None
        places = one_of("x.parameter", "int8", numbers)
        late_enough = None if low is None else Sql("x.high > %s", (low,))
        early_enough = None if high is None else Sql("x.low < %s", (high,))
        dated, met = _row(places, alias), _row(both(places, late_enough, early_enough), alias)
        return Sql(f"(not {dated.text} or {met.text})", (*dated.values, *met.values))

    return of


def _row(where: Sql, alias: str) -> Sql:
    found = f"from search_date x where x.hospital = {alias}.hospital and x.resource = {alias}.number"
    return Sql(f"exists (select {found} and {where.text})", where.values)


def _numbers(resource_type: str) -> list[int]:
    """The places of the dates, of all types for ""."""
    codes = CARE_DATES.items() if not resource_type else [(resource_type, CARE_DATES.get(resource_type, ""))]
    found = [parameter(kind, code) for kind, code in codes if code]
    return [number for each in found if each is not None for number in each.numbers]
