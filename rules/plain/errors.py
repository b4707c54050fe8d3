"""Why a plain rule has no result. The names are those that the compatibility suites use, where they have one."""

from __future__ import annotations

from typing import Final

INVALID_ARGUMENTS: Final = "Invalid Arguments"
NOT_A_NUMBER: Final = "NaN"
UNKNOWN_OPERATOR: Final = "Unknown Operator"
BUDGET_EXCEEDED: Final = "BudgetExceeded"
TOO_DEEP: Final = "TooDeep"
INVALID_LINE: Final = "InvalidLine"


class NoResult(Exception):
    """The rule gives an error. `kind` is the error's type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def invalid(operator: str, wanted: str) -> NoResult:
    return NoResult(INVALID_ARGUMENTS, f"{operator} takes {wanted}")


def no_number(operator: str) -> NoResult:
    return NoResult(NOT_A_NUMBER, f"{operator} is given something that is no number, or gives none")
