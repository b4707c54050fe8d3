"""A code system compiled to be asked: concepts by code, their hierarchy, names and properties.

hl7.org/fhir/R4/codesystem.html. The hierarchy is that of nesting and of the properties `parent`, `child` and
`subsumedBy`; a concept may have several parents.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from domain.terminology.canonicals import Canonical

Json = Mapping[str, Any]

_UP = frozenset({"parent", "subsumedBy"})
_CONCEPT_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
_STANDARD = ("inactive", "notSelectable", "abstract", "status")
_RETIRED = frozenset({"inactive", "retired"})
_NONE: tuple[Json, ...] = ()


@dataclass(slots=True)
class Concept:
    """One concept. `place`: its index among the concepts of its system.

    more: designations and properties, as text until somebody asks: a third of the memory.
    """

    code: str
    display: str
    definition: str
    place: int
    more: bytes | tuple[Sequence[Json], Sequence[Json]] = b""

    @property
    def designations(self) -> Sequence[Json]:
        return self._more()[0]

    @property
    def properties(self) -> Sequence[Json]:
        return self._more()[1]

    def _more(self) -> tuple[Sequence[Json], Sequence[Json]]:
        if isinstance(self.more, tuple):
            return self.more
        if not self.more:
            return _NONE, _NONE
        designations, properties = json.loads(self.more)
        return designations, properties


def _packed(designations: Sequence[Json], properties: Sequence[Json]) -> bytes | tuple[Sequence[Json], Sequence[Json]]:
    if not designations and not properties:
        return b""
    try:
        return json.dumps([designations, properties], ensure_ascii=False, separators=(",", ":")).encode()
    except TypeError:  # a decimal, which keeps its digits as it is
        return designations, properties


@dataclass
class CodeSystem:
    """`content`: complete, fragment, example, supplement or not-present; `meta`: the resource without its concepts.

    supplements: other code systems whose designations and properties are told with this one's.
    """

    url: str
    version: str
    status: str
    date: str
    content: str
    case_sensitive: bool
    language: str
    meta: Json
    concepts: list[Concept]
    places: dict[str, int]
    above: dict[int, tuple[int, ...]]
    supplements: tuple[CodeSystem, ...] = ()
    inactive: frozenset[int] = frozenset()
    abstract: frozenset[int] = frozenset()
    _texts: dict[str, list[str]] = field(default_factory=dict)
    _supplemented: CodeSystem | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, resource: Json) -> CodeSystem:
        """Compile a CodeSystem of R4 whose structure is right. Of a code that stands twice the first counts."""
        made = _Compiling(_meaning(resource))
        made.take(resource.get("concept", ()), None)
        meta = {name: value for name, value in resource.items() if name not in {"concept", "text"}}
        return cls(
            url=str(resource.get("url", "")),
            version=str(resource.get("version", "")),
            status=str(resource.get("status", "")),
            date=str(resource.get("date", "")),
            content=str(resource.get("content", "")),
            case_sensitive=resource.get("caseSensitive") is not False,
            language=str(resource.get("language", "")),
            meta=meta,
            concepts=made.concepts,
            places=made.places,
            above=made.hierarchy(),
            inactive=frozenset(made.inactive),
            abstract=frozenset(made.abstract),
        )

    @property
    def canonical(self) -> Canonical:
        return Canonical(self.url, self.version)

    @property
    def is_whole(self) -> bool:
        """Whether a code that is not here is no code of the system."""
        return self.content == "complete"

    @property
    def is_here(self) -> bool:
        """Whether any of its concepts may be asked for."""
        return self.content != "not-present"

    @property
    def weight(self) -> int:
        """Roughly what it takes of memory, in concepts."""
        return 1 + len(self.concepts)

    def with_supplements(self, supplements: Sequence[CodeSystem]) -> CodeSystem:
        """With more names and properties; the last answer is remembered, because its search texts are dear."""
        if not supplements:
            return self
        if self._supplemented is not None:
            known = self._supplemented.supplements
            if len(known) == len(supplements) and all(a is b for a, b in zip(known, supplements, strict=True)):
                return self._supplemented
        self._supplemented = replace(self, supplements=tuple(supplements), _texts={})
        return self._supplemented

    def find(self, code: str) -> Concept | None:
        """The concept of a code; whatever its case where the system says that case says nothing."""
        place = self.places.get(code)
        if place is None and not self.case_sensitive:
            place = self._folded.get(code.casefold())
        return None if place is None else self.concepts[place]

    def designations(self, concept: Concept) -> list[Json]:
        return [*concept.designations, *(each for found in self._supplementary(concept) for each in found.designations)]

    def properties(self, concept: Concept) -> list[Json]:
        return [*concept.properties, *(each for found in self._supplementary(concept) for each in found.properties)]

    def _supplementary(self, concept: Concept) -> Iterator[Concept]:
        for supplement in self.supplements:
            found = supplement.find(concept.code)
            if found is not None:
                if found.display and supplement.language:  # a supplement's display is a name in its language
                    named = {"language": supplement.language, "value": found.display}
                    found = replace(found, more=([named, *found.designations], found.properties))
                yield found

    def parents(self, concept: Concept) -> list[Concept]:
        return [self.concepts[place] for place in self.above.get(concept.place, ())]

    def children(self, concept: Concept) -> list[Concept]:
        return [self.concepts[place] for place in self.below.get(concept.place, ())]

    def ancestors(self, concept: Concept) -> set[int]:
        """Places of all that is above it, not its own."""
        return _reached(concept.place, self.above)

    def descendants(self, concept: Concept) -> set[int]:
        """Places of all that is beneath it, not its own."""
        return _reached(concept.place, self.below)

    @cached_property
    def below(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for place, parents in self.above.items():
            for parent in parents:
                found.setdefault(parent, []).append(place)
        return found

    @cached_property
    def _folded(self) -> dict[str, int]:
        return {code.casefold(): place for code, place in reversed(self.places.items())}

    def search_text(self, place: int) -> str:
        """What a filter of words looks in: code, display and designations, normalised. Made once for all concepts."""
        texts = self._texts.get("")
        if texts is None:
            texts = self._texts[""] = [self._text(concept) for concept in self.concepts]
        return texts[place]

    def _text(self, concept: Concept) -> str:
        names = [str(each.get("value", "")) for each in self.designations(concept)]
        return folded("\n".join([concept.code, concept.display, *names]))


def folded(text: str) -> str:
    """Text as a filter compares it: composed, without case."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _reached(start: int, steps: Mapping[int, Sequence[int]]) -> set[int]:
    waiting, seen = [start], {start}
    while waiting:
        for each in steps.get(waiting.pop(), ()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return seen - {start}


def _meaning(resource: Json) -> dict[str, str]:
    """Code of a property → what it is by HL7's list of concept properties, whatever the system calls it."""
    found = {name: name for name in _STANDARD}
    for each in resource.get("property", ()):
        uri = str(each.get("uri", ""))
        if uri.startswith(_CONCEPT_PROPERTIES):
            found[str(each.get("code", ""))] = uri.removeprefix(_CONCEPT_PROPERTIES)
    return found


class _Compiling:
    def __init__(self, meaning: Mapping[str, str]) -> None:
        self.meaning = meaning
        self.concepts: list[Concept] = []
        self.places: dict[str, int] = {}
        self.nested: list[tuple[int, int]] = []
        self.named: list[tuple[int, str, bool]] = []  # place, the other's code, whether that one is above
        self.inactive: set[int] = set()
        self.abstract: set[int] = set()

    def take(self, listed: Sequence[Json], parent: int | None) -> None:
        for each in listed:
            code = str(each.get("code", ""))
            place = self.places.get(code)
            if place is None:
                place = self.places[code] = len(self.concepts)
                properties = each.get("property", _NONE)
                designations = each.get("designation", _NONE)
                display, definition = str(each.get("display", "")), str(each.get("definition", ""))
                self.concepts.append(Concept(code, display, definition, place, _packed(designations, properties)))
                for one in properties:
                    self.note(place, one)
            if parent is not None:
                self.nested.append((place, parent))
            if "concept" in each:
                self.take(each["concept"], place)

    def note(self, place: int, one: Json) -> None:
        code = str(one.get("code", ""))
        if code in _UP or code == "child":
            self.named.append((place, str(one.get("valueCode", "")), code in _UP))
        match self.meaning.get(code):
            case "inactive" if one.get("valueBoolean") is True:
                self.inactive.add(place)
            case "status" if one.get("valueCode") in _RETIRED:
                self.inactive.add(place)
            case "notSelectable" | "abstract" if one.get("valueBoolean") is True:
                self.abstract.add(place)

    def hierarchy(self) -> dict[int, tuple[int, ...]]:
        pairs = list(self.nested)
        for place, code, is_above in self.named:
            other = self.places.get(code)
            if other is not None:
                pairs.append((place, other) if is_above else (other, place))
        found: dict[int, dict[int, None]] = {}
        for place, parent in pairs:
            if place != parent:
                found.setdefault(place, {})[parent] = None
        return {place: tuple(parents) for place, parents in found.items()}
