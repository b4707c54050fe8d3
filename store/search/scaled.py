"""Decimals as 64-bit integers that keep their order: only integers are compared fast under row security.

An integer is the decimal's exponent and its first fifteen digits, so 0.0000015 mol/L and 1.5e12 cells are both kept
without loss; FHIR asks servers for no more digits than a double has.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

LOWEST = -(2**63)
HIGHEST = 2**63 - 1

_DIGITS = 15
_STEP = 10**_DIGITS
_LARGEST = 300  # exponents beyond it are infinite, or nothing


def scaled(value: Decimal) -> int:
    """The integer of a finite decimal: `a < b` as decimals makes `scaled(a) <= scaled(b)`."""
    if not value:
        return 0
    exponent = value.adjusted()
    if exponent > _LARGEST:
        return LOWEST if value < 0 else HIGHEST
    if exponent < -_LARGEST:
        return 0
    mantissa = int(abs(value).scaleb(_DIGITS - 1 - exponent).to_integral_value(ROUND_HALF_EVEN))
    if mantissa == _STEP:  # rounded up to the next power of ten
        mantissa, exponent = _STEP // 10, exponent + 1
    magnitude: int = (exponent + _LARGEST + 1) * _STEP + mantissa
    return -magnitude if value < 0 else magnitude


def precision(text: str) -> tuple[Decimal, Decimal]:
    """What a number in a search means: 100 is [99.5, 100.5), 100.00 is [99.995, 100.005), 1e2 is [95, 105).

    The last is R4's own example, though one digit would say half of a hundred: what is written with a power of ten
    above one counts one digit more. hl7.org/fhir/R4/search.html#number. Raises InvalidOperation for what is no number.
    """
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101  # the parser lets finite numbers through only
    half = Decimal((0, (5,), exponent - (2 if exponent > 0 else 1)))
    return value - half, value + half
