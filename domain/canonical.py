"""One spelling for equal JSON values: the bytes that digests and signatures are made over.

Source: RFC 8785 (JSON Canonicalization Scheme): object members in the order of their UTF-16 code units, numbers as
ECMAScript writes them, no white space, UTF-8. One deviation: an integer beyond 2^53 keeps its digits, where the RFC
would round it to a double; two different integers must not share a digest.
"""

from __future__ import annotations

import json
import math
from hashlib import sha256
from typing import Any

_LARGEST_PLAIN = 21  # ECMAScript writes 1e21 and above with an exponent, 1e-7 and below too
_SMALLEST_PLAIN = -7
_DEEPEST = 64


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of a JSON value. Raises ValueError for NaN, infinities, lone surrogates, other types."""
    pieces: list[str] = []
    _write(value, pieces)
    return "".join(pieces).encode()


def kept_json(value: Any) -> bytes:
    """As `canonical_json`, for what must be kept whatever it is: each part that is no JSON stands as what it was.

    `{"not-json": "float"}` fits no declaration, so a decision that is made again from it finds the same lie.
    """
    try:
        return canonical_json(value)
    except (ValueError, RecursionError):
        return canonical_json(_marked(value, _DEEPEST))


def _marked(value: Any, deeper: int) -> Any:
    match value:
        case dict() if deeper and all(isinstance(name, str) and _fits(name) for name in value):
            return {name: _marked(part, deeper - 1) for name, part in value.items()}
        case list() | tuple() if deeper:
            return [_marked(part, deeper - 1) for part in value]
        case dict() | list() | tuple():
            return {"not-json": type(value).__name__}
    return value if _fits(value) else {"not-json": type(value).__name__}


def _fits(value: Any) -> bool:
    try:
        canonical_json(value)
    except ValueError:
        return False
    return True


def canonical_digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal: the identity of a JSON value."""
    return sha256(canonical_json(value)).hexdigest()


def _write(value: Any, to: list[str]) -> None:
    match value:
        case None:
            to.append("null")
        case bool():
            to.append("true" if value else "false")
        case str():
            to.append(json.dumps(str(value), ensure_ascii=False))
        case int():
            to.append(str(int(value)))
        case float():
            to.append(_number(value))
        case dict():
            for index, name in enumerate(sorted(value, key=_code_units)):
                to.append("," if index else "{")
                _write(name, to)
                to.append(":")
                _write(value[name], to)
            to.append("}" if value else "{}")
        case list() | tuple():
            for index, item in enumerate(value):
                to.append("," if index else "[")
                _write(item, to)
            to.append("]" if value else "[]")
        case _:
            raise ValueError(f"{type(value).__name__} is no JSON type")


def _code_units(name: Any) -> bytes:
    if not isinstance(name, str):
        raise ValueError(f"{type(name).__name__} names no member of a JSON object")  # noqa: TRY004  (one error for all)
    return name.encode("utf-16-be")


def _number(value: float) -> str:
    """ECMAScript's Number::toString (ECMA-262, 6.1.6.1.20): the shortest digits that read back as the same double."""
    if not math.isfinite(value):
        raise ValueError("NaN and infinities are no JSON numbers")
    if value == 0:
        return "0"
    sign, digits, exponent = _shortest(value)
    point = len(digits) + exponent  # where the decimal point stands, counted from the first digit
    if len(digits) <= point <= _LARGEST_PLAIN:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= _LARGEST_PLAIN:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if _SMALLEST_PLAIN < point - 1 < 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _shortest(value: float) -> tuple[str, str, int]:
    """Sign, significant digits without zeros at either end, and the power of ten of the last one."""
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = int(power or 0) - len(fraction)
    digits = (whole + fraction).lstrip("0")
    kept = digits.rstrip("0")
    return ("-" if value < 0 else "", kept, exponent + len(digits) - len(kept))
