"""Reference ranges by sex and age, as laboratories write them down in one line.

`A0d..28d=9.0..30.0;M18y..=4.2..6.3`: everybody until the 28th day, then men from 18 years on. A letter for the sex
(A all, F women, M men), ages from (included) and to (excluded) in days, weeks, months or years, the range with both
ends. An end may be open.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

_RANGE = re.compile(
    r"(?P<sex>[AFM])(?P<from>\d{1,3}[dwmy])\.\.(?P<to>\d{1,3}[dwmy])?="
    r"(?P<low>-?\d+(?:\.\d+)?)?\.\.(?P<high>-?\d+(?:\.\d+)?)?"
)
_DAYS = {"d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}
_UCUM = {"d": "d", "w": "wk", "m": "mo", "y": "a"}

Sex = Literal["A", "F", "M"]


class Age(BaseModel, frozen=True):
    """`unit` of UCUM: d, wk, mo, a."""

    value: int
    unit: str
    days: float


class ReferenceRange(BaseModel, frozen=True):
    """`low` and `high` belong to the range; None is open. `from_age` is included, `to_age` is not."""

    sex: Sex
    from_age: Age
    to_age: Age | None
    low: Decimal | None
    high: Decimal | None

    def covers(self, sex: Sex, days: float) -> bool:
        """Whether somebody of this sex and age in days is judged by it."""
        fits = self.sex in {"A", sex}
        return fits and self.from_age.days <= days and (self.to_age is None or days < self.to_age.days)


def parse(text: str) -> tuple[ReferenceRange, ...]:
    """Raises ValueError with a sentence that names the part, for overlapping ranges, too."""
    found = tuple(_one(part.strip()) for part in text.split(";") if part.strip())
    for number, one in enumerate(found):
        for other in found[:number]:
            if _overlap(one, other):
                raise ValueError(f"two ranges cover the same people from {one.from_age.value}{one.from_age.unit}")
    return found


def _one(part: str) -> ReferenceRange:
    read = _RANGE.fullmatch(part)
    if read is None:
        raise ValueError(f"{part[:40]}: write a range as A18y..=3.5..5.1")
    low, high = (Decimal(read[end]) if read[end] is not None else None for end in ("low", "high"))
    if low is None and high is None:
        raise ValueError(f"{part}: both ends are open, so it is no range")
    if low is not None and high is not None and low > high:
        raise ValueError(f"{part}: the lower end lies above the upper one")
    since, until = _age(read["from"]), _age(read["to"]) if read["to"] else None
    if until is not None and until.days <= since.days:
        raise ValueError(f"{part}: it ends before it begins")
    sex: Sex = "A" if read["sex"] == "A" else "F" if read["sex"] == "F" else "M"
    return ReferenceRange(sex=sex, from_age=since, to_age=until, low=low, high=high)


def _age(text: str) -> Age:
    value, unit = int(text[:-1]), text[-1]
    return Age(value=value, unit=_UCUM[unit], days=value * _DAYS[unit])


def _overlap(one: ReferenceRange, other: ReferenceRange) -> bool:
    if "A" not in {one.sex, other.sex} and one.sex != other.sex:
        return False
    begins_before_other_ends = other.to_age is None or one.from_age.days < other.to_age.days
    ends_after_other_begins = one.to_age is None or other.from_age.days < one.to_age.days
    return begins_before_other_ends and ends_after_other_begins
