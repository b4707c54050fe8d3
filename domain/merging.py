"""Two patients become one: what their records say afterwards (hl7.org/fhir/R5/patient-operation-merge.html).

R4 knows the links (hl7.org/fhir/R4/patient.html#links) and no operation; R5's is followed. Everything here is pure:
resources in, new resources out, nothing changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from domain.errors import Invalid
from domain.fhir import holders
from domain.ids import Reference
from domain.reach import SENSITIVE

Json = dict[str, Any]

NEVER_REWRITTEN = ("AuditEvent", "Patient", "Provenance")
"""They tell of a record, not of a person: who did what to which record stays as it was. A patient's links are the
chain of merges itself."""


def replaced(source: Json, target: Reference) -> Json:
    """The record that ends: not in use, and replaced by the one that stays."""
    return {**source, "active": False, "link": [*_others(source, target), _link(target, "replaced-by")]}


def resulting(target: Json, source: Json, source_ref: Reference) -> Json:
    """The record that stays, as the house makes it: with the identifiers of the other as old ones, and the link."""
    kept = [deepcopy(each) for each in target.get("identifier", [])]
    known = {_named(each) for each in kept}
    for each in source.get("identifier", []):
        if _named(each) not in known:
            known.add(_named(each))
            kept.append({**each, "use": "old"})
    made = {**target, "link": [*_others(target, source_ref), _link(source_ref, "replaces")]}
    return made | {"identifier": kept} if kept else made


def labelled(result: Json, *others: Json) -> Json:
    """The record that stays with every sensitive label of the two: whose records ask for a reason still do.

    To take a label away is a change of its own, and some roles' only.
    """
    own = result.get("meta", {}).get("security", [])
    known = {_label(each) for each in own}
    added: list[Json] = []
    for each in (label for other in others for label in other.get("meta", {}).get("security", [])):
        if _label(each) in SENSITIVE - known:
            known.add(_label(each))
            added.append(deepcopy(each))
    return {**result, "meta": {**result.get("meta", {}), "security": [*own, *added]}} if added else result


def refuse_result(result: Json, target: Reference, source: Reference, identifiers: Sequence[Json]) -> None:
    """Raises Invalid unless the record that a client wants to stay is the target's, in use, linked and identified."""
    field = "result-patient"
    if result.get("resourceType") != "Patient" or result.get("id") != target.id:
        raise Invalid("result-patient is the target patient: it has its type and id", field=field)
    if result.get("active") is False:
        raise Invalid("result-patient is the record that stays: it is active", field=field)
    links = [link for link in result.get("link", []) if _other(link) == source]
    if [link.get("type") for link in links] != ["replaces"]:
        raise Invalid("result-patient says in one link that it replaces the source patient", field=field)
    if any(link.get("type") == "replaced-by" for link in result.get("link", [])):
        raise Invalid("result-patient is the record that stays: nothing replaces it", field=field)
    carried = {_named(each) for each in result.get("identifier", [])}
    if any(_named(each) not in carried for each in identifiers):
        raise Invalid("result-patient carries the identifiers that name source and target", field=field)


def has_identifiers(patient: Json, identifiers: Sequence[Json]) -> bool:
    """Whether a patient is named by all of them; one without a system names by its value."""
    own = {_named(each) for each in patient.get("identifier", [])}
    values = {value for _, value in own}
    return all(_named(each) in own or ("system" not in each and each.get("value") in values) for each in identifiers)


def redirected(resource: Json, names: Sequence[str], target: Reference) -> Json | None:
    """The resource with every reference to one of `names` made one to the target; None where there was none.

    References to a version of the old record stay: that version is what they mean.
    """
    if not any(holder["reference"] in names for _, holder in holders(resource)):
        return None
    made = deepcopy(resource)
    # Found before any is changed: the walk reads what it stands on.
    for holder in [holder for _, holder in holders(made) if holder["reference"] in names]:
        holder["reference"] = str(target)
    return made


def provenance(
    target: Reference, source: Reference, versions: Sequence[str], *, who: Json, recorded: str, past: Sequence[str]
) -> Json:
    """Who merged what, when: for those who look back, and for whoever has to undo it.

    versions: `Type/id/_history/n` of everything that the merge wrote.  past: the two patients as they were.
    """
    return {
        "resourceType": "Provenance",
        "target": [{"reference": each} for each in versions],
        "recorded": recorded,
        "activity": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "code": "merge"}],
            "text": f"{source} merged into {target}",
        },
        "agent": [{"who": who}],
        "entity": [{"role": "source", "what": {"reference": each}} for each in past],
    }


def _link(other: Reference, kind: str) -> Json:
    return {"other": {"reference": str(other)}, "type": kind}


def _others(patient: Json, other: Reference) -> Iterator[Json]:
    return (deepcopy(link) for link in patient.get("link", []) if _other(link) != other)


def _other(link: Json) -> str:
    return str(link.get("other", {}).get("reference", ""))


def _label(coding: Json) -> tuple[str, str]:
    return str(coding.get("system", "")), str(coding.get("code", ""))


def _named(identifier: Json) -> tuple[str, str]:
    return str(identifier.get("system", "")), str(identifier.get("value", ""))
