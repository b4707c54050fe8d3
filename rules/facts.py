"""What a rule may know: the declaration of a fact, and whether a supplied value is what it claims to be."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rules.language import looks_like_time
from rules.taking import NOT_IT, Take, taker

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
FactPath = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=120)]
Facts = dict[str, Any]
"""Facts as a process supplies them: nested by their path, `{"patient": {"age": 70}}` for `patient.age`."""


class Part(BaseModel):
    """A piece of a rule's document: frozen, and nothing that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """A sentence in both languages of the house."""

    ko: str
    en: str

    def in_(self, language: str) -> str:
        return self.ko if language == "ko" else self.en


class FactType(StrEnum):
    """MONEY is whole won. CODES is a list of codes. RECORDS is a list of records of declared fields."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    CODE = "code"
    CODES = "codes"
    DATE = "date"
    INSTANT = "instant"
    RECORDS = "records"


class Privacy(StrEnum):
    """What a fact gives away. Rules read nothing that names a person: there is no class for identifiers."""

    OPERATIONAL = "operational"  # about beds, clocks, queues
    DEMOGRAPHIC = "demographic"  # age, sex
    CLINICAL = "clinical"
    SENSITIVE = "sensitive"  # infections, mental health, pregnancy: 민감정보 with further protection
    FINANCIAL = "financial"


QUANTITIES = frozenset({FactType.INTEGER, FactType.NUMBER})
CODED = frozenset({FactType.CODE, FactType.CODES})


class FactDefinition(Part):
    """One fact, declared once.

    unit: UCUM, `1` for a count or score; quantities only.  system: the code system's name or URI.  codes: the allowed
    ones with their titles; empty for an open system such as KCD.  absent: the process may have nothing to supply.
    default_allowed: a rule may write a default for it.  fields: of each record.  source: the FHIR element or
    derivation it comes from.
    """

    path: FactPath
    type: FactType
    title: Text
    unit: str | None = None
    system: str | None = None
    codes: dict[str, Text] = Field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    absent: bool = False
    default_allowed: bool = False
    privacy: Privacy
    source: str
    fields: tuple[FactDefinition, ...] = ()

    @model_validator(mode="after")
    def _is_measured_or_coded(self) -> Self:
        if (self.type in QUANTITIES) != (self.unit is not None):
            raise ValueError("a quantity needs a unit (UCUM, `1` for a count), and nothing else has one")
        if (self.type in CODED) != (self.system is not None):
            raise ValueError("a coded fact names its code system, and nothing else does")
        if self.codes and self.type not in CODED:
            raise ValueError("only a coded fact lists codes")
        if (self.type is FactType.RECORDS) != bool(self.fields):
            raise ValueError("records list their fields, and nothing else does")
        if self.default_allowed and not self.absent:
            raise ValueError("a default is for a fact that may be absent")
        for code in self.codes:
            if looks_like_time(code):
                raise ValueError(f"the code {code!r} reads as a time, which the evaluator would compare by its length")
        return self

    @cached_property
    def take(self) -> Take:
        """A supplied value of the declared type, within its codes and bounds, as it is evaluated; else NOT_IT.

        Instants come in UTC, whole numbers as such, nulls in records are left out.
        """
        return taker(self)

    def fits(self, value: Any) -> bool:
        """Whether a supplied value is of the declared type, within its codes and bounds."""
        return self.take(value) is not NOT_IT


def look_up(facts: Any, path: tuple[str, ...]) -> Any:
    """The value at a path, or None where there is none: a null fact is an absent one."""
    for part in path:
        if not isinstance(facts, dict):
            return None
        facts = facts.get(part)
    return facts


def nested(flat: dict[str, Any]) -> Facts:
    """Facts by their dotted path, as the evaluator reads them. `{"a.b": 1}` becomes `{"a": {"b": 1}}`."""
    facts: Facts = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        here = facts
        for parent in parents:
            here = here.setdefault(parent, {})
        here[last] = value
    return facts
