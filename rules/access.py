"""Who may do what: actions of the house, records by type, and how far each right reaches.

Two tables. `_ACTIONS` says who may do what people do on screens and through commands. `_RECORDS` says who may create,
read, update, delete and search which records. Both say whose: of the whole hospital, of people in one's care, on one's
wards, of one's own tasks. The store turns the reach into a condition of every query (`store/care.py`).

What no row grants is refused, and a row of `_DENIED` wins over every grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType

from domain.reach import Reach
from domain.roles import Role
from rules.actions import Action
from rules.resource_groups import (
    ABOUT_PATIENTS,
    AUDIT,
    CLINICAL,
    DIRECTORY,
    IDENTITY,
    MEDICATION,
    MONEY,
    NOTES,
    ORDERS,
    RESULTS,
    STAY,
    UNLINKED,
    definitions,
)

__all__ = ["LABELS", "Action", "Rights", "may", "reach_of", "rights", "roles_for"]


@dataclass(frozen=True)
class _Right:
    roles: frozenset[Role]
    reach: Reach = Reach.HOSPITAL


@dataclass(frozen=True)
class _Row:
    """`letters` as in SMART scopes: create, read, update (and patch), delete, search."""

    roles: frozenset[Role]
    types: frozenset[str]
    letters: str
    reach: Reach = Reach.HOSPITAL


@dataclass(frozen=True)
class _Fields:
    """Elements of a type that the roles do not see. Who may write a type sees all of it (tested)."""

    roles: frozenset[Role]
    resource_type: str
    hidden: frozenset[str]


def _of(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


@dataclass(frozen=True)
class _Kept:
    """Elements of a type ("*": of every type) that only these roles change, of those who may write the type."""

    roles: frozenset[Role]
    resource_type: str
    elements: frozenset[str]


_EVERYBODY = frozenset(Role)
_NURSING = _of(Role.NURSE, Role.CHARGE_NURSE, Role.WARD_MANAGER)
_LABORATORY = _of(Role.LAB_TECHNOLOGIST, Role.PATHOLOGIST)
_IMAGING = _of(Role.RADIOGRAPHER, Role.RADIOLOGIST)
_DIAGNOSTIC = _LABORATORY | _IMAGING
_DESK = _of(Role.RECEPTIONIST, Role.ADMISSION_CLERK)
_CODING = _of(Role.CODER, Role.CLAIM_REVIEWER)
_CLINICAL = _of(Role.PHYSICIAN, Role.PHLEBOTOMIST, Role.PHARMACIST) | _NURSING | _DIAGNOSTIC
"""Those who treat or examine patients."""

_SEES_NUMBERS = _DESK | _CODING | _of(Role.CASHIER, Role.MEDICAL_RECORDS)
"""Those who need resident registration numbers for their daily work: insurance, claims, certificates."""

_ACTIONS: Mapping[Action, tuple[_Right, ...]] = {
    Action.USE_SCREENS: (_Right(_EVERYBODY),),
    Action.SEE_WORKLIST: (_Right(_EVERYBODY),),
    Action.WORK_TASK: (_Right(_EVERYBODY - {Role.AUDITOR}, Reach.OWN_TASKS),),
    Action.REASSIGN_TASK: (
        _Right(_of(Role.ADMINISTRATOR, Role.BED_MANAGER)),
        _Right(_of(Role.CHARGE_NURSE, Role.WARD_MANAGER), Reach.WARD),
        _Right(_of(Role.PHYSICIAN), Reach.CARE),
    ),
    Action.REQUEST_ADMISSION: (_Right(_DESK | {Role.PHYSICIAN}),),
    Action.CANCEL_ADMISSION: (_Right(_of(Role.ADMISSION_CLERK)), _Right(_of(Role.PHYSICIAN), Reach.CARE)),
    Action.READ_STAY: (
        _Right(_DESK | _of(Role.BED_MANAGER, Role.MEDICAL_RECORDS, Role.ADMINISTRATOR, Role.AUDITOR)),
        _Right(_DIAGNOSTIC | {Role.PHARMACIST}),
        _Right(_of(Role.PHYSICIAN), Reach.CARE),
        _Right(_NURSING, Reach.WARD),
        _Right(_of(Role.PHLEBOTOMIST), Reach.OWN_TASKS),
    ),
    Action.FOLLOW_COMMAND: (_Right(_EVERYBODY),),
    Action.READ_RECORDS: (_Right(_EVERYBODY),),
    Action.FIND_PATIENT: (
        _Right(_DESK | _CODING | _DIAGNOSTIC),
        _Right(_of(Role.PHYSICIAN, Role.PHARMACIST, Role.BED_MANAGER, Role.CASHIER, Role.MEDICAL_RECORDS)),
        _Right(_of(Role.AUDITOR)),
        _Right(_NURSING, Reach.WARD),
        _Right(_of(Role.PHLEBOTOMIST, Role.TRANSPORTER), Reach.OWN_TASKS),
    ),
    Action.REGISTER_PATIENT: (_Right(_DESK | _of(Role.PHYSICIAN, Role.MEDICAL_RECORDS)),),
    Action.CORRECT_PATIENT: (_Right(_DESK | {Role.MEDICAL_RECORDS}),),
    Action.REQUEST_MERGE: (_Right(_DESK | {Role.MEDICAL_RECORDS}),),
    Action.MERGE_PATIENTS: (_Right(_of(Role.MEDICAL_RECORDS)),),
    Action.EXPORT_RECORDS: (_Right(_of(Role.MEDICAL_RECORDS)),),
    Action.BREAK_GLASS: (_Right(_CLINICAL),),
    Action.STATE_PURPOSE: (_Right(_EVERYBODY - {Role.HOUSEKEEPING, Role.ANALYST, Role.RULE_APPROVER}),),
    Action.REVIEW_BREAK_GLASS: (_Right(_of(Role.AUDITOR, Role.MEDICAL_RECORDS)),),
    Action.READ_RULES: (_Right(_EVERYBODY),),
    Action.WRITE_RULE: (_Right(_of(Role.ANALYST)),),
    Action.APPROVE_RULE: (_Right(_of(Role.RULE_APPROVER)),),
    Action.PUBLISH_RULE: (_Right(_of(Role.RULE_APPROVER, Role.ADMINISTRATOR)),),
    Action.SETTLE_RULES: (_Right(_of(Role.ADMINISTRATOR)),),
    Action.EXPLAIN_DECISION: (
        _Right(_DESK | _CODING | _of(Role.BED_MANAGER, Role.MEDICAL_RECORDS, Role.AUDITOR)),
        _Right(_DIAGNOSTIC | {Role.PHARMACIST}),
        _Right(_of(Role.PHYSICIAN), Reach.CARE),
        _Right(_NURSING, Reach.WARD),
    ),
    Action.OVERRIDE_DECISION: (
        _Right(_of(Role.BED_MANAGER, Role.PHARMACIST, Role.PATHOLOGIST, Role.RADIOLOGIST)),
        _Right(_of(Role.PHYSICIAN), Reach.CARE),
        _Right(_of(Role.CHARGE_NURSE, Role.WARD_MANAGER), Reach.WARD),
    ),
    Action.DELEGATE: (_Right(_EVERYBODY - {Role.AUDITOR}),),
    Action.SEE_RESIDENT_NUMBER: (
        _Right(_SEES_NUMBERS),
        _Right(_of(Role.PHYSICIAN), Reach.CARE),
        _Right(_NURSING, Reach.WARD),
    ),
    Action.READ_SETUP: (_Right(_EVERYBODY),),
    Action.WRITE_SETUP: (_Right(_of(Role.ADMINISTRATOR)),),
    Action.APPROVE_SETUP: (_Right(_of(Role.ADMINISTRATOR, Role.RULE_APPROVER)),),
    Action.SETTLE_SETUP: (_Right(_of(Role.ADMINISTRATOR)),),
    Action.SEE_SECURITY: (_Right(_of(Role.ADMINISTRATOR, Role.AUDITOR)),),
    Action.SEE_ACCOUNTS: (_Right(_of(Role.ADMINISTRATOR, Role.AUDITOR)),),
    Action.MANAGE_ACCOUNTS: (_Right(_of(Role.ADMINISTRATOR)),),
    Action.SEE_DUTY: (_Right(_EVERYBODY),),
    Action.KEEP_ROSTERS: (_Right(_of(Role.ADMINISTRATOR, Role.WARD_MANAGER, Role.CHARGE_NURSE)),),
    Action.KEEP_CALENDAR: (_Right(_of(Role.ADMINISTRATOR)),),
    Action.SEE_PEOPLE: (_Right(_of(Role.ADMINISTRATOR, Role.WARD_MANAGER, Role.AUDITOR)),),
    Action.MANAGE_PEOPLE: (_Right(_of(Role.ADMINISTRATOR)),),
    Action.ANSWER_CALLS: (_Right(_EVERYBODY),),
}


@cache
def _records() -> tuple[_Row, ...]:
    doctor, records = _of(Role.PHYSICIAN), _of(Role.MEDICAL_RECORDS)
    return (
        _Row(_EVERYBODY, DIRECTORY | definitions(), "rs"),
        _Row(_of(Role.ADMINISTRATOR), DIRECTORY | definitions(), "cud"),
        # Those who treat. Whom they treat is found in stays, appointments, care teams and tasks.
        _Row(doctor, CLINICAL, "crus", Reach.CARE),
        _Row(doctor, IDENTITY, "crus"),
        _Row(doctor, MONEY, "rs", Reach.CARE),
        _Row(_NURSING, CLINICAL, "crus", Reach.WARD),
        _Row(_NURSING, IDENTITY, "rs", Reach.WARD),
        _Row(_NURSING, frozenset({"Patient", "RelatedPerson"}), "u", Reach.WARD),
        _Row(_of(Role.PHLEBOTOMIST), IDENTITY | STAY | ORDERS, "rs", Reach.OWN_TASKS),
        _Row(_of(Role.PHLEBOTOMIST), frozenset({"Specimen", "Task"}), "crus", Reach.OWN_TASKS),
        # Laboratory, imaging and pharmacy serve every ward.
        _Row(_DIAGNOSTIC, IDENTITY | STAY | ORDERS, "rs"),
        _Row(_DIAGNOSTIC, RESULTS, "crus"),
        _Row(_DIAGNOSTIC, frozenset({"ServiceRequest", "Task"}), "u"),
        _Row(_of(Role.PATHOLOGIST, Role.RADIOLOGIST), NOTES, "rs", Reach.OWN_TASKS),
        _Row(_of(Role.PHARMACIST), IDENTITY | STAY | ORDERS | RESULTS | NOTES, "rs"),
        _Row(_of(Role.PHARMACIST), MEDICATION, "crus"),
        _Row(_of(Role.PHARMACIST), frozenset({"DetectedIssue", "Communication", "Task"}), "cu"),
        # Desks: who somebody is, when they come, who pays. Not what ails them.
        _Row(_DESK, IDENTITY | STAY, "crus"),
        _Row(_DESK, MONEY | {"Consent", "ServiceRequest", "Task"}, "crus"),
        _Row(_of(Role.BED_MANAGER), IDENTITY | STAY | {"ServiceRequest", "Task"}, "rs"),
        _Row(_of(Role.BED_MANAGER, Role.HOUSEKEEPING), frozenset({"Location"}), "u"),
        _Row(_of(Role.HOUSEKEEPING, Role.TRANSPORTER), frozenset({"Task"}), "rs", Reach.OWN_TASKS),
        _Row(_of(Role.TRANSPORTER), frozenset({"Patient", "Encounter"}), "rs", Reach.OWN_TASKS),
        _Row(_of(Role.CASHIER), IDENTITY | STAY, "rs"),
        _Row(_of(Role.CASHIER), MONEY, "crus"),
        _Row(_CODING, IDENTITY | CLINICAL, "rs"),
        _Row(_CODING, MONEY, "crus"),
        _Row(_of(Role.CODER), frozenset({"Condition", "Procedure"}), "cu"),
        # Those who keep and those who check.
        _Row(records, ABOUT_PATIENTS | UNLINKED, "cruds"),
        _Row(_of(Role.AUDITOR), IDENTITY | STAY | AUDIT, "rs"),
    )


@cache
def _denied() -> tuple[_Row, ...]:
    """Whoever checks the house changes nothing in it, and nobody writes what the house says of itself."""
    everything = ABOUT_PATIENTS | DIRECTORY | UNLINKED | AUDIT | definitions()
    return (
        _Row(_of(Role.AUDITOR), everything, "cud"),
        _Row(_EVERYBODY, AUDIT, "cud"),
    )


_FIELDS: tuple[_Fields, ...] = (
    _Fields(
        _of(Role.TRANSPORTER, Role.BED_MANAGER, Role.AUDITOR),
        "Patient",
        frozenset({"identifier", "telecom", "address", "contact", "photo", "maritalStatus", "communication", "text"}),
    ),
    _Fields(_CODING | {Role.CASHIER}, "Patient", frozenset({"telecom", "contact", "photo", "text"})),
    _Fields(_DIAGNOSTIC, "Patient", frozenset({"address", "contact", "photo", "text"})),
    _Fields(
        _of(Role.TRANSPORTER, Role.CASHIER, Role.AUDITOR, Role.BED_MANAGER),
        "Encounter",
        frozenset({"reasonCode", "reasonReference", "diagnosis", "text"}),
    ),
)


LABELS = "meta.security"
"""Among kept elements: labels may be added by whoever writes a resource, and taken away by some only."""

_KEPT: tuple[_Kept, ...] = (
    # Who somebody is, desks find out and the record office puts right; a chart that changes its name is another's.
    _Kept(
        _DESK | {Role.MEDICAL_RECORDS}, "Patient", frozenset({"identifier", "active", "name", "gender", "birthDate"})
    ),
    # Records that links join are one person's, and open together: that is $merge's work, and its role's.
    _Kept(_of(Role.MEDICAL_RECORDS), "Patient", frozenset({"link"})),
    _Kept(_of(Role.PHYSICIAN, Role.MEDICAL_RECORDS), "Patient", frozenset({"deceasedBoolean", "deceasedDateTime"})),
    _Kept(
        _DESK | _of(Role.PHYSICIAN, Role.CHARGE_NURSE, Role.WARD_MANAGER, Role.MEDICAL_RECORDS),
        "Encounter",
        frozenset({"status", "class", "subject", "period", "hospitalization"}),
    ),
    # Everybody who treats may write an allergy down; whether it is one, a physician says.
    _Kept(
        _of(Role.PHYSICIAN, Role.MEDICAL_RECORDS),
        "AllergyIntolerance",
        frozenset({"clinicalStatus", "verificationStatus", "criticality", "patient"}),
    ),
    _Kept(_of(Role.PHYSICIAN, Role.MEDICAL_RECORDS), "*", frozenset({LABELS})),
)


@dataclass(frozen=True)
class Rights:
    """What a person may do with records: for each type its letters and how far they reach, and what stays hidden.

    kept: elements that the person does not change, by type; those under "*" of every type.
    masked: of resident registration numbers only birth date and sex are shown, wherever they stand.
    """

    reaches: Mapping[str, Mapping[str, Reach]]
    hidden: Mapping[str, frozenset[str]]
    kept: Mapping[str, frozenset[str]] = field(default_factory=dict)
    masked: bool = True

    def unchangeable(self, resource_type: str) -> frozenset[str]:
        return self.kept.get(resource_type, frozenset()) | self.kept.get("*", frozenset())

    def reach(self, letter: str, resource_type: str) -> Reach:
        return self.reaches.get(resource_type, {}).get(letter, Reach.NONE)


def may(roles: Iterable[Role], action: Action) -> bool:
    """Whether any of `roles` may perform `action`. An action without an entry is allowed to nobody."""
    return not roles_for(action).isdisjoint(roles)


def reach_of(roles: Iterable[Role], action: Action, *, small: bool = False) -> Reach:
    """Whose records the action is allowed for. small: in a clinic everybody who works there knows every patient."""
    held = frozenset(roles)
    found = max((each.reach for each in _ACTIONS.get(action, ()) if each.roles & held), default=Reach.NONE)
    return _widened(found, small=small)


def roles_for(action: Action) -> frozenset[Role]:
    """The roles that may perform `action`, to name them in a refusal."""
    return frozenset(role for each in _ACTIONS.get(action, ()) for role in each.roles)


@lru_cache(maxsize=1024)
def rights(roles: frozenset[Role], *, small: bool = False) -> Rights:
    """What the roles may do together: the farthest reach that one of them has, less what is denied to any."""
    found: dict[str, dict[str, Reach]] = {}
    granting: dict[str, set[Role]] = {}
    for row in _records():
        if not (held := row.roles & roles):
            continue
        for kind in row.types:
            letters = found.setdefault(kind, {})
            for letter in row.letters:
                letters[letter] = max(letters.get(letter, Reach.NONE), _widened(row.reach, small=small))
            if "r" in row.letters:
                granting.setdefault(kind, set()).update(held)
    for row in _denied():
        if row.roles & roles:
            for kind in row.types:
                found[kind] = {name: reach for name, reach in found.get(kind, {}).items() if name not in row.letters}
    return Rights(
        MappingProxyType({kind: MappingProxyType(letters) for kind, letters in found.items() if letters}),
        MappingProxyType({kind: hidden for kind in found if (hidden := _hidden(granting.get(kind, set()), kind))}),
        _kept(roles),
        masked=roles.isdisjoint(_SEES_NUMBERS),
    )


def _kept(roles: frozenset[Role]) -> Mapping[str, frozenset[str]]:
    """What none of the roles may change."""
    found: dict[str, frozenset[str]] = {}
    for each in _KEPT:
        if each.roles.isdisjoint(roles):
            found[each.resource_type] = found.get(each.resource_type, frozenset()) | each.elements
    return MappingProxyType(found)


def _hidden(roles: set[Role], kind: str) -> frozenset[str]:
    """What every one of the roles that open the type hides: what one of them shows is shown."""
    hidden = [
        frozenset().union(*(each.hidden for each in _FIELDS if each.resource_type == kind and role in each.roles))
        for role in roles
    ]
    return frozenset.intersection(*hidden) if hidden else frozenset()


def _widened(reach: Reach, *, small: bool) -> Reach:
    return Reach.HOSPITAL if small and reach > Reach.NONE else reach
