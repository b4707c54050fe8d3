"""What is given and what it costs: medicines and fees; and the diagnoses that explain both."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from domain import ucum
from domain.setup.kinds import Code, Content, Kind, Ref

ROUTES = ("PO", "SL", "IV", "IM", "SC", "IT", "IH", "TD", "TP", "OP", "OT", "NS", "PR", "VG")
"""HL7 v2 table 0162, as far as hospitals here use it."""

Control = Literal["none", "narcotic", "psychotropic", "precursor"]
"""Act on narcotics (마약류관리법): 마약, 향정신성의약품."""

Amount = Annotated[Decimal, Field(gt=0, le=10_000_000)]


class Medicine(Content):
    """A product of the formulary.

    max_single, max_daily: for an adult, in `max_unit`.  interval_days: least days between doses, where a daily dose
    would harm (methotrexate by mouth: 7).  high_alert: kept and given with double checks.
    """

    ingredient: Annotated[str, StringConstraints(min_length=2, max_length=120)]
    atc: Annotated[str, StringConstraints(pattern=r"^([A-Z][0-9]{2}[A-Z]{2}[0-9]{2})?$")] = ""
    form: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{2,30}$")]
    strength: Amount
    strength_unit: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    routes: Annotated[str, StringConstraints(max_length=60)]
    max_single: Amount | None = None
    max_daily: Amount | None = None
    max_unit: Annotated[str, StringConstraints(max_length=40)] = ""
    interval_days: Annotated[int, Field(ge=1, le=366)] | None = None
    high_alert: bool
    control: Control = "none"
    fee: Code | Literal[""] = ""
    status: Literal["active", "suspended"] = "active"

    @field_validator("routes")
    @classmethod
    def _known(cls, text: str) -> str:
        named = [route.strip() for route in text.split(",") if route.strip()]
        if not named or (strange := sorted(set(named) - set(ROUTES))):
            raise ValueError(f"a route is one of {', '.join(ROUTES)}" + (f", not {strange[0]}" if named else ""))
        return ",".join(dict.fromkeys(named))

    @model_validator(mode="after")
    def _safe(self) -> Self:
        for unit in filter(None, (self.strength_unit, self.max_unit)):
            if ucum.parse(unit) is None:
                raise ValueError(f"{unit} is no unit of UCUM")
        limits = (self.max_single, self.max_daily)
        if any(limits) and not self.max_unit:
            raise ValueError("max_unit: the greatest dose needs its unit")
        if self.max_single and self.max_daily and self.max_single > self.max_daily:
            raise ValueError("max_single: more at once than in a day")
        if self.control == "narcotic" and not self.high_alert:
            raise ValueError("high_alert: a narcotic always is")
        return self

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(self.routes.split(","))

    def needs(self) -> tuple[Ref, ...]:
        return (Ref("fee", Kind.FEE, self.fee),) if self.fee else ()


class Fee(Content):
    """A line of the fee schedule. `category`: the claim's 항, 01 to 10 and W.  Points times a yearly factor, or won."""

    category: Annotated[str, StringConstraints(pattern=r"^(0[1-9]|10|[A-Z])$")]
    price_kind: Literal["points", "won"]
    amount: Annotated[Decimal, Field(ge=0, le=1_000_000_000, decimal_places=2)]
    coverage: Literal["covered", "full-copay", "non-covered"]
    agency_code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,9}$")] = ""

    @model_validator(mode="after")
    def _whole_won(self) -> Self:
        if self.price_kind == "won" and self.amount != self.amount.to_integral_value():
            raise ValueError("amount: won has no decimals")
        if self.category == "W" and self.coverage != "non-covered":
            raise ValueError("category: W is for what is not covered")
        return self


class Diagnosis(Content):
    """A code of KCD. From when and to when it may be used stands beside it, as with every entry."""
