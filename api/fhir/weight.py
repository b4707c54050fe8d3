"""How much one resource may ask of validation, which looks at every object in it while others wait.

A Questionnaire costs most, some 0.1 milliseconds an item; what only lists codes or carries other resources costs least.
"""

from __future__ import annotations

from typing import Any

from api.fhir.text import Json
from domain.errors import TooCostly

LIGHT = 16 * 1024
"""Bytes of a body that are not worth weighing."""

MOST = 5_000
MOST_LISTED = 100_000
"""Objects in one resource, and in one that lists: ten times the longest forms in use, and fifty times other lists."""

_LISTS = frozenset({"Bundle", "CodeSystem", "ConceptMap", "ValueSet"})
_ASKING = frozenset({"batch", "transaction"})


def refuse_heavy(sent: Json) -> None:
    """Raises TooCostly for a resource with too many objects, or one that a batch or transaction carries."""
    entries = sent.get("entry")
    if sent.get("resourceType") == "Bundle" and sent.get("type") in _ASKING and isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                _weigh(entry["resource"], f"Bundle.entry[{index}].resource")
    else:
        _weigh(sent, "")


def _weigh(resource: Json, where: str) -> None:
    kind = resource.get("resourceType")
    most = MOST_LISTED if isinstance(kind, str) and kind in _LISTS else MOST
    pending: list[Any] = [resource]
    objects = 0
    while pending:
        node = pending.pop()
        objects += isinstance(node, dict)
        if objects > most:
            said = f"a resource has at most {MOST} objects, one that lists codes or resources {MOST_LISTED}"
            raise TooCostly(said, expression=where or (kind if isinstance(kind, str) else ""))
        pending.extend(
            each for each in (node.values() if isinstance(node, dict) else node) if isinstance(each, dict | list)
        )
