"""Everything that can be said of a resource, as `$validate` is asked to (https://hl7.org/fhir/R4/validation.html).

Beyond `check`: what references point at, warnings of the standard, extensible bindings, and profiles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from adapters.fhir.validation import bindings, profiles, references
from adapters.fhir.validation.invariants import Part, broken, parts_of
from adapters.fhir.validation.issues import Findings, Full, Issue
from adapters.fhir.validation.structure import examine
from domain import fhir

Json = Mapping[str, Any]


def check_fully(
    resource: Any,
    *,
    profile_urls: Collection[str] = (),
    find: profiles.Find = fhir.profile,
    inside: profiles.Inside | None = None,
) -> list[Issue]:
    """Errors, warnings and information; of a resource with a wrong structure only what is wrong with that.

    profile_urls: profiles that it must keep, beside those in its `meta.profile`.  find: where profiles are looked up;
    HL7's own without it.  inside: who knows the value sets of profiles, likewise. A profile that only `meta` names and
    nobody knows is a warning.
    """
    if wrong := examine(resource):
        return wrong
    findings = Findings()
    findings.issues += broken(resource, warnings=True)
    with suppress(Full):
        for part in parts_of(resource, resource["resourceType"]):
            for issue in pointed(part):
                findings.add(issue)
            for issue in outside_extensible(part):
                findings.add(issue)
        for url in dict.fromkeys([*profile_urls, *profiles.declared(resource)]):
            if find(url) is not None or url in profile_urls:
                profiles.breaches(resource, url, find, findings, inside)
            else:
                findings.add(Issue("warning", "not-found", f"{resource['resourceType']}.meta.profile", NOT_KNOWN))
    return list(dict.fromkeys(findings.issues))


NOT_KNOWN = "a profile that the resource names is not known here, and was not looked at"


def pointed(part: Part) -> Iterator[Issue]:
    """A reference to a type that the element may not point at."""
    for path in part.paths:
        element = fhir.element(path)
        if part.kind != "Reference" or element is None or not element.targets:
            continue
        target = references.type_of(str(part.value.get("reference", "")))
        if target and target not in element.targets:
            says = f"may not point to {target}: {', '.join(element.targets)}"
            yield Issue("error", "value", f"{part.where}.reference", says)


def outside_extensible(part: Part) -> Iterator[Issue]:
    """A code of the very system that an extensible value set takes its codes from, and none of these."""
    for path in part.paths:
        element = fhir.element(path)
        if part.kind != "CodeableConcept" or not element or not element.binding or element.binding[0] != "extensible":
            continue
        systems = fhir.value_set_codes(element.binding[1])
        listed = bindings.codings(part.value)
        if not systems or any(bindings.belongs(systems, coding) for coding in listed):
            continue
        if any(coding.get("system") in systems for coding in listed):
            says = f"has a code that is not in the value set {element.binding[1]}, where one of it should be used"
            yield Issue("warning", "code-invalid", part.where, says)
