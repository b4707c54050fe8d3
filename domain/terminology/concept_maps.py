"""A concept map compiled to be asked (hl7.org/fhir/R4/conceptmap.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

_NO_MATCH = frozenset({"unmatched", "disjoint"})
_REVERSED = {
    "wider": "narrower",
    "narrower": "wider",
    "subsumes": "specializes",
    "specializes": "subsumes",
}


@dataclass(frozen=True, slots=True)
class Match:
    """`equivalence` reads from the source to the target (hl7.org/fhir/R4/valueset-concept-map-equivalence.html)."""

    equivalence: str
    system: str
    version: str
    code: str
    display: str
    products: Sequence[Json]
    source: str

    @property
    def is_match(self) -> bool:
        return self.equivalence not in _NO_MATCH


@dataclass(frozen=True)
class ConceptMap:
    """`source` and `target`: the value sets that it maps between, empty where it says none."""

    url: str
    version: str
    status: str
    date: str
    source: str
    target: str
    groups: Sequence[Json]

    @classmethod
    def of(cls, resource: Json) -> ConceptMap:
        """Compile a ConceptMap of R4 whose structure is right."""
        return cls(
            url=str(resource.get("url", "")),
            version=str(resource.get("version", "")),
            status=str(resource.get("status", "")),
            date=str(resource.get("date", "")),
            source=str(resource.get("sourceUri") or resource.get("sourceCanonical") or ""),
            target=str(resource.get("targetUri") or resource.get("targetCanonical") or ""),
            groups=resource.get("group", ()),
        )

    @property
    def weight(self) -> int:
        return 1 + sum(len(each.get("element", ())) for each in self.groups)

    def translate(self, system: str, code: str, *, reverse: bool = False, into: str = "") -> list[Match]:
        """What a code is on the other side; `into`: only targets of this system."""
        found = self._backward(system, code) if reverse else self._forward(system, code)
        return [each for each in found if not into or each.system == into]

    def _forward(self, system: str, code: str) -> Iterator[Match]:
        for group in self.groups:
            if group.get("source", system) != system:
                continue
            elements = [each for each in group.get("element", ()) if each.get("code") == code]
            for element in elements:
                for target in element.get("target", ()):
                    yield self._match(group, target, str(target.get("code", "")), "target")
            if not elements:
                yield from self._unmapped(group, code)

    def _unmapped(self, group: Json, code: str) -> Iterator[Match]:
        """What the group says of codes that it does not list; another map is named, not asked."""
        unmapped = group.get("unmapped", {})
        match unmapped.get("mode"):
            case "provided":
                yield self._match(group, {"equivalence": "equal"}, code, "target")
            case "fixed":
                yield self._match(
                    group, {"equivalence": "inexact", **unmapped}, str(unmapped.get("code", "")), "target"
                )

    def _backward(self, system: str, code: str) -> Iterator[Match]:
        for group in self.groups:
            if group.get("target", system) != system:
                continue
            for element in group.get("element", ()):
                for target in element.get("target", ()):
                    if target.get("code") == code:
                        given = str(target.get("equivalence", ""))
                        said = {"equivalence": _REVERSED.get(given, given), "display": element.get("display", "")}
                        yield self._match(group, said, str(element.get("code", "")), "source")

    def _match(self, group: Json, said: Json, code: str, side: str) -> Match:
        return Match(
            equivalence=str(said.get("equivalence", "")),
            system=str(group.get(side, "")),
            version=str(group.get(f"{side}Version", "")),
            code=code,
            display=str(said.get("display", "")),
            products=said.get("product", ()),
            source=self.url,
        )
