"""How far somebody's rights reach within a hospital, and what makes a relation of care."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Reach(IntEnum):
    """Whose records: each value includes the ones before it. The order is that of the set of patients."""

    NONE = 0
    OWN_TASKS = 1
    """Patients of open tasks that the person has taken or may take."""
    WARD = 2
    """And patients who lie, or are about to lie, in a place where the person works."""
    CARE = 3
    """And patients whom the person treats: named in a stay, an appointment, a care team, or who asked for the stay."""
    HOSPITAL = 4


class Purpose(StrEnum):
    """Why somebody opens a record: HL7 v3 PurposeOfUse (terminology.hl7.org/CodeSystem-v3-ActReason.html)."""

    TREATMENT = "TREAT"
    EMERGENCY_TREATMENT = "ETREAT"
    BREAK_THE_GLASS = "BTG"
    PAYMENT = "HPAYMT"
    OPERATIONS = "HOPERAT"
    PATIENT_REQUEST = "PATRQT"
    LEGAL = "HLEGAL"
    RESEARCH = "HRESCH"


ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

SENSITIVE: frozenset[tuple[str, str]] = frozenset(
    {
        *(
            (ACT_CODE, code)
            for code in (
                "PSY",  # psychiatry
                "PSYTHPN",  # psychotherapy notes
                "MH",  # mental health
                "HIV",
                "STD",
                "SUD",  # substance use
                "ETH",
                "SDV",  # violence
                "SEX",
                "GDIS",  # genetic disease
                "CEL",  # a person in the public eye
                "EMP",  # a member of staff as a patient
            )
        ),
        (CONFIDENTIALITY, "R"),
        (CONFIDENTIALITY, "V"),
    }
)
"""Security labels of records that nobody opens without saying why: HL7 v3 InformationSensitivityPolicy.

On a Patient such a label holds for everything that is about the person; on another resource, for that one.
"""
