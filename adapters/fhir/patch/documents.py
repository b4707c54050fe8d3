"""JSON as it is copied and compared while a patch is applied."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from domain.errors import Invalid

MOST_OPERATIONS: Final = 1_000
MOST_VALUES: Final = 1_000_000
"""Values that one patch may copy: `copy` of the whole into itself doubles the document with each operation."""


class Copier:
    """Copies JSON within one budget; numbers stay as they are written."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def copy(self, value: Any, field: str) -> Any:
        try:
            return self._copied(value, field)
        except RecursionError:
            raise Invalid("the document is nested too deep", field=field) from None

    def _copied(self, value: Any, field: str) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Invalid("the patch makes the document too large", field=field)
        if isinstance(value, dict):
            return {name: self._copied(each, field) for name, each in value.items()}
        if isinstance(value, list):
            return [self._copied(each, field) for each in value]
        return value


def same(left: Any, right: Any) -> bool:
    """Equality of RFC 6902 §4.6: numbers by value (72.50 is 72.5), but `true` is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal):
        return left == right
    return type(left) is type(right) and bool(left == right)
