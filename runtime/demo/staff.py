"""Who works in the demo hospitals: one account a role in `hanbit`, two people who do everything in `saebom`."""

from __future__ import annotations

from dataclasses import dataclass

from domain.ids import Reference
from domain.roles import Role

_ROLE_TITLES: dict[Role, tuple[str, str]] = {
    Role.RECEPTIONIST: ("원무 접수", "receptionist"),
    Role.PHYSICIAN: ("의사", "physician"),
    Role.NURSE: ("간호사", "nurse"),
    Role.CHARGE_NURSE: ("책임간호사", "charge nurse"),
    Role.PHLEBOTOMIST: ("채혈 담당", "phlebotomist"),
    Role.WARD_MANAGER: ("병동 관리자", "ward manager"),
    Role.BED_MANAGER: ("병상 관리자", "bed manager"),
    Role.ADMISSION_CLERK: ("입원 담당", "admission clerk"),
    Role.LAB_TECHNOLOGIST: ("임상병리사", "laboratory technologist"),
    Role.PATHOLOGIST: ("병리과 의사", "pathologist"),
    Role.RADIOGRAPHER: ("방사선사", "radiographer"),
    Role.RADIOLOGIST: ("영상의학과 의사", "radiologist"),
    Role.PHARMACIST: ("약사", "pharmacist"),
    Role.HOUSEKEEPING: ("환경미화 담당", "housekeeping"),
    Role.TRANSPORTER: ("이송 담당", "transporter"),
    Role.CASHIER: ("수납 담당", "cashier"),
    Role.CODER: ("질병분류 담당", "coder"),
    Role.CLAIM_REVIEWER: ("보험심사 담당", "claim reviewer"),
    Role.MEDICAL_RECORDS: ("의무기록 담당", "medical records"),
    Role.ANALYST: ("업무 분석가", "process analyst"),
    Role.RULE_APPROVER: ("규칙 승인자", "rule approver"),
    Role.ADMINISTRATOR: ("시스템 관리자", "administrator"),
    Role.AUDITOR: ("감사자", "auditor"),
}


@dataclass(frozen=True)
class Member:
    """One account. The displays say that nobody real is meant."""

    hospital: str
    name: str
    display_ko: str
    display_en: str
    roles: frozenset[Role]


_WORKS_IN: dict[Role, tuple[str, ...]] = {
    Role.NURSE: ("51", "61"),
    Role.CHARGE_NURSE: ("51", "61", "71", "10"),
    Role.WARD_MANAGER: ("51", "61", "71", "10"),
}
"""Wards of the demo's nursing staff: patients of others are out of the nurse's care, as in a real hospital."""


def places_of(member: Member) -> list[Reference]:
    """The wards where a demo account works."""
    named = sorted({ward for role in member.roles for ward in _WORKS_IN.get(role, ())})
    return [Reference.to("Location", f"ward-{ward}") for ward in named] if member.hospital == "hanbit" else []


def members() -> list[Member]:
    """All demo accounts of both hospitals."""
    hanbit = [
        Member("hanbit", f"{role}@hanbit", f"시연 {ko}", f"Demo {en}", frozenset({role}))
        for role, (ko, en) in _ROLE_TITLES.items()
    ]
    saebom = [
        Member("saebom", "doctor@saebom", "시연 원장", "Demo doctor", frozenset({Role.PHYSICIAN, Role.ADMINISTRATOR})),
        Member("saebom", "aide@saebom", "시연 간호조무사", "Demo aide", frozenset({Role.RECEPTIONIST, Role.NURSE})),
    ]
    return hanbit + saebom


def account_names() -> tuple[str, ...]:
    return tuple(member.name for member in members())
