"""What can be examined: specimens, laboratory tests and images."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain import ucum
from domain.setup.kinds import Code, Content, Kind, Ref, Words
from domain.setup.ranges import ReferenceRange, parse

Minutes = Annotated[int, Field(ge=1, le=129_600)]
Loinc = Annotated[str, StringConstraints(pattern=r"^([0-9]{1,7}-[0-9])?$")]
Status = Literal["active", "suspended"]
"""Suspended: not offered for a while, such as for want of a reagent."""


def loinc_sound(code: str) -> bool:
    """Whether the check digit fits (Mod 10, LOINC Users' Guide, appendix)."""
    digits, _, check = code.partition("-")
    doubled = int("".join(reversed(digits))[::2]) * 2
    rest = "".join(reversed(digits))[1::2]
    total = sum(int(digit) for digit in f"{rest}{doubled}")
    return (10 - total % 10) % 10 == int(check)


class Specimen(Content):
    """What is taken and in what. `type`: HL7 v2 table 0487.  stable_hours: how long it can still be examined."""

    type: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,10}$")]
    container_ko: Words = ""
    container_en: Words = ""
    cap: Annotated[str, StringConstraints(pattern=r"^[a-z]{0,20}$")] = ""
    volume_ml: Annotated[Decimal, Field(gt=0, le=5000)]
    stable_hours: Annotated[Decimal, Field(gt=0, le=10_000)] | None = None
    handling_ko: Words = ""
    handling_en: Words = ""


class Laboratory(Content):
    """A test. Ranges as in `domain.setup.ranges`. Critical limits and delta (`50/72`: per cent, hours) feed rules.

    kind: a number with its unit, one of a few words, or a text.  normal: the word that is normal, `음성/Negative`.
    """

    loinc: Loinc = ""
    section: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,30}$")]
    specimen: Code
    kind: Literal["quantity", "ordinal", "text"]
    unit: Annotated[str, StringConstraints(max_length=40)] = ""
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    ranges: Annotated[str, StringConstraints(max_length=600)] = ""
    normal: Words = ""
    critical_low: Decimal | None = None
    critical_high: Decimal | None = None
    delta: Annotated[str, StringConstraints(pattern=r"^(\d{1,4}/\d{1,4})?$")] = ""
    stat_minutes: Minutes | None = None
    routine_minutes: Minutes
    fee: Code | Literal[""] = ""
    status: Status = "active"

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        if self.loinc and not loinc_sound(self.loinc):
            raise ValueError(f"loinc: the check digit of {self.loinc} does not fit")
        if self.kind != "quantity":
            numeric = (self.unit, self.ranges, self.critical_low, self.critical_high, self.decimals)
            if any(part not in {"", None} for part in numeric):
                raise ValueError(f"kind: a test that gives {self.kind} has no unit, decimals, ranges or limits")
            return self
        if not self.unit or ucum.parse(self.unit) is None:
            raise ValueError(f"unit: {self.unit or 'nothing'} is no unit of UCUM")
        if self.decimals is None:
            raise ValueError("decimals: say how many a result is shown with")
        self._limits_outside_ranges()
        return self

    def _limits_outside_ranges(self) -> None:
        low, high = self.critical_low, self.critical_high
        if low is not None and high is not None and low >= high:
            raise ValueError("critical_low: it lies above critical_high")
        for one in self.reference_ranges:
            if low is not None and one.low is not None and one.low < low:
                raise ValueError("critical_low: a value within a range of health would be critical")
            if high is not None and one.high is not None and one.high > high:
                raise ValueError("critical_high: a value within a range of health would be critical")

    @property
    def reference_ranges(self) -> tuple[ReferenceRange, ...]:
        return parse(self.ranges)

    def needs(self) -> tuple[Ref, ...]:
        found = [Ref("specimen", Kind.SPECIMEN, self.specimen)]
        if self.fee:
            found.append(Ref("fee", Kind.FEE, self.fee))
        return tuple(found)


class Imaging(Content):
    """An image. `modality`: DICOM.  The checks are asked before it is ordered."""

    loinc: Loinc = ""
    modality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}$")]
    contrast: bool
    pregnancy_check: bool
    mr_check: bool
    routine_minutes: Minutes
    fee: Code | Literal[""] = ""
    status: Status = "active"

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if self.loinc and not loinc_sound(self.loinc):
            raise ValueError(f"loinc: the check digit of {self.loinc} does not fit")
        if self.modality == "MR" and not self.mr_check:
            raise ValueError("mr_check: a magnet is never entered without asking for implants")
        if self.modality in {"CR", "CT", "DX", "MG", "NM", "PT", "RF", "XA"} and not self.pregnancy_check:
            raise ValueError("pregnancy_check: it uses ionising radiation")
        return self

    def needs(self) -> tuple[Ref, ...]:
        return (Ref("fee", Kind.FEE, self.fee),) if self.fee else ()
