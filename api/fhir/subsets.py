"""Parts of resources: `_summary` and `_elements` (hl7.org/fhir/R4/search.html#summary, #elements)."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from api.fhir.exchange import Call
from api.fhir.text import Json, write
from domain import fhir
from domain.errors import Invalid
from store.fhir.versions import Version

_ALWAYS = frozenset({"resourceType", "id", "meta"})
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
_SUMMARIES = frozenset({"true", "text", "data", "count", "false"})


def text_of(call: Call, version: Version) -> bytes:
    """A resource's text as the caller wants it: the kept text, unless a part of it was asked for."""
    if not call.params:
        return version.text
    return cut(version, *wishes(call))


def wishes(call: Call) -> tuple[str | None, tuple[str, ...]]:
    """`_summary` and `_elements` as they were given. Raises Invalid for a summary that R4 does not know."""
    summary, elements = call.first("_summary"), call.first("_elements")
    if summary is not None and summary not in _SUMMARIES:
        raise Invalid("_summary is true, text, data, count or false", field="_summary")
    return summary, tuple(name.strip() for name in (elements or "").split(",") if name.strip())


def cut(version: Version, summary: str | None, elements: Collection[str]) -> bytes:
    """The text of a resource with these elements only, marked as SUBSETTED; whole when nothing is to be left out."""
    if version.deleted or (summary in {None, "false", "count"} and not elements):
        return version.text
    return write(_part(version.body, version.reference.resource_type, summary, elements))


def _part(body: Json, kind: str, summary: str | None, elements: Collection[str]) -> Json:
    if summary == "data":
        kept = {name: value for name, value in body.items() if name not in {"text", "_text"}}
    else:
        asked = _named(kind, tuple(elements)) if elements else _summary_of(kind, text=summary == "text")
        names = asked | _ALWAYS | _mandatory(kind)
        kept = {name: value for name, value in body.items() if name.removeprefix("_") in names}
    meta = dict(kept.get("meta", {}))
    meta["tag"] = [*meta.get("tag", []), SUBSETTED]
    return kept | {"meta": meta}


def _named(kind: str, elements: tuple[str, ...]) -> frozenset[str]:
    """JSON names of elements as `_elements` names them: `value` stands for `valueQuantity` and its kin."""
    known = {name.partition(".")[2] if name.startswith(f"{kind}.") else name for name in elements}
    return frozenset(name for name, element in fhir.children(kind).items() if element.name in known or name in known)


@lru_cache(maxsize=512)
def _summary_of(kind: str, *, text: bool) -> frozenset[str]:
    if text:
        return frozenset({"text"})
    return frozenset(name for name, element in fhir.children(kind).items() if element.summary)


@lru_cache(maxsize=256)
def _mandatory(kind: str) -> frozenset[str]:
    return frozenset(name for name, element in fhir.children(kind).items() if element.min > 0)
