"""What the desk says of a person, and what must be true of it together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints

from api.commands.shapes import Body, Instant
from domain import resident_numbers
from domain.errors import Invalid
from domain.ids import Reference
from domain.patients import Contact, Cover, Gender, Insurance, Kin, Kind, Person, guessed_birth, made_name

ZONE = ZoneInfo("Asia/Seoul")
OLDEST = 1880

Name = Annotated[str, StringConstraints(max_length=100)]
Phone = Annotated[str, StringConstraints(pattern=r"^([0-9+() -]{7,30})?$")]
Passport = Annotated[str, StringConstraints(pattern=r"^([A-Z0-9]{5,20})?$")]
Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]
Day = Annotated[date | None, BeforeValidator(lambda given: given or None)]


class ContactOf(Body):
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    relationship: Kin
    phone: Phone = ""


class CoverOf(Body):
    """`subscriber`: the number of the certificate; `since`: from when."""

    insurance: Insurance
    subscriber: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{0,20}$")] = ""
    since: Day = None


class Details(Body):
    """A person, as far as the desk knows."""

    kind: Kind = Kind.RESIDENT
    name: Name = ""
    latin_name: Name = ""
    gender: Gender
    birth_date: Day = None
    age: Annotated[int, Field(ge=0, le=130)] | None = None
    born_at: Instant | None = None
    order_of_birth: Annotated[int, Field(ge=1, le=9)] | None = None
    resident_number: str = ""
    passport: Passport = ""
    nationality: Country = ""
    phone: Phone = ""
    address: Annotated[str, StringConstraints(max_length=300)] = ""
    contact: ContactOf | None = None
    cover: CoverOf | None = None


class Registration(Details):
    """`mother`: of a newborn.  `none_of`: patients who were looked at and are somebody else."""

    mother: Reference | None = None
    none_of: Annotated[tuple[Reference, ...], Field(max_length=50)] = ()


class Correction(Details):
    """`version`: the one that was read."""

    version: int


def person_of(body: Details, now: datetime, *, mother: str = "") -> Person:
    """The person. mother: her name, for a newborn. Raises Invalid, with the field, for what cannot be so together."""
    number = _number(body)
    born = _born(body, number, now)
    if not body.name and body.kind in {Kind.RESIDENT, Kind.FOREIGNER}:
        raise Invalid("a name is needed", field="name")
    if not born and body.kind in {Kind.RESIDENT, Kind.FOREIGNER}:
        raise Invalid("a date of birth is needed", field="birth_date")
    if number is not None and number.born.isoformat() != born and body.kind is not Kind.UNKNOWN:
        raise Invalid("the date of birth is not that of the number", field="birth_date")
    if number is not None and body.gender in {"male", "female"} and body.gender != _sex(number):
        raise Invalid("the sex is not that of the number", field="gender")
    made = made_name(body.kind, body.gender, now.astimezone(ZONE), mother)
    return Person(
        kind=body.kind,
        name=body.name or made,
        named=bool(body.name),
        latin_name=body.latin_name,
        gender=body.gender,
        birth_date=born,
        born_at=body.born_at,
        order_of_birth=body.order_of_birth,
        resident_number=number.value if number else "",
        passport=body.passport,
        nationality=body.nationality,
        phone=body.phone,
        address=body.address,
        contact=Contact(**body.contact.model_dump()) if body.contact else None,
    )


def lacking(told: Mapping[str, Any]) -> set[str]:
    """Fields that must be there and are not, so that a form says all of them at once."""
    if told.get("kind", Kind.RESIDENT) not in {Kind.RESIDENT, Kind.FOREIGNER}:
        return set()
    born = told.get("birth_date") or told.get("resident_number")
    return {name for name, given in (("name", told.get("name")), ("birth_date", born)) if not given}


def cover_of(body: Details) -> Cover | None:
    if body.cover is None:
        return None
    since = body.cover.since.isoformat() if body.cover.since else ""
    return Cover(insurance=body.cover.insurance, subscriber=body.cover.subscriber, since=since)


def _number(body: Details) -> resident_numbers.ResidentNumber | None:
    """Raises Invalid for what can be no such number. A check digit that is wrong may be right (see there)."""
    if not body.resident_number:
        return None
    found = resident_numbers.parse("".join(body.resident_number.split()))
    if found is None:
        raise Invalid("not a resident registration number", field="resident_number")
    if found.foreign != (body.kind is Kind.FOREIGNER) and body.kind is not Kind.UNKNOWN:
        raise Invalid("the number is that of another kind of person", field="resident_number")
    return found


def _sex(number: resident_numbers.ResidentNumber) -> str:
    return "male" if int(number.digits[6]) % 2 else "female"


def _born(body: Details, number: resident_numbers.ResidentNumber | None, now: datetime) -> str:
    today = now.astimezone(ZONE).date()
    if body.born_at is not None:
        if body.born_at > now:
            raise Invalid("a birth is not in the future", field="born_at")
        return body.born_at.astimezone(ZONE).date().isoformat()
    if body.birth_date is not None:
        if body.birth_date > today or body.birth_date.year < OLDEST:
            raise Invalid("a date of birth is not in the future", field="birth_date")
        return body.birth_date.isoformat()
    if number is not None:
        return number.born.isoformat()
    return guessed_birth(body.age, today) if body.age is not None else ""
