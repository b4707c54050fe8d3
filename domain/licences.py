"""Licences and posts of people, as their Practitioner and PractitionerRole say: what they allow, and for how long.

A role that the law binds to a licence is held only while one of the person's licences for it is valid; a role that a
post names, only while one such post runs. A role that neither names is the account's without condition. Neither ever
adds a role: the account's own are the most that a person may be.

Korea: Medical Service Act (의료법) art. 2 and 5-7; Pharmaceutical Affairs Act (약사법) art. 3; Medical Service
Technologists Act (의료기사 등에 관한 법률) art. 2-4. hl7.org/fhir/R4/practitioner.html, practitionerrole.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from domain.duty import ZONE
from domain.errors import Invalid
from domain.ids import Reference
from domain.roles import Role

LICENCE = "urn:phis:licence"
"""System of a qualification's code."""

LICENCE_NUMBER = "urn:phis:licence-number"
ROLE = "urn:phis:role"
"""System of a PractitionerRole's code."""

WARN_AHEAD = timedelta(days=60)
"""A licence that ends within this time is warned about."""


class LicenceKind(StrEnum):
    PHYSICIAN = "physician"
    NURSE = "nurse"
    NURSING_ASSISTANT = "nursing-assistant"
    PHARMACIST = "pharmacist"
    LABORATORY = "medical-laboratory-technologist"
    RADIOGRAPHER = "radiological-technologist"
    RECORDS = "health-information-manager"


ALLOWS: Mapping[LicenceKind, frozenset[Role]] = MappingProxyType(
    {
        LicenceKind.PHYSICIAN: frozenset({Role.PHYSICIAN, Role.PATHOLOGIST, Role.RADIOLOGIST}),
        LicenceKind.NURSE: frozenset({Role.NURSE, Role.CHARGE_NURSE, Role.WARD_MANAGER, Role.PHLEBOTOMIST}),
        LicenceKind.NURSING_ASSISTANT: frozenset({Role.NURSE}),
        LicenceKind.PHARMACIST: frozenset({Role.PHARMACIST}),
        LicenceKind.LABORATORY: frozenset({Role.LAB_TECHNOLOGIST, Role.PHLEBOTOMIST}),
        LicenceKind.RADIOGRAPHER: frozenset({Role.RADIOGRAPHER}),
        LicenceKind.RECORDS: frozenset({Role.MEDICAL_RECORDS, Role.CODER}),
    }
)

NEEDED: frozenset[Role] = frozenset().union(*ALLOWS.values()) - {Role.MEDICAL_RECORDS, Role.CODER}
"""Roles for which a person without any licence on record is asked for one."""


