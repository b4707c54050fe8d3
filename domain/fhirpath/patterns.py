"""Regular expressions of `matches` and `replaceMatches`, in time that grows with the text and not faster.

Patterns come from profiles and patches of clients, and `(a+)+$` keeps a backtracking matcher busy for years. So a
pattern is read into states and run as an automaton that is built while it reads (Thompson 1968): every character once.
What an automaton cannot do, back references and looking around, is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from domain.errors import Invalid
from domain.fhirpath.regex import Alternatives, Characters, Edge, Group, Part, Repeat, Sequence, read

_MOST_STATES: Final = 5_000
_MOST_MOVES: Final = 20_000
"""Remembered moves of one pattern; beyond it they are forgotten and found again."""
_MOST_WORK: Final = 2_000_000
"""Places that are looked at for one text where no move is remembered: about a second."""
_LONGEST_REPLACED: Final = 20_000
_MATCH: Final = -1


@lru_cache(maxsize=512)
def compiled(pattern: str, *, full: bool = False) -> Automaton:
    """Raises Invalid for a pattern that is malformed, too large or beyond what an automaton can do.

    full: the pattern is to match the whole text, not a part of it.
    """
    parsed = read(pattern)
    return Automaton(Sequence((Edge("^"), parsed, Edge("$"))) if full else parsed)


class _State:
    """A set of places in the pattern, and where each character leads."""

    __slots__ = ("accepts", "accepts_at_end", "moves", "places")

    def __init__(self, places: frozenset[int], *, accepts: bool, accepts_at_end: bool) -> None:
        self.places = places
        self.accepts = accepts
        self.accepts_at_end = accepts_at_end
        self.moves: dict[str, _State] = {}


class Automaton:
    """`_forks` leads on without a character, `_edges` at one end of the text only, `_takers` over a character."""

    def __init__(self, pattern: Part) -> None:
        self._forks: dict[int, tuple[int, ...]] = {}
        self._edges: dict[int, tuple[str, int]] = {}
        self._takers: dict[int, tuple[Characters, int]] = {}
        self._count = 0
        self._size = 0
        self._start = self._built(pattern, _MATCH)
        self._states: dict[frozenset[int], _State] = {}
        self._remembered = 0
        self._first = self._made(self._closure({self._start}, "^"), "^$")
        self._restart = self._closure({self._start}, "")

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text; `.` takes a new line too."""
        state = self._first
        work = 0
        for character in text:
            if state.accepts:
                return True
            following = state.moves.get(character)
            if following is None:
                work += len(state.places) + 1
                if work > _MOST_WORK:
                    raise Invalid("FHIRPath: the regular expression is too costly for this text")
                following = self._move(state, character)
            state = following
        return state.accepts or state.accepts_at_end

    def _place(self) -> int:
        self._count += 1
        return self._count

    def _built(self, part: Part, then: int) -> int:
        """The place where the part begins, when `then` follows it."""
        self._size += 1
        if self._size > _MOST_STATES:
            raise Invalid("FHIRPath: the regular expression is too large")
        match part:
            case Characters():
                place = self._place()
                self._takers[place] = (part, then)
                return place
            case Edge(side):
                place = self._place()
                self._edges[place] = (side, then)
                return place
            case Group(inner):
                return self._built(inner, then)
            case Sequence(parts):
                for each in reversed(parts):
                    then = self._built(each, then)
                return then
            case Alternatives(choices):
                place = self._place()
                self._forks[place] = tuple(self._built(each, then) for each in choices)
                return place
            case Repeat(inner, least, most):
                return self._repeated(inner, least, most, then)

    def _repeated(self, inner: Part, least: int, most: int | None, then: int) -> int:
        if most is None:
            loop = self._place()
            self._forks[loop] = (self._built(inner, loop), then)
            then = loop
        else:
            end = then
            for _ in range(most - least):
                fork = self._place()
                self._forks[fork] = (self._built(inner, then), end)
                then = fork
        for _ in range(least):
            then = self._built(inner, then)
        return then

    def _closure(self, places: set[int], at: str) -> frozenset[int]:
        """What can be reached without a character, `at` an end of the text or between."""
        reached: set[int] = set()
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place in reached:
                continue
            reached.add(place)
            waiting.extend(self._forks.get(place, ()))
            if place in self._edges and self._edges[place][0] in at:
                waiting.append(self._edges[place][1])
        return frozenset(place for place in reached if place not in self._forks)

    def _made(self, places: frozenset[int], ends: str) -> _State:
        """`ends`: the ends of the text that it stands at, should nothing more come."""
        at_end = self._closure(set(places), ends)
        return _State(places, accepts=_MATCH in places, accepts_at_end=_MATCH in at_end)

    def _state(self, places: frozenset[int]) -> _State:
        state = self._states.get(places)
        if state is None:
            state = self._states[places] = self._made(places, "$")
        return state

    def _move(self, state: _State, character: str) -> _State:
        self._remembered += 1
        if self._remembered > _MOST_MOVES:
            for each in (self._first, *self._states.values()):
                each.moves.clear()
            self._states.clear()
            self._remembered = 0
        takers = self._takers
        reached = {takers[place][1] for place in state.places if place in takers and takers[place][0].take(character)}
        following = self._state(self._closure(reached, "") | self._restart)
        state.moves[character] = following
        return following


def replaced(text: str, pattern: str, new: str) -> str:
    """Every match replaced; `$1` in `new` stands for the first group.

    Groups need a backtracking matcher, so only patterns are taken here that cannot make one slow.
    """
    parsed = read(pattern)
    compiled(pattern)  # its bounds hold here too
    if _open_repeats(parsed, within=False) > 1 or len(text) > _LONGEST_REPLACED:
        raise Invalid("FHIRPath: the regular expression is too costly to replace by")
    matcher = re.compile(parsed.python(), re.DOTALL)

    def inserted(match: re.Match[str]) -> str:
        def group(number: re.Match[str]) -> str:
            wanted = int(number.group(1))
            if wanted > matcher.groups:
                raise Invalid("FHIRPath: the replacement names a group that the pattern does not have")
            return match.group(wanted) or ""

        return re.sub(r"\$([0-9])", group, new)

    return matcher.sub(inserted, text)


def _open_repeats(part: Part, *, within: bool) -> int:
    """How many repeats have many ways to match; one inside another counts as too many."""
    match part:
        case Repeat(inner, _, most):
            many = most is None or most > 16
            inside = _open_repeats(inner, within=within or many)
            return inside + (2 if many and within else int(many)) + (1 if inside else 0)
        case Sequence(parts) | Alternatives(parts):
            return sum(_open_repeats(each, within=within) for each in parts) + (
                2 if within and isinstance(part, Alternatives) and len(parts) > 1 else 0
            )
        case Group(inner):
            return _open_repeats(inner, within=within)
        case _:
            return 0
