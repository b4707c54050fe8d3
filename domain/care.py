"""Who cares for whom, as records say it: people and places that a stay, an appointment or a care team names.

hl7.org/fhir/R4/encounter.html, appointment.html, careteam.html, episodeofcare.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.errors import Invalid
from domain.ids import Reference

AFTER_STAY = timedelta(days=14)
"""How long after a stay its people still open the record: reports, late results, the letter."""

AFTER_TRANSFER = timedelta(days=1)
"""How long after a transfer the earlier place still does."""

AFTER_APPOINTMENT = timedelta(days=14)

ACCOUNT = "urn:phis:account"
"""System of an Identifier whose value is an account of the hospital: somebody of the staff, as a logical reference."""

NAMING = frozenset({"Encounter", "Appointment", "CareTeam", "EpisodeOfCare"})
"""Types that make relations of care."""

_STAYING = frozenset({"planned", "arrived", "triaged", "in-progress", "onleave"})
_COMING = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "waitlist"})
_ACTIVE_TEAM = frozenset({"proposed", "active", "suspended", "planned", "waitlist", "onhold"})
_HOLDERS = frozenset({"Practitioner", "PractitionerRole", "Location", "CareTeam", "Organization"})


@dataclass(frozen=True, order=True)
class Relation:
    """`holder` cares for `patient` until an instant; None while nothing ends it.

    holder: the reference of a person or place, or `holder_of` an account that a record names by itself.
    """

    holder: str
    patient: Reference
    until: datetime | None


def holder_of(account: str) -> str:
    """The holder that an account is by itself. No reference begins with a small letter."""
    return f"account/{account}"


def relations(resource: Mapping[str, Any], now: datetime) -> list[Relation]:
    """What one resource says; nothing for what was entered in error. Periods that cannot be read end nothing."""
    found: dict[tuple[str, Reference], datetime | None] = {}
    for holder, patient, until in _named(resource, now):
        if until is not None and until <= now:
            continue
        known = found.get((holder, patient), until)
        found[holder, patient] = None if until is None or known is None else max(until, known)
    return sorted(
        (Relation(holder, patient, until) for (holder, patient), until in found.items()),
        key=lambda each: (each.holder, each.patient),
    )


def _named(resource: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, Reference, datetime | None]]:
    match resource.get("resourceType"):
        case "Encounter":
            yield from _of_stay(resource, now)
        case "Appointment":
            yield from _of_appointment(resource, now)
        case "CareTeam" | "EpisodeOfCare":
            yield from _of_team(resource, now)


def _of_stay(stay: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, Reference, datetime | None]]:
    status = stay.get("status")
    patient = _reference(stay.get("subject"), "Patient")
    if patient is None or status in {"entered-in-error", None}:
        return
    ended = None if status in _STAYING else (_end(stay.get("period")) or now) + AFTER_STAY
    for each in _listed(stay, "participant"):
        if (person := _holder(each.get("individual"))) is not None:
            left = _end(each.get("period"))
            yield person, patient, _earlier(ended, left + AFTER_STAY if left else None)
    for each in _listed(stay, "location"):
        if (place := _holder(each.get("location"))) is not None:
            left = _end(each.get("period")) or (now if each.get("status") == "completed" else None)
            yield place, patient, _earlier(ended, left + AFTER_TRANSFER if left else None)


def _of_appointment(appointment: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, Reference, datetime | None]]:
    people = [each.get("actor") for each in _listed(appointment, "participant")]
    patients = [found for each in people if (found := _reference(each, "Patient")) is not None]
    status = appointment.get("status")
    if status in {"entered-in-error", "cancelled", "noshow", None}:
        return
    at = _instant(appointment.get("end")) or _instant(appointment.get("start"))
    until = (at or now) + AFTER_APPOINTMENT if at or status not in _COMING else None
    for each in people:
        if (holder := _holder(each)) is not None:
            for patient in patients:
                yield holder, patient, until


def _of_team(team: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, Reference, datetime | None]]:
    patient = _reference(team.get("subject") or team.get("patient"), "Patient")
    status = team.get("status", "active")
    if patient is None or status == "entered-in-error":
        return
    ended = None if status in _ACTIVE_TEAM else (_end(team.get("period")) or now) + AFTER_STAY
    named = [(each.get("member"), _end(each.get("period"))) for each in _listed(team, "participant")]
    named += [(team.get("careManager"), None)]
    named += [(each, None) for each in _listed(team, "team")]
    for member, left in named:
        if (holder := _holder(member)) is not None:
            yield holder, patient, _earlier(ended, left + AFTER_STAY if left else None)


def _listed(resource: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    given = resource.get(name, [])
    return [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []


def _holder(given: object) -> str | None:
    found = _reference(given)
    if found is not None:
        return found if found.resource_type in _HOLDERS else None
    identifier = given.get("identifier") if isinstance(given, Mapping) else None
    if isinstance(identifier, Mapping) and identifier.get("system") == ACCOUNT:
        return holder_of(str(identifier.get("value", "")))
    return None


def _reference(given: object, kind: str = "") -> Reference | None:
    """A reference within the hospital; None for a contained, absolute or logical one."""
    said = given.get("reference") if isinstance(given, Mapping) else None
    if not isinstance(said, str):
        return None
    try:
        found = Reference(said.partition("/_history/")[0])
    except Invalid:
        return None
    return found if not kind or found.resource_type == kind else None


def _end(period: object) -> datetime | None:
    return _instant(period.get("end")) if isinstance(period, Mapping) else None


def _instant(text: object) -> datetime | None:
    """A dateTime, a whole day to its end; None for a month or year alone, which end nothing for certain."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if "T" not in text:
        found += timedelta(days=1)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)
