"""The elements of a profile: its snapshot, or its differential laid over what it is derived from.

https://hl7.org/fhir/R4/profiling.html#snapshot. What is made here is for validating: the elements of R4's own types are
left out, because a resource is checked against those before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain import fhir
from domain.errors import Invalid

Json = Mapping[str, Any]
Find = Callable[[str], Json | None]

BASE = "http://hl7.org/fhir/StructureDefinition/"
DEEPEST = 8
"""Profiles that are derived from profiles."""


def elements_of(definition: Json, find: Find, depth: int = 0) -> Sequence[Json]:
    """Raises Invalid for a definition without elements, or derived from one that is not known."""
    snapshot: Sequence[Json] = definition.get("snapshot", {}).get("element") or []
    if snapshot:
        return _named(snapshot)
    differential = definition.get("differential", {}).get("element") or []
    if not differential:
        raise Invalid("it has no snapshot, and no differential to make one from", field="snapshot")
    made = {str(each["id"]): dict(each) for each in _inherited(definition, find, depth)}
    for each in _named(differential):
        _lay(made, each)
    return list(made.values())


def _inherited(definition: Json, find: Find, depth: int) -> Sequence[Json]:
    kind, url = str(definition.get("type", "")), str(definition.get("baseDefinition", ""))
    root = [{"id": kind, "path": kind}]
    name = url.partition("|")[0].removeprefix(BASE)
    if name in fhir.types():
        return root
    base = find(url) if url else None
    if base is None:
        raise Invalid(f"it is derived from {url or 'nothing'}, which is not known here", field="baseDefinition")
    if depth >= DEEPEST:
        raise Invalid("it is derived from too many others, or from itself", field="baseDefinition")
    return elements_of(base, find, depth + 1) or root


def _lay(made: dict[str, dict[str, Any]], element: Json) -> None:
    """One element over the inherited one; what stands above it is made where nobody said anything of it."""
    identity = str(element["id"])
    head, _, last = identity.rpartition(".")
    if head and head not in made:
        _lay(made, {"id": head, "path": _path(head)})
    place, colon, name = last.partition(":")
    whole = f"{head}.{place}" if head else place
    if colon and whole not in made:
        _lay(made, {"id": whole, "path": _path(whole)})
    inherited = made.setdefault(identity, {"id": identity, "path": _path(identity)})
    constraints = [*inherited.get("constraint", ()), *element.get("constraint", ())]
    for given in ("fixed", "pattern"):  # a profile may say anew what a value is, by another name for another type
        if any(key.startswith(given) for key in element):
            for key in [key for key in inherited if key.startswith(given)]:
                del inherited[key]
    inherited.update(element)
    if colon:
        inherited.setdefault("sliceName", name)
    if constraints:
        inherited["constraint"] = constraints


def _path(identity: str) -> str:
    return ".".join(part.partition(":")[0] for part in identity.split("."))


def _named(elements: Sequence[Json]) -> Sequence[Json]:
    """Each with an id: what an element without one is called follows from paths, slice names and order."""
    if all("id" in each for each in elements):
        return elements
    named: list[Json] = []
    latest: dict[str, str] = {}
    for each in elements:
        path = str(each.get("path", ""))
        head, _, last = path.rpartition(".")
        above = latest.get(head, head)
        identity = f"{above}.{last}" if above else last
        if "sliceName" in each:
            identity = f"{identity}:{each['sliceName']}"
        identity = str(each.get("id", identity))
        for known in [known for known in latest if known.startswith(f"{path}.")]:
            del latest[known]
        latest[path] = identity
        named.append({**each, "id": identity})
    return named
