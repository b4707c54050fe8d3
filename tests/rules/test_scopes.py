"""What SMART scopes and roles allow, alone and together."""

from __future__ import annotations

import pytest

from domain.roles import Role
from rules.scopes import grants

NOBODY: frozenset[Role] = frozenset()


@pytest.mark.parametrize(
    ("scope", "resource_type", "letters"),
    [
        ("system/*.cruds", "Patient", "cruds"),
        ("system/*.*", "Patient", "cruds"),
        ("system/Observation.rs", "Observation", "rs"),
        ("system/Observation.rs", "Patient", ""),
        ("system/Observation.read user/Observation.write", "Observation", "cruds"),
        ("system/*.rs system/Observation.c", "Observation", "crs"),
        ("system/*.rs system/Observation.c", "Patient", "rs"),
        ("system/Observation.sr", "Observation", ""),
        ("system/Observation.", "Observation", ""),
        ("system/Observation.rs?category=laboratory", "Observation", ""),
        ("patient/*.rs", "Observation", ""),
        ("openid fhirUser", "Patient", ""),
        ("xsystem/*.cruds", "Patient", ""),
        ("", "Patient", ""),
    ],
)
def test_a_scope_grants_what_it_says_and_nothing_that_is_not_understood(
    scope: str, resource_type: str, letters: str
) -> None:
    granted = grants(scope, NOBODY)
    assert "".join(letter for letter in "cruds" if granted.allow(letter, resource_type)) == letters  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "role", "letters"),
    [
        ("", Role.NURSE, "rus"),
        ("", Role.MEDICAL_RECORDS, "cruds"),
        ("", Role.AUDITOR, "rs"),
        ("", Role.HOUSEKEEPING, ""),
        ("system/*.cruds", Role.AUDITOR, "rs"),
        ("system/*.cruds", Role.HOUSEKEEPING, ""),
        ("system/Patient.u", Role.NURSE, "u"),
        ("system/Patient.c", Role.NURSE, ""),
    ],
)
def test_roles_and_scopes_together_allow_what_both_allow(scope: str, role: Role, letters: str) -> None:
    granted = grants(scope, frozenset({role}))
    assert "".join(letter for letter in "crusd" if granted.allow(letter, "Patient")) == "".join(
        sorted(letters, key="crusd".index)
    )  # type: ignore[arg-type]


def test_the_types_of_a_letter_are_named_unless_they_are_all() -> None:
    assert grants("system/*.rs", NOBODY).types("s") is None
    assert grants("system/Patient.rs system/Observation.r", NOBODY).types("s") == {"Patient"}
    assert grants("system/Patient.rs", NOBODY).types("c") == frozenset()
