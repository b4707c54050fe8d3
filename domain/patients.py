"""Who somebody is, as the desk writes it down: kinds of registration, kin, insurers."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

Gender = Literal["male", "female", "other", "unknown"]
"""FHIR AdministrativeGender."""


class Kind(StrEnum):
    """How somebody comes to be registered."""

    RESIDENT = "resident"
    FOREIGNER = "foreigner"
    NEWBORN = "newborn"
    UNKNOWN = "unknown"
    """Nobody can say who it is: an emergency. Merged with the person's own record once it is known."""


class Kin(StrEnum):
    """What a contact is to the patient: HL7 v3 RoleCode (terminology.hl7.org/CodeSystem-v3-RoleCode.html)."""

    SPOUSE = "SPS"
    PARENT = "PRN"
    CHILD = "CHILD"
    SIBLING = "SIB"
    GUARDIAN = "GUARD"
    FRIEND = "FRND"


class Insurance(StrEnum):
    """Who pays: kinds of insurance in Korea (국민건강보험법, 의료급여법, 산업재해보상보험법, 자동차손해배상 보장법)."""

    NATIONAL = "national-health-insurance"
    AID_1 = "medical-aid-1"
    AID_2 = "medical-aid-2"
    WORK = "industrial-accident"
    CAR = "car"
    NONE = "self-pay"


class Contact(BaseModel, frozen=True):
    name: str
    relationship: Kin
    phone: str = ""


class Cover(BaseModel, frozen=True):
    """subscriber: the number of the certificate (증번호).  since: ISO date; empty where it is not known."""

    insurance: Insurance
    subscriber: str = ""
    since: str = ""


class Person(BaseModel, frozen=True):
    """birth_date: ISO, a year alone for somebody whose age is guessed, or empty.  born_at: of a newborn.

    named: False while the name is one that the house made up.  resident_number, passport: as on the document.
    nationality: ISO 3166 alpha-2.
    """

    kind: Kind
    name: str
    named: bool = True
    latin_name: str = ""
    gender: Gender
    birth_date: str = ""
    born_at: datetime | None = None
    order_of_birth: int | None = None
    resident_number: str = ""
    passport: str = ""
    nationality: str = ""
    phone: str = ""
    address: str = ""
    contact: Contact | None = None


def guessed_birth(age: int, today: date) -> str:
    """The year of birth of somebody who looks so old."""
    return str(today.year - age)


def made_name(kind: Kind, gender: Gender, at: datetime, mother: str = "") -> str:
    """A name until there is one: 김하나 아기, or 무명 1124-0215 남. It is the record's, the same in every language."""
    if kind is Kind.NEWBORN:
        return f"{mother} 아기"
    sex = {"male": " 남", "female": " 여"}.get(gender, "")
    return f"무명 {at:%m%d-%H%M}{sex}"
