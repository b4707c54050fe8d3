"""State that a process owns: a table per type of the elements that only commands change (engine room, 6).

A resource belongs to a process when the store keeps the process's id beside it. Everything not named here stays open
to whoever may write the resource: a note on a task, a diagnosis of a stay. A merge of patients changes whose it is
and nothing else (`domain/merging.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import ProcessOwned
from domain.ids import Reference


@dataclass(frozen=True)
class Owned:
    """`elements`: JSON names of the state.  `command`: a sentence that names what changes it."""

    elements: tuple[str, ...]
    command: str


SETUP = "setup"
"""The owner of what master data shows: it changes by commands of the set-up only (ADR 0026)."""

_BY_SETUP = "a change of the set-up, POST /commands/setup/entries/{kind}/{code}, changes it"

STATE: Mapping[str, Owned] = {
    "Encounter": Owned(
        ("status", "statusHistory", "class", "classHistory", "subject", "period", "location"),
        "the tasks of the stay change it, or POST /commands/admissions/{encounter}/cancel",
    ),
    "Task": Owned(
        (
            "status",
            "statusReason",
            "businessStatus",
            "intent",
            "priority",
            "code",
            "focus",
            "for",
            "owner",
            "performerType",
            "executionPeriod",
            "lastModified",
            "restriction",
            "output",
        ),
        "POST /commands/worklist/{task}/claim, release or complete changes it",
    ),
    "ServiceRequest": Owned(
        ("status", "intent", "priority", "code", "subject", "encounter", "locationReference"),
        "the process that carries the request out changes it, or POST /commands/admissions/{encounter}/cancel",
    ),
    # A bed's operationalStatus stays open to those who clean and repair it.
    "Location": Owned(
        ("status", "name", "alias", "identifier", "mode", "type", "physicalType", "partOf", "extension"), _BY_SETUP
    ),
    "Organization": Owned(("active", "identifier", "type", "name", "alias", "telecom", "address", "partOf"), _BY_SETUP),
    **{
        kind: Owned(elements, _BY_SETUP)
        for kind, elements in {
            "SpecimenDefinition": ("identifier", "typeCollected", "collection", "typeTested"),
            "ObservationDefinition": (
                *("category", "code", "identifier", "permittedDataType", "preferredReportName"),
                *("quantitativeDetails", "qualifiedInterval", "extension"),
            ),
            "ActivityDefinition": (
                *("url", "status", "name", "title", "kind", "code", "specimenRequirement", "extension", "timingTiming"),
                *("observationRequirement", "description", "topic"),
            ),
            "Medication": ("code", "status", "form", "amount", "ingredient"),
            "MedicationKnowledge": (
                *("code", "status", "doseForm", "ingredient", "intendedRoute", "administrationGuidelines", "cost"),
                *("medicineClassification", "regulatory", "associatedMedication", "extension", "synonym"),
            ),
            "ChargeItemDefinition": (
                *("url", "status", "title", "description", "code", "propertyGroup", "identifier", "applicability"),
            ),
            "PlanDefinition": ("url", "status", "name", "title", "type", "action"),
            "Questionnaire": ("url", "status", "name", "title", "subjectType", "item", "code"),
            "CodeSystem": ("url", "version", "status", "content", "concept", "property", "name", "title"),
            "ValueSet": ("url", "version", "status", "compose", "name", "title"),
        }.items()
    },
}


def refuse_change(ref: Reference, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises ProcessOwned, naming the elements, when a write would change state of a resource that a process owns."""
    owned = STATE.get(ref.resource_type)
    if owned is None:
        return
    # A primitive's extensions stand beside it under `_name` and belong to its state.
    names = [name for element in owned.elements for name in (element, f"_{element}")]
    changed = [name for name in names if before.get(name) != after.get(name)]
    if changed:
        raise _refused(ref, tuple(changed), owned.command)


def refuse_delete(ref: Reference) -> None:
    """Raises ProcessOwned: nothing that a process owns can be deleted, whatever its type."""
    owned = STATE.get(ref.resource_type)
    raise _refused(ref, owned.elements if owned else ("id",), owned.command if owned else "its process ends it")


def _refused(ref: Reference, elements: tuple[str, ...], command: str) -> ProcessOwned:
    said = "a process owns this state; a command changes it"
    return ProcessOwned(said, reference=ref, elements=",".join(elements), command=command)
