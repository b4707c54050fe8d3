"""Who may do what: one table of actions and the roles that may perform them.

A role opens the door of a route. Whether *this* task or *this* stay is for the person is asked afterwards, where the
thing is known: a task's candidate roles in `store/worklist.py`, for example.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from domain.roles import Role


class Action(StrEnum):
    """Something a person does in the house; the policy of a route names exactly one."""

    USE_SCREENS = "use-screens"  # sign out, change the language, hear that something changed
    SEE_WORKLIST = "see-worklist"
    WORK_TASK = "work-task"
    REQUEST_ADMISSION = "request-admission"
    CANCEL_ADMISSION = "cancel-admission"
    READ_STAY = "read-stay"
    FOLLOW_COMMAND = "follow-command"  # the status of one's own commands
    READ_RECORDS = "read-records"  # records over FHIR: read, search, history
    WRITE_RECORDS = "write-records"  # records over FHIR: create, update, patch, delete


_EVERYBODY = frozenset(Role)

_CLINICAL = frozenset(
    {
        Role.PHYSICIAN,
        Role.NURSE,
        Role.CHARGE_NURSE,
        Role.PHLEBOTOMIST,
        Role.WARD_MANAGER,
        Role.LAB_TECHNOLOGIST,
        Role.PATHOLOGIST,
        Role.RADIOGRAPHER,
        Role.RADIOLOGIST,
        Role.PHARMACIST,
    }
)
"""Those who treat or examine patients."""

_ALLOWED: dict[Action, frozenset[Role]] = {
    Action.USE_SCREENS: _EVERYBODY,
    Action.SEE_WORKLIST: _EVERYBODY,
    Action.WORK_TASK: _EVERYBODY - {Role.AUDITOR},
    Action.REQUEST_ADMISSION: frozenset({Role.PHYSICIAN, Role.ADMISSION_CLERK, Role.RECEPTIONIST}),
    Action.CANCEL_ADMISSION: frozenset({Role.PHYSICIAN, Role.ADMISSION_CLERK}),
    Action.READ_STAY: _CLINICAL
    | {
        Role.ADMISSION_CLERK,
        Role.RECEPTIONIST,
        Role.BED_MANAGER,
        Role.MEDICAL_RECORDS,
        Role.ADMINISTRATOR,
        Role.AUDITOR,
    },
    Action.FOLLOW_COMMAND: _EVERYBODY,
    Action.READ_RECORDS: _CLINICAL | {Role.MEDICAL_RECORDS, Role.AUDITOR},
    Action.WRITE_RECORDS: _CLINICAL | {Role.MEDICAL_RECORDS},
}


def may(roles: Iterable[Role], action: Action) -> bool:
    """Whether any of `roles` may perform `action`. An action without an entry is allowed to nobody."""
    return not _ALLOWED.get(action, frozenset()).isdisjoint(roles)


def roles_for(action: Action) -> frozenset[Role]:
    """The roles that may perform `action`, to name them in a refusal."""
    return _ALLOWED.get(action, frozenset())
