"""Elements that a role does not change, though it may write the rest: what stood there is compared with the new."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from domain.errors import Forbidden
from domain.ids import Reference
from domain.reach import SENSITIVE
from rules.access import LABELS
from store.search.links import link_rows


def refuse_kept(ref: Reference, before: Mapping[str, Any], after: Mapping[str, Any], elements: Collection[str]) -> None:
    """Raises Forbidden, naming the elements that differ. A sensitive label may be added and not taken away."""
    # A primitive's extensions stand beside it under `_name` and belong to it.
    changed = sorted(
        name
        for name in elements
        if name != LABELS and any(before.get(each) != after.get(each) for each in (name, f"_{name}"))
    )
    if LABELS in elements and not _labels(before) <= _labels(after):
        changed.append(LABELS)
    if changed:
        said = f"the caller's roles do not change {', '.join(f'{ref.resource_type}.{name}' for name in changed)}"
        raise Forbidden(said, action=f"{ref.resource_type}.{','.join(changed)}", reference=ref)


def refuse_joined(ref: Reference, made: Mapping[str, Any], elements: Collection[str]) -> None:
    """Raises Forbidden for a new Patient that says it is somebody's other record: both would open together."""
    if ref.resource_type == "Patient" and "link" in elements and link_rows(made):
        said = "the caller's roles do not join records of patients"
        raise Forbidden(said, action="Patient.link", reference=ref)


def _labels(body: Mapping[str, Any]) -> set[tuple[str, str]]:
    listed = body.get("meta", {}).get("security", [])
    return {(each.get("system", ""), each.get("code", "")) for each in listed} & SENSITIVE
