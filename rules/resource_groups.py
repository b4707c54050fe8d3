"""R4's resource types by what they tell, so that a policy can be read: every type stands in one group.

hl7.org/fhir/R4/resourcelist.html
"""

from __future__ import annotations

from functools import cache

from domain import fhir

IDENTITY = frozenset({"Patient", "RelatedPerson", "Person"})
"""Who somebody is."""

STAY = frozenset({"Encounter", "EpisodeOfCare", "Appointment", "AppointmentResponse", "CareTeam", "Flag", "Group"})
"""That somebody is here, since when, and who cares for them."""

ORDERS = frozenset(
    {"ServiceRequest", "RequestGroup", "DeviceRequest", "SupplyRequest", "SupplyDelivery", "NutritionOrder"}
    | {"VisionPrescription", "CommunicationRequest", "Task"}
)

MEDICATION = frozenset({"MedicationRequest", "MedicationDispense", "MedicationAdministration", "MedicationStatement"})

RESULTS = frozenset({"Observation", "DiagnosticReport", "Specimen", "ImagingStudy", "Media", "MolecularSequence"})

NOTES = frozenset(
    {"AdverseEvent", "AllergyIntolerance", "Basic", "BodyStructure", "CarePlan", "ClinicalImpression", "Communication"}
    | {"Composition", "Condition", "Consent", "DetectedIssue", "Device", "DeviceUseStatement", "DocumentManifest"}
    | {"DocumentReference", "FamilyMemberHistory", "Goal", "GuidanceResponse", "Immunization", "List", "MeasureReport"}
    | {"ImmunizationEvaluation", "ImmunizationRecommendation", "Procedure", "Provenance", "QuestionnaireResponse"}
    | {"ResearchSubject", "RiskAssessment"}
)
"""What is known, thought and done about somebody."""

MONEY = frozenset(
    {"Account", "ChargeItem", "Claim", "ClaimResponse", "Contract", "Coverage", "CoverageEligibilityRequest"}
    | {"CoverageEligibilityResponse", "EnrollmentRequest", "ExplanationOfBenefit", "Invoice"}
)

DIRECTORY = frozenset(
    {"Endpoint", "HealthcareService", "InsurancePlan", "Location", "Medication", "MedicationKnowledge", "Organization"}
    | {"OrganizationAffiliation", "Practitioner", "PractitionerRole", "Schedule", "Slot", "Substance"}
)
"""Who works here, where, and with what: nothing about patients."""

UNLINKED = frozenset(
    {"Binary", "BiologicallyDerivedProduct", "Bundle", "EnrollmentResponse", "Linkage", "MessageHeader"}
    | {"OperationOutcome", "Parameters", "PaymentNotice", "PaymentReconciliation", "Subscription", "TestReport"}
    | {"VerificationResult"}
)
"""May tell about patients without saying of whom: no ward and no relation of care can be found for them."""

AUDIT = frozenset({"AuditEvent"})

ABOUT_PATIENTS = IDENTITY | STAY | ORDERS | MEDICATION | RESULTS | NOTES | MONEY
"""Each of these names its patient, where it has one."""

CLINICAL = STAY | ORDERS | MEDICATION | RESULTS | NOTES


@cache
def definitions() -> frozenset[str]:
    """Definitions, terminology, evidence: nothing about patients, nor about anybody who works here."""
    return fhir.resource_types() - ABOUT_PATIENTS - DIRECTORY - UNLINKED - AUDIT
