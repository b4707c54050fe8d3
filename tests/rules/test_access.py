"""Who may do what."""

from __future__ import annotations

import pytest

from domain.roles import Role
from rules.access import Action, may, roles_for


@pytest.mark.parametrize("action", Action)
def test_every_action_has_somebody_who_may(action: Action) -> None:
    assert roles_for(action)


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        (Role.PHYSICIAN, Action.REQUEST_ADMISSION, True),
        (Role.ADMISSION_CLERK, Action.REQUEST_ADMISSION, True),
        (Role.RECEPTIONIST, Action.REQUEST_ADMISSION, True),
        (Role.BED_MANAGER, Action.REQUEST_ADMISSION, False),
        (Role.HOUSEKEEPING, Action.REQUEST_ADMISSION, False),
        (Role.RECEPTIONIST, Action.CANCEL_ADMISSION, False),
        (Role.NURSE, Action.READ_STAY, True),
        (Role.AUDITOR, Action.READ_STAY, True),
        (Role.HOUSEKEEPING, Action.READ_STAY, False),
        (Role.CASHIER, Action.READ_STAY, False),
        (Role.ANALYST, Action.READ_STAY, False),
        (Role.AUDITOR, Action.WORK_TASK, False),
        (Role.HOUSEKEEPING, Action.WORK_TASK, True),
        (Role.NURSE, Action.BREAK_GLASS, True),
        (Role.CASHIER, Action.BREAK_GLASS, False),
        (Role.AUDITOR, Action.REVIEW_BREAK_GLASS, True),
        (Role.PHYSICIAN, Action.REVIEW_BREAK_GLASS, False),
    ],
)
def test_a_role_may_or_may_not(role: Role, action: Action, allowed: bool) -> None:
    assert may([role], action) is allowed


def test_the_roles_of_a_person_add_up_and_nobody_may_nothing() -> None:
    assert may([Role.HOUSEKEEPING, Role.NURSE], Action.READ_STAY)
    assert not any(may([], action) for action in Action)
