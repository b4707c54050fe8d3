"""`+ - * / div mod &` between single values.

hl7.org/fhirpath/N1/#math and #datetime-arithmetic. An overflow, like a division by zero, gives the empty collection.
"""

from __future__ import annotations

from decimal import Decimal, DecimalException, localcontext

from domain.fhirpath import calendars, quantities
from domain.fhirpath.evaluation import LONGEST_TEXT
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import Value
from domain.fhirpath.numbers import PRECISION, Number, fits
from domain.fhirpath.quantities import Quantity
from domain.fhirpath.temporal import Temporal


def calculate(operator: str, left: Value, right: Value, at: int) -> Value | None:
    """The result, None where there is none. Raises Invalid for types that the operator does not take."""
    if isinstance(left, str) and isinstance(right, str) and operator == "+":
        return concatenated(left, right, at)
    if isinstance(left, Temporal) and isinstance(right, Quantity) and operator in "+-":
        return calendars.add(left, right, 1 if operator == "+" else -1)
    if isinstance(left, bool) or isinstance(right, bool):
        raise refused(f"{operator} does not take these types", at)
    try:
        with localcontext(PRECISION):
            if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
                return _numbers(operator, left, right)
            if isinstance(left, int | Decimal | Quantity) and isinstance(right, int | Decimal | Quantity):
                return _quantities(operator, _quantity(left), _quantity(right), at)
    except DecimalException:
        return None
    raise refused(f"{operator} does not take these types", at)


def negated(value: Number | Quantity) -> Value:
    """Exactly, whatever its length; there is no minus nought."""
    if isinstance(value, Quantity):
        return Quantity(_negative(value.value), value.unit, value.calendar)
    return -value if isinstance(value, int) else _negative(value)


def _negative(value: Decimal) -> Decimal:
    return value.copy_negate() if value else value.copy_abs()


def concatenated(left: str, right: str, at: int) -> str:
    if len(left) + len(right) > LONGEST_TEXT:
        raise refused(f"the string grows beyond {LONGEST_TEXT} characters", at)
    return left + right


def _quantity(value: Number | Quantity) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(Decimal(value))


def _numbers(operator: str, left: Number, right: Number) -> Number | None:
    result: Number
    match operator:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case _ if right == 0:
            return None
        case "/":
            return Decimal(left) / Decimal(right)
        case "div":
            # towards zero, as Decimal divides: -5 div 2 is -2
            quotient = int(Decimal(left) // Decimal(right))
            return fits(quotient)
        case _:
            remainder = Decimal(left) % Decimal(right)
            return int(remainder) if isinstance(left, int) and isinstance(right, int) else remainder
    return fits(result) if isinstance(result, int) else result


def _quantities(operator: str, left: Quantity, right: Quantity, at: int) -> Quantity | None:
    match operator:
        case "+" | "-":
            return quantities.added(left, right, 1 if operator == "+" else -1)
        case "*":
            return quantities.multiplied(left, right)
        case "/":
            return quantities.divided(left, right)
        case _:
            raise refused(f"{operator} does not take quantities", at)
