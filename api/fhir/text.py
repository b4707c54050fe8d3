"""Bytes that clients send, as JSON and back: within limits, and every decimal with the digits it came with.

FHIR R4: hl7.org/fhir/R4/json.html. "72.50" and "72.5" are different results of a measurement
(hl7.org/fhir/R4/datatypes.html#decimal), so numbers are read as Decimal and never pass through a float.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import accumulate
from typing import Any, NoReturn

from domain.errors import Invalid, TooCostly
from store.fhir.text import written

Json = dict[str, Any]

DEEPEST = 100
"""Levels of objects and arrays. The deepest Questionnaires in use have about forty."""

LONGEST_NUMBER = 64
"""Characters of a number. FHIR promises eighteen digits; instruments print fewer."""

MOST_VALUES = 3_000_000
"""Commas and colons of a body: two bytes may become a hundred in memory. Records have one in every fifteen bytes."""

_LARGEST_EXPONENT = 300

_STRUCTURE = b'{}[]"'
_NOT_STRUCTURE = bytes(set(range(256)) - set(_STRUCTURE))
_STEPS = bytes.maketrans(b"{[}]", b"\x01\x01\xff\xff")
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_QUOTED = re.compile(rb'"[^"]*"')
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_SUSPECT = re.compile(rb"\\u(?:[dD][89a-fA-F]|00[01])")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def parse(body: bytes) -> Any:
    """JSON as Python objects. Raises TooCostly; Invalid: no UTF-8, no JSON, a name twice, too deep, a wrong number."""
    if len(body) > MOST_VALUES and body.count(b",") + body.count(b":") > MOST_VALUES:
        raise TooCostly(f"more than {MOST_VALUES} values in one body", limit=str(MOST_VALUES))
    if too_deep(body):
        raise Invalid(f"nested deeper than {DEEPEST} levels", field="")
    try:
        value = _read(body)
    except RecursionError:
        raise Invalid(f"nested deeper than {DEEPEST} levels", field="") from None
    if _SUSPECT.search(body):
        _refuse_unspeakable(value, "")
    return value


def write(value: Json) -> bytes:
    """JSON text in UTF-8, decimals with the digits they have."""
    return written(value)


def pretty(text: bytes) -> bytes:
    """Well-formed JSON laid out over lines. Only space between its signs changes, so every number keeps its digits."""
    parts: list[str] = []
    depth, empty = 0, False
    for match in _SIGNS.finditer(text.decode()):
        sign = match[0]
        if sign in "{[":
            parts.append(_line(depth) + sign if empty else sign)
            depth, empty = depth + 1, True
        elif sign in "}]":
            depth -= 1
            parts.append(sign if empty else _line(depth) + sign)
            empty = False
        elif sign == ",":
            parts.append("," + _line(depth))
        elif sign == ":":
            parts.append(": ")
        else:
            parts.append(_line(depth) + sign if empty else sign)
            empty = False
    return "".join((*parts, "\n")).encode()


def _line(depth: int) -> str:
    return "\n" + "  " * depth


def too_deep(body: bytes) -> bool:
    """Whether brackets nest deeper than DEEPEST, found without parsing, in one pass of C loops."""
    if body.count(b"{") + body.count(b"[") <= DEEPEST:
        return False
    bare = _ESCAPED.sub(b"", body) if b"\\" in body else body
    brackets = _QUOTED.sub(b"", bare.translate(_STEPS, _NOT_STRUCTURE))
    # Signed bytes, 1 for each that opens and -1 for each that closes; brackets that do not match are the parser's.
    return max(accumulate(memoryview(brackets).cast("b")), default=0) > DEEPEST


def _read(body: bytes) -> Any:
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        raise Invalid(f"the body is not UTF-8: byte {wrong.start}", field="") from None
    try:
        return json.loads(
            text.removeprefix("\ufeff"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as wrong:
        raise Invalid(f"not JSON: {wrong.msg}, line {wrong.lineno} column {wrong.colno}", field="") from None


def _object(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Invalid("a name stands twice in one object", field=twice[:64])
    return made


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise Invalid(f"a number of more than {LONGEST_NUMBER} characters", field="")
    value = Decimal(text)
    if abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise Invalid(f"a number beyond 1e{_LARGEST_EXPONENT}", field="")
    return value


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise Invalid(f"a number of more than {LONGEST_NUMBER} characters", field="")
    return int(text)


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is not a number in JSON", field="")


def _refuse_unspeakable(value: Any, where: str) -> None:
    """Control characters and halves of surrogate pairs: no text can hold them, no database keeps them."""
    if isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise Invalid("a string holds a control character or half a surrogate pair", field=where)
    elif isinstance(value, dict):
        for name, each in value.items():
            if _FORBIDDEN.search(name):
                raise Invalid("a name holds a control character or half a surrogate pair", field=where)
            _refuse_unspeakable(each, f"{where}/{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _refuse_unspeakable(each, f"{where}/{index}")
