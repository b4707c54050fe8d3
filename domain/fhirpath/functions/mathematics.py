"""Functions of numbers, and the precision and boundaries of values.

hl7.org/fhirpath/N1/#math; lowBoundary, highBoundary, precision, comparable as hl7.org/fhirpath/ has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, DecimalException, localcontext

from domain.fhirpath import calendars, numbers, quantities
from domain.fhirpath.arithmetic import negated
from domain.fhirpath.evaluation import Run
from domain.fhirpath.functions.registry import eager, number_of, single, whole_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import Value
from domain.fhirpath.nodes import Nodes, literal, truth, whole
from domain.fhirpath.numbers import PRECISION, Number, exact
from domain.fhirpath.quantities import Quantity
from domain.fhirpath.temporal import Temporal


def _given(value: Value | None) -> Nodes:
    if value is None or (isinstance(value, int) and numbers.fits(value) is None):
        return []
    return [literal(value)]


def _of_number(name: str, apply: Callable[[Number], Number | None]) -> None:
    @eager(name)
    def run(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
        value = number_of(focus, at)
        return [] if value is None else _calculated(lambda: apply(value))


def _calculated(calculate: Callable[[], Number | None]) -> Nodes:
    """Empty for what has no result: a root of -1, an overflow."""
    try:
        with localcontext(PRECISION):
            return _given(calculate())
    except (DecimalException, OverflowError):
        return []


def _integral(mode: str) -> Callable[[Number], int]:
    return lambda value: int(Decimal(value).to_integral_value(mode))


_of_number("ceiling", _integral(ROUND_CEILING))
_of_number("floor", _integral(ROUND_FLOOR))
_of_number("truncate", _integral(ROUND_DOWN))
_of_number("exp", lambda value: exact(Decimal(value).exp()))
_of_number("ln", lambda value: exact(Decimal(value).ln()) if value > 0 else None)
_of_number("sqrt", lambda value: exact(Decimal(value).sqrt()) if value >= 0 else None)


@eager("abs")
def abs_(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    node = single(focus, at)
    value = None if node is None else node.system
    if isinstance(value, Quantity):
        return _given(Quantity(value.value.copy_abs(), value.unit, value.calendar))
    number = number_of(focus, at)
    return [] if number is None else _given(number if number >= 0 else negated(number))


@eager("log", 1)
def log(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    value, base = number_of(focus, at), number_of(arguments[0], at)
    if value is None or base is None or value <= 0 or base <= 0 or base == 1:
        return []

    def calculate() -> Decimal:
        # One digit of the quotient of two rounded logarithms is lost: 16.log(2) is 4, not 3.999…
        with localcontext(PRECISION) as context:
            context.prec += 6
            quotient = Decimal(value).ln() / Decimal(base).ln()
        return exact(+quotient)

    return _calculated(calculate)


@eager("power", 1)
def power(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    value, exponent = number_of(focus, at), number_of(arguments[0], at)
    if value is None or exponent is None:
        return []

    def calculate() -> Number:
        result = Decimal(value) ** Decimal(exponent)
        if isinstance(value, int) and isinstance(exponent, int) and exponent >= 0:
            return int(result)
        return exact(result)

    return _calculated(calculate)


@eager("round", 0, 1)
def round_(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    value = number_of(focus, at)
    digits = whole_of(arguments[0], at) if arguments else 0
    if value is None or digits is None:
        return []
    if digits < 0:
        raise refused("a number cannot be rounded to fewer than no decimals", at)
    result = numbers.rounded(value, digits)
    return [] if result is None else [literal(result)]


def _boundary(name: str, *, high: bool) -> None:
    @eager(name, 0, 1)
    def run(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
        node = single(focus, at)
        digits = whole_of(arguments[0], at) if arguments else None
        if node is None or (arguments and digits is None):
            return []
        value = node.system
        if isinstance(value, Temporal):
            return _given(calendars.boundary(value, digits, high=high))
        if isinstance(value, Quantity):
            bound = numbers.boundary(value.value, digits, high=high)
            return [] if bound is None else _given(Quantity(bound, value.unit, value.calendar))
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _given(numbers.boundary(Decimal(value), digits, high=high))
        if value is None and node.value is None:
            return []
        raise refused(f"{name} takes numbers, quantities, dates and times", at)


_boundary("lowBoundary", high=False)
_boundary("highBoundary", high=True)


@eager("precision")
def precision(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    node = single(focus, at)
    value = None if node is None else node.system
    if value is None:
        return []
    if isinstance(value, Temporal):
        return whole(value.digits)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return whole(numbers.decimals(Decimal(value)))
    raise refused("precision takes numbers, dates and times", at)


@eager("comparable", 1)
def comparable(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    left, right = single(focus, at), single(arguments[0], at)
    if left is None or right is None:
        return []
    one, other = left.system, right.system
    if not isinstance(one, Quantity) or not isinstance(other, Quantity):
        raise refused("comparable takes two quantities", at)
    return truth(quantities.comparable(one, other))
