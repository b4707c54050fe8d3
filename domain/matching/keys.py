"""By what candidates for a match are found: keys that a Patient is kept under, so that no table is read through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from domain.matching.names import names_of
from domain.matching.sounds import sound

_NOT_DIGITS = re.compile(r"\D")
_SHORTEST_NUMBER = 7
_MOST = 20


def name_keys(patient: Mapping[str, Any]) -> set[str]:
    """The sounds of the whole name (`n…`) and of its parts (`f…`, `g…`)."""
    found = set()
    for family, given in names_of(patient):
        found.add(f"f{sound(family)}")
        if given:
            found |= {f"g{sound(given)}", f"n{sound(family)}|{sound(given)}"}
    return found


def phone_keys(patient: Mapping[str, Any]) -> set[str]:
    """Telephone numbers as they are dialled within the country."""
    return {number for each in telecoms(patient, "phone", "sms", "fax", "pager") if (number := phone(each))}


def phone(text: str) -> str:
    """+82 10-1234-5678, 0082 10… and 010 1234 5678 are one; '' for what is too short to be a person's number."""
    digits = _NOT_DIGITS.sub("", text.replace("(0)", ""))
    if text.strip().startswith("+82") or digits.startswith("0082"):
        digits = "0" + digits.removeprefix("00").removeprefix("82").lstrip("0")
    return digits if len(digits) >= _SHORTEST_NUMBER else ""


def telecoms(patient: Mapping[str, Any], *systems: str) -> Iterator[str]:
    listed = patient.get("telecom")
    for each in listed[:_MOST] if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("system", "phone") in systems and isinstance(each.get("value"), str):
            yield each["value"]


def birth_dates(given: str) -> set[str]:
    """A whole date and those that one slip makes of it: day and month exchanged, one digit wrong."""
    found = {given}
    year, month, day = given[:4], given[5:7], given[8:10]
    slips = {f"{year}-{day}-{month}"}
    for at, sign in enumerate(given):
        if sign.isdigit():
            slips |= {f"{given[:at]}{other}{given[at + 1 :]}" for other in "0123456789"}
    for slip in slips:
        try:
            date.fromisoformat(slip)
        except ValueError:
            continue
        found.add(slip)
    return found
