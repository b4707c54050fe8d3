"""Types as FHIRPath sees them: FHIR's from HL7's definitions, the language's own (`System`), and how they convert.

hl7.org/fhir/R4/fhirpath.html#types: a FHIR `code` is a FHIR.code whose value is a System.String. Everything here is
made once a process and looked up by evaluation, so that a step over a resource costs a dictionary lookup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Final, Literal

from domain import fhir
from domain.fhirpath.numbers import LARGEST_EXPONENT, decimals
from domain.fhirpath.quantities import Quantity
from domain.fhirpath.temporal import Temporal, parse_date, parse_datetime, parse_time

Value = bool | int | Decimal | str | Temporal | Quantity
"""A value of the language."""
Convert = Callable[[Any], Value | None]

UCUM: Final = "http://unitsofmeasure.org"
# UCUM's codes of time in a FHIR Quantity are the calendar's durations (hl7.org/fhir/R4/fhirpath.html, Quantity).
_CALENDAR_OF_UCUM: Final = {
    "a": "year",
    "mo": "month",
    "wk": "week",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
}


class Type:
    """A type. `name` is a path for an anonymous one, `Patient.contact`.

    `convert` makes the language's value of what stands in JSON; None for a type that has no such value.
    """

    def __init__(
        self,
        namespace: Literal["FHIR", "System"],
        name: str,
        shown: str,
        ancestors: frozenset[str],
        convert: Convert | None,
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.shown = shown
        self.ancestors = ancestors
        self.convert = convert
        self.primitive = (
            namespace == "FHIR" and convert is not None and name in fhir.types() and fhir.is_primitive(name)
        )
        self.resource = "Resource" in ancestors

    def __repr__(self) -> str:
        return f"{self.namespace}.{self.name}"

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        return _fields(self)

    def is_a(self, other: Type) -> bool:
        """Whether it is the other type or specialises it."""
        return other is self or (other.namespace == self.namespace and other.name in self.ancestors)


@dataclass(frozen=True, slots=True)
class Field:
    """An element as a step finds it in JSON.

    `key` and `twin` (the `_key` of a primitive, else empty) with their `type`; or `options`, one for each type of a
    choice. `own` marks `value` of a primitive, which is the primitive itself.
    """

    name: str
    key: str
    twin: str
    type: Type
    repeats: bool
    options: tuple[Field, ...] = ()
    own: bool = False


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any) -> Decimal | None:
    """None beyond all bounds: `1e999999999` is short in JSON and a gigabyte when written out."""
    if isinstance(value, float):
        value = Decimal(repr(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    return value if abs(value.adjusted()) <= LARGEST_EXPONENT and decimals(value) <= LARGEST_EXPONENT else None


def _date(value: Any) -> Temporal | None:
    return parse_date(value) if isinstance(value, str) else None


def _datetime(value: Any) -> Temporal | None:
    return parse_datetime(value) if isinstance(value, str) else None


def _time(value: Any) -> Temporal | None:
    return parse_time(value) if isinstance(value, str) else None


def _quantity(value: Any) -> Quantity | None:
    """Without UCUM's system the unit is only a word, comparable with itself."""
    if not isinstance(value, dict):
        return None
    number = _decimal(value.get("value"))
    if number is None or "comparator" in value:
        return None
    code, unit = _text(value.get("code")), _text(value.get("unit"))
    if value.get("system") == UCUM and code in _CALENDAR_OF_UCUM:
        return Quantity(number, _CALENDAR_OF_UCUM[code], calendar=True)
    return Quantity(number, code or unit or "1")


def _itself(value: Any) -> Value | None:
    converted: Value = value
    return converted


_SYSTEM_NAMES: Final = ("Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity")
SYSTEM: Final = MappingProxyType(
    {
        # A decimal that a caller hands in has the bounds of one that stands in a resource.
        name: Type("System", name, name, frozenset({name, "Any"}), _decimal if name == "Decimal" else _itself)
        for name in _SYSTEM_NAMES
    }
)
BOOLEAN, STRING, INTEGER, DECIMAL = (SYSTEM[name] for name in _SYSTEM_NAMES[:4])
QUANTITY: Final = SYSTEM["Quantity"]

