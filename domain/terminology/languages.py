"""Which of a concept's names a reader wants: `displayLanguage=ko`, `Accept-Language: ko-KR, en;q=0.5` (BCP 47)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

Json = Mapping[str, Any]

_LONGEST = 200
_DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Languages:
    """Tags, the most wanted first, in lower case; none where the reader did not say."""

    wanted: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str | None) -> Self:
        """A tag, or a header's list with weights; what is not understood is left out."""
        weighed = []
        for index, part in enumerate((text or "")[:_LONGEST].split(",")):
            tag, _, weight = part.strip().lower().partition(";")
            quality = _quality(weight.strip())
            if tag.strip() and tag.strip() != "*" and quality > 0:
                weighed.append((-quality, index, tag.strip()))
        return cls(tuple(tag for _, _, tag in sorted(weighed)))

    def pick(self, display: str, own: str, designations: Iterable[Json]) -> str:
        """The name to show: in the first wanted language that there is one in, else the code system's own.

        own: the language of `display`, empty where nobody says.
        """
        listed = list(designations) if self.wanted else []
        for tag in self.wanted:
            if own and speaks(own, tag):
                return display or _best(listed, tag)
            if found := _best(listed, tag):
                return found
        return display


def speaks(language: str, tag: str) -> bool:
    """Whether a name's language serves who asks for `tag`: `ko` for `ko-KR`, and the other way round."""
    language = language.lower()
    return language == tag or language.startswith(f"{tag}-") or tag.startswith(f"{language}-")


def _best(designations: list[Json], tag: str) -> str:
    found = [each for each in designations if each.get("language") and speaks(str(each["language"]), tag)]
    plain = [each for each in found if each.get("use", {}).get("code", _DISPLAY) == _DISPLAY]
    return str((plain or found)[0].get("value", "")) if found else ""


def _quality(weight: str) -> float:
    name, _, value = weight.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
