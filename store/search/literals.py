"""Values of search parameters as text: escapes, prefixes, and each kind's own form.

hl7.org/fhir/R4/search.html#escaping, #prefix. Everything raises Invalid with the parameter's name.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import get_args

from domain.errors import Invalid
from domain.ids import FHIR_ID
from store.search.instants import span
from store.search.query import (
    DateValue,
    NearValue,
    NumberValue,
    Prefix,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from store.search.scaled import precision

_PREFIXES: tuple[Prefix, ...] = get_args(Prefix)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
_RELATIVE = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.IGNORECASE)
_KILOMETRES = {"": Decimal(1), "km": Decimal(1), "m": Decimal("0.001"), "[mi_i]": Decimal("1.609344")}
_NEAR_WITHOUT_DISTANCE = Decimal(50)


def split(text: str, separator: str) -> list[str]:
    """Parts at separators that no backslash precedes; the escapes stay for the next level."""
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == separator:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def unescaped(text: str) -> str:
    return re.sub(r"\\([\\,$|])", r"\1", text) if "\\" in text else text


def string_value(text: str, name: str) -> StringValue:
    if not text.strip():
        raise Invalid("an empty value", field=name)
    return StringValue(unescaped(text))


def uri_value(text: str, name: str) -> UriValue:
    if not text:
        raise Invalid("an empty value", field=name)
    return UriValue(unescaped(text))


def token_value(text: str, name: str) -> TokenValue:
    """`code`, `system|code`, `|code`, `system|`."""
    parts = [unescaped(part) for part in split(text, "|")]
    if len(parts) > 2 or not any(parts):
        raise Invalid("a token reads code, system|code, |code or system|", field=name)
    if len(parts) == 1:
        return TokenValue(None, parts[0])
    return TokenValue(parts[0], parts[1] or None)


def of_type_value(text: str, name: str) -> TokenValue:
    parts = [unescaped(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts):
        raise Invalid("an identifier of a type reads system|code|value", field=name)
    return TokenValue(None, parts[2], (parts[0], parts[1]))


def reference_value(text: str, name: str, types: tuple[str, ...], base: str) -> ReferenceValue:
    """`Type/id`, `id`, a URL. types: what an id alone may mean."""
    value = unescaped(text)
    if base and value.startswith(f"{base.rstrip('/')}/"):
        value = value[len(base.rstrip("/")) + 1 :]
    if (relative := _RELATIVE.fullmatch(value)) is not None:
        return ReferenceValue((f"{relative[1]}/{relative[2]}",))
    if FHIR_ID.fullmatch(value):
        return ReferenceValue(tuple(f"{kind}/{value}" for kind in types))
    if _ABSOLUTE.fullmatch(value):
        return ReferenceValue((value,))
    raise Invalid("a reference reads Type/id, id or a URL", field=name)


def prefixed(text: str) -> tuple[Prefix, str]:
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            return prefix, text[2:]
    return "eq", text


def date_value(text: str, name: str, now: datetime | None) -> DateValue:
    prefix, rest = prefixed(text)
    # A space is what a plus sign of a zone becomes in a URL that was not encoded.
    found = span(rest.replace(" ", "+"))
    if found is None:
        raise Invalid("a date reads YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz", field=name)
    low, high = found
    if prefix == "ap":
        # R4 recommends a tenth of the distance between now and the date.
        margin = abs(now - low) / 10 if now else high - low
        try:
            low, high = low - margin, high + margin
        except OverflowError:
            margin = timedelta(0)
    return DateValue(prefix, low, high)


def number_value(text: str, name: str) -> NumberValue:
    prefix, rest = prefixed(text)
    return _number(prefix, rest, name)


def quantity_value(text: str, name: str) -> NumberValue:
    """`5.4`, `5.4|system|code`, `5.4||code`."""
    parts = [unescaped(part) for part in split(text, "|")]
    if len(parts) not in {1, 3}:
        raise Invalid("a quantity reads number, number|system|code or number||code", field=name)
    prefix, rest = prefixed(parts[0])
    system, code = (parts[1] or None, parts[2] or None) if len(parts) == 3 else (None, None)
    return _number(prefix, rest, name, system, code)


def _number(prefix: Prefix, text: str, name: str, system: str | None = None, code: str | None = None) -> NumberValue:
    if not _NUMBER.fullmatch(text):
        raise Invalid("not a number", field=name)
    try:
        value = Decimal(text)
        low, high = precision(text)
    except InvalidOperation:
        raise Invalid("not a number within limits", field=name) from None
    if prefix == "ap":
        margin = abs(value) / 10
        low, high = min(low, value - margin), max(high, value + margin)
    return NumberValue(prefix, value, low, high, system, code)


def near_value(text: str, name: str) -> NearValue:
    """`latitude|longitude|distance|units` (hl7.org/fhir/R4/location.html#positional)."""
    given = split(text, "|")
    latitude, longitude, distance, unit = [*given, "", "", ""][:4]
    numbers = len(given) <= 4 and all(_NUMBER.fullmatch(each) for each in (latitude, longitude, distance or "1"))
    if not numbers or unit not in _KILOMETRES or abs(Decimal(latitude)) > 90 or abs(Decimal(longitude)) > 360:
        raise Invalid("a position reads latitude|longitude|distance|units, units km, m or [mi_i]", field=name)
    kilometres = Decimal(distance) * _KILOMETRES[unit] if distance else _NEAR_WITHOUT_DISTANCE
    return NearValue(Decimal(latitude), Decimal(longitude), kilometres)


def flag(text: str, name: str) -> bool:
    if text not in {"true", "false"}:
        raise Invalid("the value is true or false", field=name)
    return text == "true"