_CONVERSIONS: Final[Mapping[str, Convert]] = {
    "boolean": _boolean,
    "integer": _integer,
    "string": _text,
    "uri": _text,
    "base64Binary": _text,
    "xhtml": _text,
    "decimal": _decimal,
    "date": _date,
    "dateTime": _datetime,
    "instant": _datetime,
    "time": _time,
    "Quantity": _quantity,
}
_ANONYMOUS: Final = frozenset({"BackboneElement", "Element"})


@cache
def fhir_type(name: str) -> Type | None:
    """A type of R4 by its name, or the anonymous type at a path; None where there is neither."""
    if name in fhir.types():
        ancestors = fhir.supertypes(name)
        convert = next((_CONVERSIONS[each] for each in ancestors if each in _CONVERSIONS), None)
        return Type("FHIR", name, name, frozenset(ancestors), convert)
    found = fhir.element(name) if "." in name else None
    if found is None:
        return None
    if found.path != name or found.content_reference:
        return fhir_type(found.content_reference or found.path)
    if len(found.types) == 1 and found.types[0] not in _ANONYMOUS:
        return fhir_type(found.types[0])
    shown = found.types[0] if len(found.types) == 1 else "Element"
    return Type("FHIR", name, shown, frozenset({*fhir.supertypes(shown), name}), None)


def known_type(name: str) -> Type:
    """A type that HL7's own definitions name."""
    found = fhir_type(name)
    if found is None:
        raise LookupError(name)
    return found


TYPE_INFO: Final = Type("System", "SimpleTypeInfo", "SimpleTypeInfo", frozenset({"SimpleTypeInfo", "Any"}), None)


def _fields(owner: Type) -> Mapping[str, Field]:
    if owner is TYPE_INFO:
        return {name: Field(name, name, "", STRING, repeats=False) for name in ("namespace", "name")}
    if owner.namespace == "System":
        return {}
    single: dict[str, Field] = {}
    choices: dict[str, list[Field]] = {}
    for key, element in fhir.children(owner.name).items():
        if len(element.types) == 1 and element.types[0] not in _ANONYMOUS:
            type_ = known_type(element.types[0])
        else:
            type_ = known_type(element.content_reference or element.path)
        field = Field(element.name, key, f"_{key}" if type_.primitive else "", type_, element.repeats)
        if element.choice:
            choices.setdefault(element.name, []).append(field)
        else:
            single[element.name] = field
    for name, options in choices.items():
        single[name] = Field(name, "", "", known_type("Element"), repeats=False, options=tuple(options))
    if owner.primitive and owner.convert is not None:
        single["value"] = Field("value", "", "", _system_of(owner), repeats=False, own=True)
    return single


_SYSTEM_OF: Final = {
    _boolean: "Boolean",
    _integer: "Integer",
    _decimal: "Decimal",
    _text: "String",
    _date: "Date",
    _datetime: "DateTime",
    _time: "Time",
    _quantity: "Quantity",
}


def _system_of(owner: Type) -> Type:
    return SYSTEM[_SYSTEM_OF[owner.convert]] if owner.convert in _SYSTEM_OF else owner


def system_type(owner: Type) -> Type | None:
    """The language's type that a type's values convert to; None for one that has no such value."""
    return owner if owner.namespace == "System" else (None if owner.convert is None else _system_of(owner))


@cache
def named_types(name: str) -> tuple[Type, ...]:
    """What a type specifier names; `Quantity` alone is FHIR's and the language's. Empty for a name that is no type."""
    namespace, _, rest = name.rpartition(".")
    found: list[Type] = []
    if namespace in ("", "FHIR") and (of_fhir := fhir_type(rest)) is not None:
        found.append(of_fhir)
    if namespace in ("", "System") and rest in SYSTEM:
        found.append(SYSTEM[rest])
    return tuple(found)
