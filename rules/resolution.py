"""Which rule applies: the narrowest one that is effective, and why the others do not.

National → network → hospital → department, at a moment. Pure: the store hands in what was ever published.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rules.document import Effective, Level, Scope


@dataclass(frozen=True)
class Place:
    """Where a decision is taken. `department` is written `hospital/department`; empty where there is none."""

    nation: str = ""
    network: str = ""
    hospital: str = ""
    department: str = ""

    def within(self, scope: Scope) -> bool:
        """Whether a rule of this scope reaches here. A national rule without a place reaches everywhere."""
        match scope.level:
            case Level.NATIONAL:
                return scope.place in {"", self.nation}
            case Level.NETWORK:
                return scope.place == self.network
            case Level.HOSPITAL:
                return scope.place == self.hospital
            case Level.DEPARTMENT:
                return scope.place == self.department


@dataclass(frozen=True)
class Published:
    """One published version of a rule. `digest` is the document's identity.

    disabled: spans in which it was switched off in an emergency; each ends by itself.  parent: the digest of the rule
    that it was written against, where it overrides one.
    """

    decision_point: str
    rule: str
    version: str
    digest: str
    scope: Scope
    effective: Effective
    published_at: datetime
    disabled: tuple[Effective, ...] = ()
    parent: str | None = None


class Lost(StrEnum):
    """Why a published version is not the one."""

    ELSEWHERE = "elsewhere"  # of another network, hospital or department
    NOT_PUBLISHED = "not-published"  # at that moment nobody knew it
    NOT_YET = "not-yet"
    ENDED = "ended"
    DISABLED = "disabled"
    WIDER = "wider"  # a narrower one is effective
    SUPERSEDED = "superseded"  # a later one of the same scope is effective


@dataclass(frozen=True)
class Loser:
    """`to`: the version that won over it, where one did."""

    published: Published
    why: Lost
    to: Published | None = None


@dataclass(frozen=True)
class Resolution:
    """`chosen` is None where nothing applies: the decision is then left open and its fallback stands.

    lost is in the order of who would have come next: the first that is WIDER or SUPERSEDED stands if `chosen` falls.
    """

    chosen: Published | None
    lost: tuple[Loser, ...] = field(default=())


@dataclass(frozen=True)
class ParentChanged:
    """An override's parent is not the one that it was written against. Its owner is told."""

    override: Published
    written_against: str
    now: Published | None


def resolve(decision: str, place: Place, as_of: datetime, published: Iterable[Published]) -> Resolution:
    """The version of `decision` that applies at `place` at the moment `as_of` (aware), and who lost and why.

    Between versions of one scope the one that became effective last wins, then the one published last, then the
    greater version. The order in which `published` comes does not matter.
    """
    candidates = [one for one in published if one.decision_point == decision]
    standing: list[Published] = []
    out: list[Loser] = []
    for one in candidates:
        why = _out(one, place, as_of)
        if why is None:
            standing.append(one)
        else:
            out.append(Loser(one, why))
    standing.sort(key=_strength, reverse=True)
    out.sort(key=lambda loser: _strength(loser.published), reverse=True)
    if not standing:
        return Resolution(None, tuple(out))
    chosen, *others = standing
    beaten = [
        Loser(one, Lost.SUPERSEDED if one.scope.level is chosen.scope.level else Lost.WIDER, chosen) for one in others
    ]
    return Resolution(chosen, (*beaten, *out))


def parent_of(override: Published, place: Place, as_of: datetime, published: Iterable[Published]) -> Published | None:
    """What would apply if no rule of the override's own scope or a narrower one existed."""
    wider = [one for one in published if one.scope.level.rank < override.scope.level.rank]
    return resolve(override.decision_point, place, as_of, wider).chosen


def parent_changed(
    place: Place, as_of: datetime, published: Iterable[Published], overrides: Iterable[Published]
) -> tuple[ParentChanged, ...]:
    """The overrides whose parent is another version than the one they were written against."""
    known = list(published)
    changed = []
    for override in overrides:
        if override.parent is None:
            continue
        now = parent_of(override, place, as_of, known)
        if now is None or now.digest != override.parent:
            changed.append(ParentChanged(override, override.parent, now))
    return tuple(changed)


def _out(one: Published, place: Place, as_of: datetime) -> Lost | None:
    if not place.within(one.scope):
        return Lost.ELSEWHERE
    if as_of < one.published_at:
        return Lost.NOT_PUBLISHED
    if one.effective.since is not None and as_of < one.effective.since:
        return Lost.NOT_YET
    if one.effective.until is not None and as_of >= one.effective.until:
        return Lost.ENDED
    if any(span.covers(as_of) for span in one.disabled):
        return Lost.DISABLED
    return None


def _strength(one: Published) -> tuple[int, bool, float, float, tuple[int, ...], str]:
    """Narrower before wider, a nation's own before everybody's, later before earlier."""
    since = one.effective.since or one.published_at
    version = tuple(int(part) for part in one.version.split("."))
    return (
        one.scope.level.rank,
        bool(one.scope.place),
        since.timestamp(),
        one.published_at.timestamp(),
        version,
        one.digest,
    )
