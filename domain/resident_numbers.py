"""Resident registration numbers (주민등록번호) and those of foreigners (외국인등록번호): thirteen digits.

Birth date in six digits; one for century, sex and nationality; six more. The last of numbers given out before
October 2020 is a check digit; since then the six are random (주민등록법 시행규칙, 2020. 10. 5.). When a number was
given out it does not say: somebody born earlier may have got a new one since. So a check digit can be right, and if it
is not, only doubted.

FHIR: KR Core (hl7korea.or.kr/fhir/krcore, 1.0.2) names no system for them; urn:oid:1.2.410.100110.10 is the arc of
institutions, for their own patient numbers. They are known by the type NNKOR of HL7 v2 table 0203 (NN and the country),
by a system beside KR Core's others that is in use, or by their form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

SYSTEM = "http://www.hl7korea.or.kr/Identifier/rrn"
TYPE_SYSTEM, TYPE_CODE = "http://terminology.hl7.org/CodeSystem/v2-0203", "NNKOR"

RANDOM_SINCE = date(2020, 10, 5)

CheckDigit = Literal["right", "wrong", "none"]

_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_CENTURY = {**dict.fromkeys("90", 1800), **dict.fromkeys("1256", 1900), **dict.fromkeys("3478", 2000)}
_WHOLE = re.compile(r"([0-9]{6})(-?)([0-9])([0-9]{6})")
_IN_TEXT = re.compile(r"(?<![0-9])[0-9]{6}-[0-9]{7}(?![0-9])")
_MASKED = re.compile(r"(?<![0-9])[0-9]{6}-?[0-9]\*{6}")
_LIKELY = re.compile(rb"[0-9]{6}-?[0-9]{7}(?![0-9])")


@dataclass(frozen=True)
class ResidentNumber:
    """`value` as it was written."""

    value: str
    born: date
    foreign: bool

    @property
    def digits(self) -> str:
        return self.value.replace("-", "")

    @property
    def masked(self) -> str:
        """Birth date and sex, as on forms of the health insurance."""
        return self.value[:-6] + "*" * 6

    @property
    def check_digit(self) -> CheckDigit:
        """`none` for whoever was born since there is none; `wrong` also where the number was given out since then."""
        if self.born >= RANDOM_SINCE:
            return "none"
        total = sum(int(digit) * weight for digit, weight in zip(self.digits, _WEIGHTS, strict=False))
        expected = ((13 if self.foreign else 11) - total % 11) % 10
        return "right" if int(self.digits[12]) == expected else "wrong"


def parse(text: str) -> ResidentNumber | None:
    """The number, or None for anything that cannot be one: another form, or a day that never was."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        return None
    day, _, kind, _ = match.groups()
    try:
        born = date(_CENTURY[kind] + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError:
        return None
    return ResidentNumber(text, born, kind in "5678")


def named(identifier: dict[str, Any]) -> bool:
    """Whether an Identifier says of itself that it holds such a number."""
    kind = identifier.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    typed = isinstance(codings, list) and any(
        isinstance(each, dict) and each.get("system") == TYPE_SYSTEM and each.get("code") == TYPE_CODE
        for each in codings
    )
    return typed or identifier.get("system") == SYSTEM


def looks_like_one(value: str) -> bool:
    """Whether a value by itself is taken for one: with its hyphen, or with a check digit that is right."""
    found = parse(value)
    return found is not None and ("-" in value or found.check_digit == "right")


def perhaps_in(text: bytes) -> bool:
    """Whether a look at each string of a JSON text is worth the while."""
    return _LIKELY.search(text) is not None


def masked_text(text: str) -> str:
    """A text with the numbers in it masked."""

    def mask(match: re.Match[str]) -> str:
        found = parse(match[0])
        return found.masked if found else match[0]

    return _IN_TEXT.sub(mask, text) if "-" in text else text


def masked(resource: Any) -> Any:
    """A resource, or a part of one, with every number in it masked, wherever it stands."""
    return _mapped(resource, masked_text, _masked_identifier)


def _masked_identifier(identifier: dict[str, Any]) -> dict[str, Any]:
    value = identifier.get("value")
    found = parse(value) if isinstance(value, str) else None
    if found is not None and (named(identifier) or looks_like_one(found.value)):
        return identifier | {"value": found.masked}
    return identifier


def holds_mask(text: bytes) -> bool:
    return b"******" in text and _MASKED.search(text.decode(errors="replace")) is not None


def restored(resource: Any, before: Any) -> Any:
    """A resource that was read masked and comes back, its numbers whole. Raises KeyError for a mask of none or two."""
    known: dict[str, str] = {}
    several: set[str] = set()
    for number in _numbers(before):
        if known.setdefault(number.masked, number.value) != number.value:
            several.add(number.masked)
    known = {mask: whole for mask, whole in known.items() if mask not in several}

    def restore(text: str) -> str:
        return _MASKED.sub(lambda match: known[match[0]], text) if "******" in text else text

    return _mapped(resource, restore, lambda identifier: identifier)


def _numbers(value: Any) -> Iterator[ResidentNumber]:
    """Every number that `masked` would mask."""
    if isinstance(value, str):
        for match in _IN_TEXT.finditer(value):
            if (found := parse(match[0])) is not None:
                yield found
    elif isinstance(value, dict):
        shown = _masked_identifier(value)
        if shown is not value and (whole := parse(value["value"])) is not None:
            yield whole
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each)


def _mapped(value: Any, text: Callable[[str], str], identifier: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {name: _mapped(each, text, identifier) for name, each in identifier(value).items()}
    if isinstance(value, list):
        return [_mapped(each, text, identifier) for each in value]
    return value


def numbers_of(patient: dict[str, Any]) -> list[ResidentNumber]:
    """The numbers among a patient's identifiers."""
    listed = patient.get("identifier")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return [
        number
        for each in found
        if isinstance(each.get("value"), str)
        and (number := parse(each["value"])) is not None
        and (named(each) or looks_like_one(number.value))
    ]
