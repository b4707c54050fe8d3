"""Roles that people hold in a hospital. One person may hold many and sees one merged worklist."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person may be in a hospital. Kept as codes in accounts, tasks and policies."""

    RECEPTIONIST = "receptionist"
    PHYSICIAN = "physician"
    NURSE = "nurse"
    CHARGE_NURSE = "charge-nurse"
    PHLEBOTOMIST = "phlebotomist"
    WARD_MANAGER = "ward-manager"
    BED_MANAGER = "bed-manager"
    ADMISSION_CLERK = "admission-clerk"
    LAB_TECHNOLOGIST = "lab-technologist"
    PATHOLOGIST = "pathologist"
    RADIOGRAPHER = "radiographer"
    RADIOLOGIST = "radiologist"
    PHARMACIST = "pharmacist"
    HOUSEKEEPING = "housekeeping"
    TRANSPORTER = "transporter"
    CASHIER = "cashier"
    CODER = "coder"
    CLAIM_REVIEWER = "claim-reviewer"
    MEDICAL_RECORDS = "medical-records"
    ANALYST = "analyst"
    RULE_APPROVER = "rule-approver"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
