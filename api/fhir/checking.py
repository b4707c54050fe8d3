"""Is this a resource that may be kept? Structure, required codes and references (hl7.org/fhir/R4/validation.html)."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from adapters.fhir.validation import Issue, check
from api.fhir.outcome import Refusal, issue
from api.fhir.text import Json
from domain.errors import Invalid

_RULES = frozenset({"invariant", "business-rule"})


def checked(resource: Json, resource_type: str) -> Json:
    """The resource itself. Raises Refusal with every error: 422 when only rules are broken, else 400."""
    if resource.get("resourceType") != resource_type:
        raise Invalid("the resource has another type than the address", field="/resourceType")
    errors = [found for found in check(resource) if found.severity == "error"]
    if errors:
        broken = all(found.code in _RULES for found in errors)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if broken else HTTPStatus.BAD_REQUEST
        raise Refusal(status, *issues(errors))
    return resource


def issues(found: Iterable[Issue]) -> list[Json]:
    return [issue(each.severity, each.code, each.diagnostics, each.expression) for each in found]
