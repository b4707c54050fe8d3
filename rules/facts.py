"""What a rule may know: the declaration of a fact, and whether a supplied value is what it claims to be."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rules.language import LARGEST_NUMBER, looks_like_time

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


_LONGEST_CODE = 256

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

    def fits(self, value: Any) -> bool:
        """Whether a supplied value is of the declared type, within its codes and bounds."""
        match self.type:
            case FactType.BOOLEAN:
                return isinstance(value, bool)
            case FactType.INTEGER | FactType.MONEY:
                return _is_number(value) and float(value).is_integer() and self._within(value)
            case FactType.NUMBER:
                return _is_number(value) and self._within(value)
            case FactType.CODE:
                return self._knows(value)
            case FactType.CODES:
                return isinstance(value, list | tuple) and all(self._knows(code) for code in value)
            case FactType.DATE:
                return isinstance(value, str) and _is_date(value)
            case FactType.INSTANT:
                return isinstance(value, str) and normal_instant(value) is not None
            case FactType.RECORDS:
                return isinstance(value, list | tuple) and all(self._record_fits(record) for record in value)

    def normal(self, value: Any) -> Any:
        """A fitting value in the one spelling that is evaluated: instants in UTC, nulls in records left out."""
        match self.type:
            case FactType.INSTANT:
                return normal_instant(value)
            case FactType.RECORDS:
                fields = {field.path: field for field in self.fields}
                return [
                    {name: fields[name].normal(part) for name, part in record.items() if part is not None}
                    for record in value
                ]
            case FactType.INTEGER | FactType.MONEY:
                return int(value)
            case FactType.CODE:
                return str(value)  # an enumeration's member is its code
            case FactType.CODES:
                return [str(code) for code in value]
            case _:
                return value

    def _within(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)

    def _knows(self, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if self.codes:
            return value in self.codes
        return 0 < len(value) <= _LONGEST_CODE and value.isprintable() and not looks_like_time(value)

    def _record_fits(self, record: Any) -> bool:
        if not isinstance(record, dict):
            return False
        fields = {field.path: field for field in self.fields}
        given = {name: value for name, value in record.items() if value is not None}
        if not given.keys() <= fields.keys():
            return False
        if any(not field.absent and field.path not in given for field in self.fields):
            return False
        return all(fields[name].fits(value) for name, value in given.items())


def normal_instant(text: str) -> str | None:
    """An ISO 8601 instant with its offset, as UTC `…Z` with what fraction it has; None when it is no instant."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or len(text) < len("2026-01-01T00:00"):
        return None
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:  # the first or last hours of the calendar, in another offset
        return None


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


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and abs(value) <= LARGEST_NUMBER


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