@dataclass(frozen=True)
class Licence:
    """first, last: days, both included; None for no limit."""

    kind: LicenceKind
    number: str
    issuer: str
    first: date | None
    last: date | None

    def valid(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def ends_soon(self, day: date) -> bool:
        return self.last is not None and self.valid(day) and self.last - day <= WARN_AHEAD


@dataclass(frozen=True)
class Credential:
    """What a licence or a post means for rights: roles, from when to when. None for no limit.

    number: its place within the resource.  kind: `licence` or `post`.
    """

    number: int
    kind: str
    practitioner: Reference
    roles: tuple[str, ...]
    places: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def credentials(ref: Reference, resource: Mapping[str, Any]) -> list[Credential]:
    """What a Practitioner's qualifications or a PractitionerRole come to; nothing for other types.

    A licence whose dates cannot be read is over, and so is what a Practitioner says who is not active: fail closed.
    """
    match ref.resource_type:
        case "Practitioner":
            return list(_licences(ref, resource))
        case "PractitionerRole":
            return list(_post(resource))
    return []


def licences(practitioner: Mapping[str, Any]) -> list[Licence]:
    """The licences of a Practitioner that are of a kind that we know."""
    found = []
    for each in _listed(practitioner, "qualification"):
        kind = _code(each.get("code"), LICENCE)
        if kind in set(LicenceKind):
            period = _object(each.get("period"))
            numbers = [one for one in _listed(each, "identifier") if one.get("system") == LICENCE_NUMBER]
            issuer = _object(each.get("issuer"))
            found.append(
                Licence(
                    LicenceKind(kind),
                    str(numbers[0].get("value", "")) if numbers else "",
                    str(issuer.get("display", "")),
                    _day(period.get("start")),
                    _day(period.get("end")),
                )
            )
    return found


def with_licences(practitioner: Mapping[str, Any], held: list[Licence]) -> dict[str, Any]:
    """The Practitioner with these licences in place of those it had; other qualifications stay as they are."""
    for each in held:
        if each.first and each.last and each.last < each.first:
            raise Invalid("a licence ends after it begins", field="/last")
    others = [
        each
        for each in _listed(practitioner, "qualification")
        if _code(each.get("code"), LICENCE) not in set(LicenceKind)
    ]
    body = dict(practitioner)
    body["qualification"] = [*others, *(_qualification(each) for each in held)]
    if not body["qualification"]:
        del body["qualification"]
    return body


def _qualification(held: Licence) -> dict[str, Any]:
    period = {"start": held.first and held.first.isoformat(), "end": held.last and held.last.isoformat()}
    made: dict[str, Any] = {"code": {"coding": [{"system": LICENCE, "code": held.kind.value}]}}
    if held.number:
        made["identifier"] = [{"system": LICENCE_NUMBER, "value": held.number}]
    if kept := {name: value for name, value in period.items() if value}:
        made["period"] = kept
    if held.issuer:
        made["issuer"] = {"display": held.issuer}
    return made


def _licences(ref: Reference, practitioner: Mapping[str, Any]) -> Iterator[Credential]:
    active = practitioner.get("active", True) is True
    for number, each in enumerate(_listed(practitioner, "qualification")):
        kind = _code(each.get("code"), LICENCE)
        if kind not in set(LicenceKind):
            continue
        since, until = _span(each.get("period"), active=active)
        roles = tuple(sorted(ALLOWS[LicenceKind(kind)]))
        yield Credential(number, "licence", ref, roles, (), since, until)


def _post(post: Mapping[str, Any]) -> Iterator[Credential]:
    who = post.get("practitioner")
    said = who.get("reference") if isinstance(who, Mapping) else None
    try:
        practitioner = Reference(str(said))
    except Invalid:
        return
    roles = {
        str(coding.get("code"))
        for concept in _listed(post, "code")
        for coding in _listed(concept, "coding")
        if coding.get("system") == ROLE
    } & {role.value for role in Role}
    places = {str(each.get("reference")) for each in _listed(post, "location") if each.get("reference")}
    if roles or places:
        since, until = _span(post.get("period"), active=post.get("active", True) is True)
        yield Credential(0, "post", practitioner, tuple(sorted(roles)), tuple(sorted(places)), since, until)


_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


def _span(period: object, *, active: bool) -> tuple[datetime | None, datetime | None]:
    """Instants by the wall clock of the hospital; the last day counts to its end."""
    said = _object(period)
    since, until = said.get("start"), said.get("end")
    try:
        first, last = _instant(since, end=False), _instant(until, end=True)
    except ValueError:
        return None, _LONG_AGO
    return first, last if active else _LONG_AGO


def _instant(text: object, *, end: bool) -> datetime | None:
    if text is None:
        return None
    said = str(text)
    if "T" in said:
        found = datetime.fromisoformat(said)
        return found if found.tzinfo else found.replace(tzinfo=ZONE)
    day = date.fromisoformat(said)
    return datetime.combine(day + timedelta(days=1) if end else day, time(), ZONE)


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10]) if text else None
    except ValueError:
        return None


def _object(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _listed(resource: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    given = resource.get(name, [])
    return [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []


def _code(concept: object, system: str) -> str:
    codings = _listed(concept, "coding") if isinstance(concept, Mapping) else []
    return next((str(each.get("code", "")) for each in codings if each.get("system") == system), "")
