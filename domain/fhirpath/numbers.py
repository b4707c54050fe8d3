"""Integer and Decimal of FHIRPath: exact, bounded, with their precision.

hl7.org/fhirpath/N1/#integer, #decimal, #math. Overflow gives the empty collection, never an error and never a long
calculation.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from typing import Final

LARGEST_EXPONENT: Final = 400
LARGEST_INTEGER: Final = 2**31 - 1
DIGITS: Final = 38
"""Significant digits of a result; the language asks for 28 or more."""
PRECISION: Final = Context(prec=DIGITS, Emax=LARGEST_EXPONENT, Emin=-LARGEST_EXPONENT)
_MOST_DECIMALS: Final = 8
_FINEST: Final = 31
"""Decimals that a boundary may be asked for."""

Number = int | Decimal


def exact(value: Decimal) -> Decimal:
    """Without the zeros a division leaves behind: 4 / 2 is 2."""
    return value.normalize(PRECISION) if value else Decimal(0)


def fits(value: int) -> int | None:
    return value if -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER else None


def decimals(value: Decimal) -> int:
    """Digits written after the point."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def rounded(value: Number, digits: int) -> Decimal | None:
    """Half away from zero, as people round."""
    try:
        return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, PRECISION)
    except DecimalException:
        return None


def rounded_alike(left: Number, right: Number) -> bool:
    """Equivalence of decimals: equal when rounded to the less precise, trailing zeros aside."""
    one, other = exact(Decimal(left)), exact(Decimal(right))
    digits = min(decimals(one), decimals(other))
    return rounded(one, digits) == rounded(other, digits)


def boundary(value: Decimal, digits: int | None, *, high: bool) -> Decimal | None:
    """The least or greatest number that `value`, written with its decimals, may stand for, to so many digits."""
    wanted = _MOST_DECIMALS if digits is None else digits
    if not 0 <= wanted <= _FINEST:
        return None
    unit = Decimal(1).scaleb(-wanted)
    with localcontext(PRECISION):
        if value and abs(value) < unit:
            # Nothing of the number shows at this precision: HL7's cases give a zero with its sign, not a whole unit.
            return Decimal(0).scaleb(-wanted).copy_sign(value)
        half = Decimal(5).scaleb(-decimals(value) - 1)
        try:
            return (value + half if high else value - half).quantize(unit, ROUND_CEILING if high else ROUND_FLOOR)
        except DecimalException:
            return None
