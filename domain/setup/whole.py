"""Whether entries that come together have everything that they need, and stand where they can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from domain.setup.kinds import Content, Kind
from domain.setup.places import Place
from domain.setup.rows import Wanted

Find = Callable[[Kind, str], Content | None]


@dataclass(frozen=True)
class Lack:
    """Why an entry cannot stand. `field`: what names the other."""

    kind: Kind
    code: str
    field: str
    reason: str
    row: int = 0


def lacking(wanted: Iterable[Wanted], known: Find = lambda _kind, _code: None) -> list[Lack]:
    """What is missing or wrong among entries that refer to each other, or to those that are `known`."""
    entries = list(wanted)
    together: Mapping[tuple[Kind, str], Content] = {(one.kind, one.code): one.content for one in entries}

    def find(kind: Kind, code: str) -> Content | None:
        return together.get((kind, code)) or known(kind, code)

    return [
        Lack(one.kind, one.code, field, reason, one.row)
        for one in entries
        for field, reason in wrong_with(one.code, one.content, find)
    ]


def wrong_with(code: str, content: Content, find: Find) -> Iterable[tuple[str, str]]:
    """What an entry needs and does not find: the field that names it, and why."""
    for need in content.needs():
        if find(need.kind, need.code) is None:
            yield need.field, f"there is no {need.kind} {need.code}"
    if isinstance(content, Place) and content.part_of:
        yield from _standing(code, content, find)


def _standing(code: str, place: Place, find: Find) -> Iterable[tuple[str, str]]:
    above = find(Kind.PLACE, place.part_of)
    if not isinstance(above, Place):
        return
    if not place.may_stand_in(above):
        yield "part_of", f"a place of kind {place.kind} is not part of one of kind {above.kind}"
    seen = {code}
    at: str = place.part_of
    while at:
        if at in seen:
            yield "part_of", "the place would be part of itself"
            return
        seen.add(at)
        whole = find(Kind.PLACE, at)
        at = whole.part_of if isinstance(whole, Place) else ""
