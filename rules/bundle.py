"""Everything that was ever published for one hospital, ready to be resolved: what a worker keeps in memory."""

from __future__ import annotations

import json
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from domain.errors import NotFound
from domain.rule_versions import Edition, KeptVersion
from rules.document import Effective, Level, RuleDocument, Scope, load
from rules.library import shipped
from rules.resolution import ParentChanged, Place, Published, Resolution, parent_changed, parent_of, resolve

NATION = "KR"
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when a shipped rule has been known: a hospital's clock may show any time."""

_SPANS = 4_096
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Standing:
    """What applies between two instants, and the document, None where nothing does."""

    since: datetime
    until: datetime
    published: Published | None


class Bundle:
    """The rules of a hospital in one edition. Threads may share it.

    A shipped rule that the database does not hold in any version applies all the same: nothing that a point needs is
    ever absent. known: a bundle of an earlier edition, whose read documents are taken over.
    """

    def __init__(self, hospital: str, network: str, kept: Iterable[KeptVersion], known: Bundle | None = None) -> None:
        self.hospital = hospital
        self.network = network
        self._kept: dict[str, KeptVersion] = {}
        self._points: dict[str, list[Published]] = defaultdict(list)
        for each in kept:
            self._kept[each.digest] = each
            self._points[each.point].append(_published(each))
        self._shipped = {rule.digest: rule for rule in shipped().values()}
        for point, rule in shipped().items():
            if not any(one.rule == rule.id and one.scope == rule.scope for one in self._points[point.value]):
                self._points[point.value].append(_shipped(rule))
        self._documents: dict[str, RuleDocument] = {}
        if known is not None:
            self._documents |= {digest: document for digest, document in known.read() if digest in self._kept}
        self._standing: OrderedDict[tuple[str, str], list[Standing]] = OrderedDict()
        self._lock = Lock()

    def place(self, department: str = "") -> Place:
        """Where a decision is taken; department: an id within the hospital, '' for none."""
        return Place(NATION, self.network, self.hospital, f"{self.hospital}/{department}" if department else "")

    def published(self, point: str | None = None) -> list[Published]:
        """Every version, of one decision point or of all."""
        if point is not None:
            return list(self._points.get(point, ()))
        return [one for versions in self._points.values() for one in versions]

    def read(self) -> list[tuple[str, RuleDocument]]:
        return list(self._documents.items())

    def resolve(self, point: str, as_of: datetime, department: str = "") -> Resolution:
        """What applies at an instant, and who lost and why."""
        return resolve(point, self.place(department), as_of, self._points.get(point, ()))

    def parent(self, of: Published, as_of: datetime) -> Published | None:
        """What would apply without it."""
        department = of.scope.place.partition("/")[2] if of.scope.level is Level.DEPARTMENT else ""
        return parent_of(of, self.place(department), as_of, self._points.get(of.decision_point, ()))

    def changed_parents(self, as_of: datetime) -> list[tuple[ParentChanged, str]]:
        """The standing overrides of the house whose parent is not the one they were written against, with owners."""
        found = []
        for one in self.published():
            kept = self._kept.get(one.digest)
            ended = one.effective.until is not None and one.effective.until <= as_of
            if kept is None or one.parent is None or ended or one.scope.level.rank < Level.HOSPITAL.rank:
                continue
            department = one.scope.place.partition("/")[2]
            known = self._points[one.decision_point]
            found += [(each, kept.owner) for each in parent_changed(self.place(department), as_of, known, [one])]
        return found

    def standing(self, point: str, as_of: datetime, now: datetime, department: str = "") -> Published | None:
        """What decides: the version in force at `as_of`, unless it is switched off `now`.

        as_of lies before now where a process keeps the version of its start; an emergency reaches it all the same.
        """
        chosen = self._at(point, as_of, department)
        if chosen is None or as_of == now or not _off(chosen, now):
            return chosen
        others = [one for one in self._points.get(point, ()) if not _off(one, now)]
        return resolve(point, self.place(department), as_of, others).chosen

    def document(self, digest: str) -> RuleDocument:
        """Raises NotFound; RuleUnusable for one that this release cannot read."""
        if (found := self._shipped.get(digest) or self._documents.get(digest)) is not None:
            return found
        kept = self._kept.get(digest)
        if kept is None:
            raise NotFound("no such version")
        document = load(json.loads(kept.document))
        self._documents[digest] = document
        return document

    def _at(self, point: str, as_of: datetime, department: str) -> Published | None:
        """As `resolve`, remembered: between two instants at which something begins or ends, nothing changes."""
        key = (point, department)
        spans = self._standing.get(key)
        for span in spans or ():
            if span.since <= as_of < span.until:
                return span.published
        found = self._span(point, as_of, department)
        with self._lock:
            self._standing.setdefault(key, []).append(found)
            while len(self._standing) > _SPANS:
                self._standing.popitem(last=False)
        return found.published

    def _span(self, point: str, as_of: datetime, department: str) -> Standing:
        since, until = _EVER
        for one in self._points.get(point, ()):
            for instant in _instants(one):
                if since < instant <= as_of:
                    since = instant
                elif as_of < instant < until:
                    until = instant
        return Standing(since, until, self.resolve(point, as_of, department).chosen)


class RuleBook:
    """Bundles by hospital, `keeps` of them, those used last. A bundle is good for one edition."""

    def __init__(self, *, keeps: int = 64) -> None:
        self._keeps = keeps
        self._bundles: OrderedDict[str, tuple[Edition, Bundle]] = OrderedDict()
        self._lock = Lock()

    def get(self, hospital: str, edition: Edition) -> Bundle | None:
        """The bundle, when it is of this edition."""
        with self._lock:
            found = self._bundles.get(hospital)
            if found is None or found[0] != edition:
                return None
            self._bundles.move_to_end(hospital)
            return found[1]

    def take(self, edition: Edition, hospital: str, network: str, kept: Iterable[KeptVersion]) -> Bundle:
        """Make and keep the bundle of an edition; one that is newer already stays."""
        with self._lock:
            before = self._bundles.get(hospital)
        made = Bundle(hospital, network, kept, before[1] if before else None)
        with self._lock:
            present = self._bundles.get(hospital)
            if present is None or present[0].order <= edition.order:
                self._bundles[hospital] = (edition, made)
                self._bundles.move_to_end(hospital)
            while len(self._bundles) > self._keeps:
                self._bundles.popitem(last=False)
        return made


def _published(kept: KeptVersion) -> Published:
    return Published(
        decision_point=kept.point,
        rule=kept.rule,
        version=kept.version,
        digest=kept.digest,
        scope=Scope(level=Level(kept.level), place=kept.place),
        effective=Effective(since=kept.since, until=kept.until) if kept.until != kept.since else _never(kept),
        published_at=kept.published_at,
        disabled=tuple(Effective(since=span.since, until=span.until) for span in kept.disabled),
        parent=kept.parent,
    )


def _never(kept: KeptVersion) -> Effective:
    """A version that was retired before it began."""
    return Effective.model_construct(since=kept.since, until=kept.since)


def _shipped(rule: RuleDocument) -> Published:
    return Published(
        rule.decision_point, rule.id, rule.version, rule.digest, rule.scope, rule.effective, published_at=ALWAYS
    )


def _off(one: Published, moment: datetime) -> bool:
    return any(span.covers(moment) for span in one.disabled)


def _instants(one: Published) -> list[datetime]:
    edges = [one.published_at, one.effective.since, one.effective.until]
    for span in one.disabled:
        edges += [span.since, span.until]
    return [edge for edge in edges if edge is not None]
