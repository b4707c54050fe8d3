"""What a token's SMART scopes allow: `system/Observation.rs user/*.cruds` as a table of types and letters.

SMART App Launch 2.2, "Scopes and launch context" (hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html);
the letters are create, read, update, delete, search, and version 1's `read`, `write`, `*` mean `rs`, `cud`, `cruds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from domain.roles import Role
from rules.access import rights

Letter = Literal["c", "r", "u", "d", "s"]
"""create; read (also a version and the history of one resource); update and patch; delete; search and other history."""

EVERY_TYPE = "*"

_READ, _WRITE = frozenset("rs"), frozenset("cud")
_ALL = _READ | _WRITE
_FIRST_VERSION = {"read": _READ, "write": _WRITE, "*": _ALL}
_SCOPE = re.compile(r"(?:system|user)/(\*|[A-Z][A-Za-z]{1,63})\.(\*|read|write|(?=[cruds])c?r?u?d?s?)")


@dataclass(frozen=True)
class Grants:
    """Letters by resource type; `*` stands for every type."""

    by_type: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def allow(self, letter: Letter, resource_type: str) -> bool:
        """Whether the letter is granted for resources of a type; for the type `*`, whether it is for all of them."""
        return letter in self.by_type.get(resource_type, ()) or letter in self.by_type.get(EVERY_TYPE, ())

    def types(self, letter: Letter) -> frozenset[str] | None:
        """The types that a letter is granted for; None when it is for all."""
        if letter in self.by_type.get(EVERY_TYPE, ()):
            return None
        return frozenset(name for name, letters in self.by_type.items() if letter in letters)

    def within(self, other: Grants) -> Grants:
        """What both allow."""
        named = (self.by_type.keys() | other.by_type.keys()) - {EVERY_TYPE}
        both = {kind: self._letters(kind) & other._letters(kind) for kind in (*named, EVERY_TYPE)}
        return Grants({kind: letters for kind, letters in both.items() if letters})

    def _letters(self, kind: str) -> frozenset[str]:
        return self.by_type.get(kind, frozenset()) | self.by_type.get(EVERY_TYPE, frozenset())


@lru_cache(maxsize=1024)
def grants(scope: str, roles: frozenset[Role], *, small: bool = False) -> Grants:
    """What scopes and roles allow together: with both, only what both allow; with neither, nothing.

    small: the hospital is a clinic.  A scope that is not understood grants nothing. Those are, on purpose, also
    `patient/…`, because no launch names a patient here, and scopes with a search (`Observation.rs?category=lab`):
    granting the type would be more than was asked for.
    """
    if scope and not roles:
        return Grants(_of_scope(scope.split()))
    by_role = {kind: frozenset(letters) for kind, letters in rights(roles, small=small).reaches.items()}
    if not scope:
        return Grants(by_role)
    wanted = _of_scope(scope.split())
    anywhere = wanted.get(EVERY_TYPE, frozenset())
    both = {kind: letters & (wanted.get(kind, frozenset()) | anywhere) for kind, letters in by_role.items()}
    return Grants({kind: letters for kind, letters in both.items() if letters})


def intersection(requested: str, allowed: str) -> str:
    """The system scopes that were requested and are allowed, e.g. `system/Observation.rs`; empty when there are none.

    Asking for `system/*.rs` when single types are allowed gives these types. Other scopes are left out, as SMART
    lets a server do (hl7.org/fhir/smart-app-launch/backend-services.html#scopes).
    """
    wanted, may_have = _of_scope(_system(requested)), _of_scope(_system(allowed))
    granted: dict[str, frozenset[str]] = {}
    for name, letters in wanted.items():
        for other, allowed_letters in may_have.items():
            if EVERY_TYPE in {name, other} or name == other:
                narrow = other if name == EVERY_TYPE else name
                granted[narrow] = granted.get(narrow, frozenset()) | (letters & allowed_letters)
    return " ".join(
        f"system/{name}.{''.join(letter for letter in 'cruds' if letter in letters)}"
        for name, letters in sorted(granted.items())
        if letters
    )


def _system(scope: str) -> list[str]:
    return [one for one in scope.split() if one.startswith("system/")]


def _of_scope(scopes: Iterable[str]) -> dict[str, frozenset[str]]:
    granted: dict[str, frozenset[str]] = {}
    for scope in scopes:
        match = _SCOPE.fullmatch(scope)
        if match is not None:
            name, letters = match.groups()
            granted[name] = granted.get(name, frozenset()) | _FIRST_VERSION.get(letters, frozenset(letters))
    return granted
