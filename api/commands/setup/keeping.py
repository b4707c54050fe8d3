"""Changing master data: what every door does, be it a form, a table or a pack.

In one transaction: the hospital's set-up is taken, what the change needs is looked for at the instant at which it
begins, the versions are kept, and what they show over FHIR is made, now and for each instant to come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.fhir.elements import Json
from adapters.fhir.setup import showing as shown
from adapters.fhir.setup import supplies
from domain.errors import Conflict, Invalid, StaleRevision
from domain.ids import Reference
from domain.setup import whole
from domain.setup.contents import MODELS
from domain.setup.kinds import Basis, Content, Kind
from domain.setup.places import Place, PlaceStatus
from domain.setup.rows import frame_of
from domain.setup.supplies import Diagnosis
from domain.setup.timeline import State, Version, applying, turns, validity
from store import beds
from store.database import Transaction
from store.setup import entries, policies, showing
from store.setup.showing import Turn

Timelines = dict[tuple[Kind, str], list[Version]]


@dataclass(frozen=True)
class Change:
    """What an entry is to be from `since` to `until`. content None: it ends. row: of a table, else 0.

    expected: the number of the last version that the person has seen, 0 for none; None where nobody looked.
    """

    kind: Kind
    code: str
    content: Content | None
    since: datetime
    until: datetime | None = None
    basis: Basis = Basis.OWN
    source: str = ""
    expected: int | None = None
    row: int = 0


@dataclass(frozen=True)
class Refusal:
    """Why a change cannot be kept. `row`: of a table."""

    change: Change
    field: str
    reason: str


@dataclass(frozen=True)
class Author:
    """`skips_four_eyes`: the installation itself, before there is anybody."""

    by: str
    reason: str
    skips_four_eyes: bool = False


class Set:
    """A hospital's set-up, taken for one transaction."""

    def __init__(self, tx: Transaction, now: datetime, timelines: Timelines, edition: int) -> None:
        self._tx = tx
        self._now = now
        self._timelines = timelines
        self._edition = edition

    @classmethod
    async def taken(cls, tx: Transaction, now: datetime) -> Set:
        """`now`: hospital time."""
        edition = await entries.lock(tx)
        await showing.turn(tx, now)
        return cls(tx, now, await entries.of_kinds(tx), edition)

    def versions(self, kind: Kind, code: str) -> list[Version]:
        return self._timelines.get((kind, code), [])

    def says_already(self, change: Change) -> bool:
        """Whether it would change nothing. A table knows days only, so an entry of today says what today's row says."""
        versions = self.versions(change.kind, change.code)
        standing = applying(versions, change.since), applying(versions, max(change.since, self._now))
        if change.content is None:
            return standing[0] is None
        return any(found is not None and _same(found, change) for found in standing)

    def refusals(self, changes: Sequence[Change], *, backdated: bool) -> list[Refusal]:
        """Everything that speaks against the changes, taken together. What they need is looked for from now on."""
        found = []
        future = self._with(changes)
        for change in changes:
            if change.until is not None and change.until <= change.since:
                found.append(Refusal(change, "valid_to", "it ends before it begins"))
            if change.since < self._now and not backdated:
                reason = "it begins in the past: leave the beginning out for now, or say that it is back-dated"
                found.append(Refusal(change, "valid_from", reason))
            if change.content is None:
                if applying(self.versions(change.kind, change.code), change.since) is None:
                    found.append(Refusal(change, "code", "there is nothing that could end"))
                continue

            looked_at = max(change.since, self._now)

            def find(kind: Kind, code: str, at: datetime = looked_at) -> Content | None:
                version = applying(future.get((kind, code), []), at)
                return content_of(version) if version else None

            wrong = whole.wrong_with(change.code, change.content, find)
            found += [Refusal(change, field, reason) for field, reason in wrong]
        return found

    async def keep(self, changes: Sequence[Change], author: Author, *, backdated: bool = False) -> list[Version]:
        """Keep them all or none. Raises Invalid, StaleRevision, Conflict for a place where patients lie."""
        for change in changes:
            last = self.versions(change.kind, change.code)[-1:]
            actual = last[0].version if last else 0
            if change.expected is not None and change.expected != actual:
                raise StaleRevision(
                    "somebody changed it since", expected=str(change.expected), actual=str(actual), code=change.code
                )
        if refused := self.refusals(changes, backdated=backdated):
            raise Invalid(refused[0].reason, field=refused[0].field)
        await self._refuse_occupied(changes)
        asked = frozenset() if author.skips_four_eyes else await policies.four_eyes(self._tx)
        made = self._numbered(changes, author, asked)
        await entries.add(self._tx, made)
        for version in made:
            self._timelines.setdefault((version.kind, version.code), []).append(version)
        await self.show({(version.kind, version.code) for version in made if version.state is State.APPROVED})
        return made

    async def decided(self, version: Version) -> None:
        """Take note of a version that was approved or withdrawn, and show what follows."""
        known = self.versions(version.kind, version.code)
        self._timelines[version.kind, version.code] = [
            version if each.version == version.version else each for each in known
        ]
        if version.state is State.APPROVED and version.since <= self._now:
            content = content_of(version) if version.content is not None else None
            await self._refuse_occupied([Change(version.kind, version.code, content, version.since)])
        await self.show({(version.kind, version.code)})

    async def show(self, names: Iterable[tuple[Kind, str]]) -> None:
        """Make what these entries show over FHIR, now and later."""
        current: list[Json] = []
        later: dict[Kind, list[Turn]] = defaultdict(list)
        codes: dict[Kind, list[str]] = defaultdict(list)
        for kind, code in sorted(names):
            codes[kind].append(code)
            if kind is Kind.DIAGNOSIS:
                continue
            versions = self.versions(kind, code)
            current += _resources(code, versions, self._now)
            for instant in turns(versions, self._now):
                later[kind].append(Turn(kind, code, instant, _resources(code, versions, instant)))
        if Kind.DIAGNOSIS in codes:
            current += self._diagnoses()
        await showing.show(self._tx, current, self._now)
        for kind, named in codes.items():
            await showing.plan(self._tx, kind, named, later[kind])

    def _diagnoses(self) -> list[Json]:
        """Codes with their days: nothing turns, because whoever asks says of which day."""
        listed = {}
        for (kind, code), versions in sorted(self._timelines.items()):
            if kind is Kind.DIAGNOSIS and (found := validity(versions)):
                content, since, until = found
                listed[code] = [(Diagnosis.model_validate(content), since, until)]
        return supplies.diagnoses(listed, str(self._edition)) if listed else []

    def _numbered(self, changes: Sequence[Change], author: Author, asked: frozenset[Kind]) -> list[Version]:
        last: dict[tuple[Kind, str], int] = {}
        made = []
        for change in changes:
            name = (change.kind, change.code)
            last[name] = last.get(name, entries.next_version(self.versions(*name)) - 1) + 1
            waits = change.kind in asked
            made.append(
                Version(
                    kind=change.kind,
                    code=change.code,
                    version=last[name],
                    since=change.since,
                    until=change.until,
                    content=None if change.content is None else change.content.model_dump(mode="json"),
                    basis=change.basis,
                    source=change.source,
                    state=State.PROPOSED if waits else State.APPROVED,
                    four_eyes=waits,
                    reason=author.reason,
                    recorded_by=author.by,
                    recorded_at=self._now,
                )
            )
        return made

    def _with(self, changes: Sequence[Change]) -> Timelines:
        """The timelines as they would be, for looking only."""
        future = {name: list(versions) for name, versions in self._timelines.items()}
        for version in self._numbered(changes, Author("", ""), frozenset()):
            future.setdefault((version.kind, version.code), []).append(version)
        return future

    async def _refuse_occupied(self, changes: Sequence[Change]) -> None:
        """Raises Conflict when a bed, or a place with beds, would close under patients now."""
        closing = {
            change.code
            for change in changes
            if change.kind is Kind.PLACE and change.since <= self._now and _closes(change.content)
        }
        if not closing:
            return
        for bed in await beds.occupied(self._tx):
            at: str = bed.id
            while at and at not in closing:
                version = applying(self.versions(Kind.PLACE, at), self._now)
                place = content_of(version) if version else None
                at = place.part_of if isinstance(place, Place) else ""
            if at:
                raise Conflict("a patient lies there", place=Reference.to("Location", at), bed=bed)


def content_of(version: Version) -> Content:
    return MODELS[version.kind].model_validate(version.content)


def _same(found: Version, change: Change) -> bool:
    if content_of(found) != change.content:
        return False
    kept, wanted = (frame_of(one.since, one.until, Basis.OWN, "") for one in (found, change))
    begins = change.since >= found.since or kept["valid_from"] == wanted["valid_from"]
    return begins and kept["valid_to"] == wanted["valid_to"]


def _closes(content: Content | None) -> bool:
    return content is None or (isinstance(content, Place) and content.status is not PlaceStatus.ACTIVE)


def _resources(code: str, versions: Sequence[Version], at: datetime) -> list[Json]:
    """What an entry shows at an instant: after its end what was last true, as inactive; before it began nothing."""
    if (found := applying(versions, at)) is not None:
        return shown.resources(code, content_of(found), active=True)
    begun = [one for one in versions if one.state is State.APPROVED and one.content is not None and one.since <= at]
    if not begun:
        return []
    return shown.resources(code, content_of(max(begun, key=lambda one: (one.since, one.version))), active=False)
