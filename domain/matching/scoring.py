"""What each agreement is worth, and what their sum says. A policy that a hospital may argue about: see docs/fhir.md.

The same two records always get the same points; nothing is learnt and nothing is guessed. What is missing on either
side counts neither way. hl7.org/fhir/R4/patient-operation-match.html, valueset-match-grade.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.matching.keys import birth_dates, phone_keys, telecoms
from domain.matching.names import names_of, nearness, plain

Json = Mapping[str, Any]

POINTS: Mapping[str, int] = {
    "identifier-same": 90,  # system and value
    "identifier-value": 40,  # the value; one side names no system
    "name-same": 30,
    "name-sounds": 24,
    "name-alike": 15,
    "name-part": 0,
    "name-different": -25,
    "birth-same": 25,
    "birth-exchanged": 15,  # day and month
    "birth-partial": 10,  # one side says less and does not contradict
    "birth-digit": 8,  # one digit differs
    "birth-different": -25,
    "sex-same": 5,
    "sex-different": -15,  # male and female; other and unknown say nothing
    "phone-same": 20,
    "email-same": 15,
    "address-same": 10,
    "address-near": 4,  # postal code or town
}

CERTAIN, PROBABLE, POSSIBLE = 85, 60, 35
"""Points from which on a match has the grade."""

_NATIONAL = frozenset({"NI", "NNKOR", "SS"})  # HL7 v2 table 0203: one person, one number


class Grade(StrEnum):
    """http://terminology.hl7.org/CodeSystem/match-grade"""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    CERTAINLY_NOT = "certainly-not"


@dataclass(frozen=True)
class Score:
    """points: the sum.  found: what it is made of, keys of POINTS.  grade: None for what is not worth showing."""

    points: int
    found: tuple[str, ...]
    grade: Grade | None

    @property
    def score(self) -> float:
        """0 to 1, as Bundle.entry.search.score has it; nothing for somebody who it certainly is not."""
        return 0.0 if self.grade is Grade.CERTAINLY_NOT else max(0, min(100, self.points)) / 100


def score(asked: Json, candidate: Json) -> Score:
    """Two Patients compared."""
    names = nearness(names_of(asked), names_of(candidate))
    kinds = (
        _identifiers(asked, candidate),
        f"name-{names}" if names else None,
        _birth(asked.get("birthDate"), candidate.get("birthDate")),
        _sex(asked.get("gender"), candidate.get("gender")),
        "phone-same" if phone_keys(asked) & phone_keys(candidate) else None,
        "email-same" if _emails(asked) & _emails(candidate) else None,
        _address(asked, candidate),
    )
    found = tuple(each for each in kinds if each is not None)
    points = sum(POINTS[each] for each in found)
    return Score(points, found, _grade(points, contradicted=_contradicted(asked, candidate)))


def _grade(points: int, *, contradicted: bool) -> Grade | None:
    if points < POSSIBLE:
        return None
    if contradicted:
        return Grade.CERTAINLY_NOT
    return Grade.CERTAIN if points >= CERTAIN else Grade.PROBABLE if points >= PROBABLE else Grade.POSSIBLE


def _identifiers(asked: Json, candidate: Json) -> str | None:
    ours, theirs = _numbers(asked), _numbers(candidate)
    if any(system and (system, value) in theirs for system, value in ours):
        return "identifier-same"
    loose = any(a == b and not (s and t) for s, a in ours for t, b in theirs)
    return "identifier-value" if loose else None


def _numbers(patient: Json) -> set[tuple[str, str]]:
    return {(str(each.get("system", "")), value) for each in _listed(patient, "identifier") if (value := _value(each))}


def _value(identifier: Json) -> str:
    """A number without hyphens and spaces; '' for one that is partly hidden (800517-2******)."""
    value = str(identifier.get("value", "")).casefold()
    return "" if "*" in value else "".join(sign for sign in value if sign.isalnum())


def _contradicted(asked: Json, candidate: Json) -> bool:
    """Whether both carry a national number, and not the same: then they are two people, whatever else agrees."""
    ours, theirs = _national(asked), _national(candidate)
    return bool(ours and theirs) and not ours & theirs


def _national(patient: Json) -> set[str]:
    return {
        value
        for each in _listed(patient, "identifier")
        if (value := _value(each)) and each.get("use") not in {"old", "temp"} and _kinds(each) & _NATIONAL
    }


def _kinds(identifier: Json) -> set[str]:
    kind = identifier.get("type")
    return {str(each.get("code", "")) for each in _listed(kind, "coding")} if isinstance(kind, dict) else set()


def _birth(asked: Any, candidate: Any) -> str | None:
    if not isinstance(asked, str) or not isinstance(candidate, str):
        return None
    if asked == candidate:
        return "birth-same" if len(asked) == 10 else "birth-partial"
    if asked.startswith(candidate) or candidate.startswith(asked):
        return "birth-partial"
    if len(asked) == len(candidate) == 10:
        if f"{asked[:4]}-{asked[8:]}-{asked[5:7]}" == candidate:
            return "birth-exchanged"
        if candidate in birth_dates(asked):
            return "birth-digit"
    return "birth-different"


def _sex(asked: Any, candidate: Any) -> str | None:
    if asked == candidate and asked in {"male", "female", "other"}:
        return "sex-same"
    return "sex-different" if {asked, candidate} == {"male", "female"} else None


def _emails(patient: Json) -> set[str]:
    return {each.strip().casefold() for each in telecoms(patient, "email")}


def _address(asked: Json, candidate: Json) -> str | None:
    ours, theirs = _addresses(asked), _addresses(candidate)
    if any(line and (line, place) in theirs for line, place in ours):
        return "address-same"
    near = {place for _, place in ours if place} & {place for _, place in theirs if place}
    return "address-near" if near else None


def _addresses(patient: Json) -> set[tuple[str, str]]:
    """(street and number, postal code or town) of each."""
    found = set()
    for each in _listed(patient, "address"):
        lines = each.get("line")
        text = "".join(map(str, lines)) if isinstance(lines, list) else str(each.get("text", ""))
        line = "".join(sign for sign in text.casefold() if sign.isalnum())
        found.add((line, str(each.get("postalCode") or plain(str(each.get("city", ""))))))
    return found


def _listed(holder: Json, name: str) -> list[Json]:
    value = holder.get(name)
    return [each for each in value[:20] if isinstance(each, dict)] if isinstance(value, list) else []
