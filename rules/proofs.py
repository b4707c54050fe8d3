"""What a person must still show before a session begins, and whose role asks for a second factor."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from domain.roles import Role

SECOND_FACTOR_ROLES = frozenset(
    {Role.ADMINISTRATOR, Role.RULE_APPROVER, Role.AUDITOR, Role.MEDICAL_RECORDS, Role.ANALYST}
)
"""Who reaches many patients or changes what holds for all: a stolen password alone must not be enough."""


class Missing(StrEnum):
    """The next thing to ask for."""

    CODE = "code"
    NEW_PASSWORD = "new-password"  # noqa: S105  (the name of a step)
    SECOND_FACTOR = "second-factor"  # to be set up


def must_have_second_factor(roles: Iterable[Role], *, asked: bool) -> bool:
    """asked: False in a hospital that asks nobody for one, because it only shows how things work."""
    return asked and not SECOND_FACTOR_ROLES.isdisjoint(roles)


def missing(*, has_factor: bool, factor_shown: bool, must_change: bool, must_have: bool) -> Missing | None:
    """What comes next; None when everything was shown.

    The code comes before the new password: who knows only the old one must not choose the next.
    """
    if has_factor and not factor_shown:
        return Missing.CODE
    if must_change:
        return Missing.NEW_PASSWORD
    if must_have and not factor_shown:
        return Missing.SECOND_FACTOR
    return None
