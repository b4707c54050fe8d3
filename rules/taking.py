"""Taking a supplied value for what it claims to be: one function for each declared fact, made once, asked every time.

A decision looks at each fact that its rule reads; what can be known of a declaration beforehand is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from rules.language import LARGEST_NUMBER, looks_like_time

if TYPE_CHECKING:
    from rules.facts import FactDefinition

Take = Callable[[Any], Any]
"""The value in the one spelling that is evaluated, or NOT_IT."""

NOT_IT: Final = object()

_LONGEST_CODE = 256


def taker(fact: FactDefinition) -> Take:
    """How values of a fact are taken: of its type, within its codes and bounds."""
    match fact.type.value:
        case "boolean":
            return _boolean
        case "integer" | "money":
            return _whole(fact.minimum, fact.maximum)
        case "number":
            return _number(fact.minimum, fact.maximum)
        case "code":
            return _code(frozenset(fact.codes))
        case "codes":
            return _every(_code(frozenset(fact.codes)))
        case "date":
            return _date
        case "instant":
            return _instant
        case _:
            return _every(_record({field.path: (field.take, field.absent) for field in fact.fields}))


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


def _boolean(value: Any) -> Any:
    return value if value is True or value is False else NOT_IT


def _bounds(minimum: float | None, maximum: float | None) -> tuple[float, float]:
    return (
        -LARGEST_NUMBER if minimum is None else max(minimum, -LARGEST_NUMBER),
        LARGEST_NUMBER if maximum is None else min(maximum, LARGEST_NUMBER),
    )


def _number(minimum: float | None, maximum: float | None) -> Take:
    low, high = _bounds(minimum, maximum)

    def take(value: Any) -> Any:
        # NaN lies within no bounds; an integer of any length is compared without becoming a double.
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return value
        return NOT_IT

    return take


def _whole(minimum: float | None, maximum: float | None) -> Take:
    low, high = _bounds(minimum, maximum)

    def take(value: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            return NOT_IT
        if isinstance(value, float) and not value.is_integer():
            return NOT_IT
        return int(value)

    return take


def _code(codes: frozenset[str]) -> Take:
    def listed(value: Any) -> Any:
        return str(value) if isinstance(value, str) and value in codes else NOT_IT

    def of_an_open_system(value: Any) -> Any:
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_CODE or not value.isprintable():
            return NOT_IT
        return NOT_IT if looks_like_time(value) else str(value)

    return listed if codes else of_an_open_system


def _date(value: Any) -> Any:
    try:
        return value if isinstance(value, str) and date.fromisoformat(value).isoformat() == value else NOT_IT
    except ValueError:
        return NOT_IT


def _instant(value: Any) -> Any:
    found = normal_instant(value) if isinstance(value, str) else None
    return NOT_IT if found is None else found


def _every(take: Take) -> Take:
    def each(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return NOT_IT
        taken = [take(item) for item in value]
        return NOT_IT if any(item is NOT_IT for item in taken) else taken

    return each


def _record(fields: dict[str, tuple[Take, bool]]) -> Take:
    """A record of declared fields. Nulls are left out; a field that may not be absent is there."""
    required = frozenset(path for path, (_, absent) in fields.items() if not absent)

    def take(value: Any) -> Any:
        if not isinstance(value, dict):
            return NOT_IT
        taken: dict[str, Any] = {}
        for name, part in value.items():
            if part is None:
                continue
            field = fields.get(name)
            if field is None or (found := field[0](part)) is NOT_IT:
                return NOT_IT
            taken[name] = found
        return taken if required <= taken.keys() else NOT_IT

    return take
