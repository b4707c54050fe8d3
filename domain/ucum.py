"""Units of measure by UCUM: its grammar whole, and those of its units that stand in hospital records.

The Unified Code for Units of Measure, ucum.org/ucum: terms in §2 of the specification, prefixes in table 1, base units
in table 2. A unit becomes a factor and a dimension over UCUM's seven base units, so that `mg/dL` and `g/L` can be
compared. Arbitrary units (`[iU]`) measure only themselves. A unit that is not here is no error: it measures itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, localcontext
from functools import lru_cache
from typing import Final

from domain.ucum_units import ANY_PREFIX, PREFIXES, SPECIAL, UNITS

_CONTEXT: Final = Context(prec=34, Emax=999, Emin=-999)
_LONGEST: Final = 200
_WORD: Final = re.compile(r"\{[!-z|~]*\}|[./()]|(?:\[[^\]\s]*\]|[^\s.()\[\]{}/+\-0-9]|10[*^])+|[+-]?\d+", re.ASCII)
_NUMBERED: Final = re.compile(r"(.*?[^\d+-])([+-]?\d+)", re.ASCII)

Dimension = tuple[tuple[str, int], ...]
"""Base units with their exponents, sorted; empty for a plain number."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` base units; `offset` is added before multiplying, for temperatures alone."""

    factor: Decimal
    dimension: Dimension
    offset: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Canonical:
    """A value in base units."""

    value: Decimal
    dimension: Dimension


@lru_cache(maxsize=4096)
def parse(code: str) -> Unit | None:
    """The unit of a UCUM code, case sensitive; None where it is malformed or not known here."""
    if not code or len(code) > _LONGEST:
        return None
    if code in SPECIAL:
        base, factor, offset = SPECIAL[code]
        return Unit(Decimal(factor), ((base, 1),), Decimal(offset))
    words = _words(code)
    if words is None:
        return None
    try:
        with localcontext(_CONTEXT):
            return _Term(words).read()
    except (_Unknown, DecimalException):
        return None


def canonical(value: Decimal, code: str) -> Canonical | None:
    """The value in base units; None where the unit is not known or the number leaves all bounds."""
    unit = parse(code)
    if unit is None:
        return None
    try:
        with localcontext(_CONTEXT):
            return Canonical((value + unit.offset) * unit.factor, unit.dimension)
    except DecimalException:
        return None


def convert(value: Decimal, code: str, into: str) -> Decimal | None:
    """The value in another unit; None where the two do not measure the same thing."""
    base, target = canonical(value, code), parse(into)
    if base is None or target is None or base.dimension != target.dimension:
        return None
    try:
        with localcontext(_CONTEXT):
            return (base.value / target.factor - target.offset).normalize()
    except DecimalException:
        return None


class _Unknown(Exception):
    """Not a unit, or none that is known here."""


def _words(code: str) -> list[str] | None:
    words, at = [], 0
    while at < len(code):
        match = _WORD.match(code, at)
        if match is None:
            return None
        words.append(match.group())
        at = match.end()
    return words


class _Term:
    """One pass over the words: components joined by `.` and `/`, from left to right, brackets within."""

    def __init__(self, words: list[str]) -> None:
        self._words = [*words, ""]
        self._at = 0
        self._depth = 0

    def read(self) -> Unit:
        unit = self._term()
        if self._words[self._at]:
            raise _Unknown
        return unit

    def _term(self) -> Unit:
        self._depth += 1
        if self._depth > 20:
            raise _Unknown
        unit = Unit(Decimal(1), ())
        exponent = 1
        if self._words[self._at] == "/":
            self._at += 1
            exponent = -1
        while True:
            unit = _times(unit, self._component(), exponent)
            operator = self._words[self._at]
            if operator not in (".", "/"):
                self._depth -= 1
                return unit
            self._at += 1
            exponent = 1 if operator == "." else -1

    def _component(self) -> Unit:
        word = self._words[self._at]
        if word == "(":
            self._at += 1
            unit = self._term()
            if self._words[self._at] != ")":
                raise _Unknown
            self._at += 1
            return unit
        if word.startswith("{"):
            self._at += 1
            return Unit(Decimal(1), ())
        if not word or word in (".", "/", ")"):
            raise _Unknown
        self._at += 1
        following = self._words[self._at]
        if word.isdigit():
            unit = Unit(Decimal(word), ())
        elif following.lstrip("+-").isdigit():
            self._at += 1
            unit = _power(_atom(word), int(following))
        else:
            unit = _atom(word)
        if self._words[self._at].startswith("{"):
            self._at += 1
        return unit


@lru_cache(maxsize=2048)
def _atom(symbol: str) -> Unit:
    if symbol in UNITS:
        return _defined(symbol)
    for prefix, power in PREFIXES.items():
        rest = symbol[len(prefix) :]
        if symbol.startswith(prefix) and rest in ANY_PREFIX:
            unit = _defined(rest)
            return Unit(unit.factor.scaleb(power), unit.dimension)
    raise _Unknown


def _defined(symbol: str) -> Unit:
    definition = UNITS[symbol]
    if definition is None:
        return Unit(Decimal(1), ((symbol, 1),))
    factor, code = definition
    unit = parse(code)
    if unit is None:
        raise _Unknown
    return Unit(Decimal(factor) * unit.factor, unit.dimension)


def _power(unit: Unit, exponent: int) -> Unit:
    if abs(exponent) > 30:
        raise _Unknown
    return Unit(unit.factor**exponent, _dimension({base: times * exponent for base, times in unit.dimension}))


def _times(left: Unit, right: Unit, exponent: int) -> Unit:
    sums = dict(left.dimension)
    for base, times in right.dimension:
        sums[base] = sums.get(base, 0) + times * exponent
    factor = left.factor * right.factor if exponent == 1 else left.factor / right.factor
    return Unit(factor, _dimension(sums))


def _dimension(exponents: Mapping[str, int]) -> Dimension:
    return tuple(sorted((base, times) for base, times in exponents.items() if times))
