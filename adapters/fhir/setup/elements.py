"""What the resources of master data have in common: names in two languages, addresses of our own, extensions."""

from __future__ import annotations

from decimal import Decimal

from fhir.resources.R4B.domainresource import DomainResource
from pydantic import ValidationError

from adapters.fhir.elements import Json
from domain.errors import Invalid

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
KCD = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8"

_TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def sound(model: type[DomainResource], resource: Json) -> Json:
    """The resource, once its model finds nothing wrong. Raises Invalid.

    Not written anew by the model, as `adapters.fhir.elements.checked` does: a hospital begins with two thousand.
    """
    try:
        model.model_validate(resource)
    except ValidationError as invalid:
        where = "".join(f"/{part}" for part in invalid.errors(include_input=False)[0]["loc"])
        raise Invalid(f"not a valid {resource.get('resourceType')}", field=where) from None
    return resource


def url(kind: str, code: str) -> str:
    """The canonical address of a definition, good within its hospital."""
    return f"urn:phis:setup:{kind}:{code}"


def text(ko: str, en: str) -> Json:
    """A CodeableConcept of words only, with its English beside it."""
    return {"text": ko, "_text": translated(en)}


def translated(en: str) -> Json:
    """The extension that gives a Korean string its English. hl7.org/fhir/R4/extension-translation.html"""
    content = {"url": "content", "valueString": en}
    return {"extension": [{"url": _TRANSLATION, "extension": [{"url": "lang", "valueCode": "en"}, content]}]}


def coded(system: str, code: str, ko: str, en: str) -> Json:
    return {"coding": [{"system": system, "code": code}], **text(ko, en)}


def extension(name: str, **value: str | int | bool | Json) -> Json:
    """One of ours: `urn:phis:{name}`, such as `extension("room-class", valueCode="double")`."""
    return {"url": f"urn:phis:{name}", **value}


def amount(value: Decimal, unit: str) -> Json:
    """A Quantity of UCUM."""
    return {"value": number(value), "unit": unit, "system": UCUM, "code": unit}


def number(value: Decimal) -> int | float:
    """A decimal as JSON writes it."""
    return int(value) if value == value.to_integral_value() else float(value)


def status(*, active: bool) -> str:
    """FHIR R4 publication-status."""
    return "active" if active else "retired"
