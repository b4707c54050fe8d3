"""Medicines, fees and diagnoses.

hl7.org/fhir/R4/medication.html, medicationknowledge.html, chargeitemdefinition.html, codesystem.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from fhir.resources.R4B.chargeitemdefinition import ChargeItemDefinition
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.medication import Medication
from fhir.resources.R4B.medicationknowledge import MedicationKnowledge
from fhir.resources.R4B.valueset import ValueSet

from adapters.fhir.elements import Json, coded
from adapters.fhir.setup.elements import KCD, amount, extension, number, sound, status, text, translated, url
from domain.setup.rows import day
from domain.setup.supplies import Diagnosis, Fee, Medicine

_ROUTE = "http://terminology.hl7.org/CodeSystem/v2-0162"
_ATC = "http://www.whocc.no/atc"
_PRODUCT = "urn:phis:medicine"
_CATEGORY = "urn:phis:claim-category"
_COVERAGE = "urn:phis:coverage"


def medicine(code: str, content: Medicine, *, active: bool) -> list[Json]:
    """The product, and what is known of it."""
    in_use = active and content.status == "active"
    concept = coded(_PRODUCT, code) | text(content.name_ko, content.name_en)
    ingredient = [{"itemCodeableConcept": {"text": content.ingredient}, "isActive": True}]
    product = {
        "resourceType": "Medication",
        "id": f"medicine-{code}",
        "code": concept,
        "status": "active" if in_use else "inactive",
        "form": {"text": content.form},
        "ingredient": ingredient,
    }
    limits = [
        extension(name, valueQuantity=amount(value, content.max_unit))
        for name, value in (("max-single-dose", content.max_single), ("max-daily-dose", content.max_daily))
        if value is not None
    ]
    known: Json = {
        "resourceType": "MedicationKnowledge",
        "id": f"medicine-{code}",
        "code": concept,
        "status": "active" if in_use else "inactive",
        "synonym": [content.name_en],
        "associatedMedication": [{"reference": f"Medication/medicine-{code}"}],
        "doseForm": {"text": content.form},
        "ingredient": ingredient,
        "intendedRoute": [coded(_ROUTE, route) for route in content.ways],
        "extension": [
            extension("strength", valueQuantity=amount(content.strength, content.strength_unit)),
            *limits,
            *([extension("interval-days", valueInteger=content.interval_days)] if content.interval_days else []),
            extension("high-alert", valueBoolean=content.high_alert),
            *([extension("control", valueCode=content.control)] if content.control != "none" else []),
            *([extension("charge", valueReference=_fee(content.fee))] if content.fee else []),
        ],
    }
    if content.atc:
        known["medicineClassification"] = [{"type": {"text": "ATC"}, "classification": [coded(_ATC, content.atc)]}]
    return [sound(Medication, product), sound(MedicationKnowledge, known)]


def fee(code: str, content: Fee, *, active: bool) -> Json:
    """Points stand as the factor of a base price; what a point is worth in a year is no part of the line."""
    price: Json = {"type": "base", "code": coded(_COVERAGE, content.coverage)}
    if content.price_kind == "won":
        price["amount"] = {"value": number(content.amount), "currency": "KRW"}
    else:
        price["factor"] = number(content.amount)
    resource = {
        "resourceType": "ChargeItemDefinition",
        "id": f"fee-{code}",
        "url": url("fee", code),
        "identifier": [
            {"system": "urn:phis:fee", "value": code},
            *([{"system": "urn:phis:agency-fee", "value": content.agency_code}] if content.agency_code else []),
        ],
        "status": status(active=active),
        "title": content.name_ko,
        "_title": translated(content.name_en),
        "code": coded(_CATEGORY, content.category),
        "propertyGroup": [{"priceComponent": [price]}],
    }
    return sound(ChargeItemDefinition, resource)


def diagnoses(codes: Mapping[str, Iterable[tuple[Diagnosis, datetime, datetime | None]]], at: str) -> list[Json]:
    """All of KCD that the hospital has, each code with the days on which it may be used, and the set of them.

    codes: for each code what was said of it, the latest last.  at: the edition, which becomes the version.
    """
    concepts = []
    for code, spans in codes.items():
        listed = list(spans)
        content, since, _ = listed[-1]
        until = listed[-1][2]
        dates = [{"code": "effectiveDate", "valueDateTime": day(since)}]
        if until is not None:
            dates.append({"code": "retirementDate", "valueDateTime": day(until)})
        concepts.append(
            {
                "code": code,
                "display": content.name_ko,
                "designation": [{"language": "en", "value": content.name_en}],
                "property": dates,
            }
        )
    system = {
        "resourceType": "CodeSystem",
        "id": "kcd",
        "url": KCD,
        "version": at,
        "name": "KCD",
        "title": "한국표준질병·사인분류",
        "status": "active",
        "content": "fragment",
        "caseSensitive": True,
        "property": [
            {"code": "effectiveDate", "type": "dateTime"},
            {"code": "retirementDate", "type": "dateTime"},
        ],
        "concept": concepts,
    }
    whole = {
        "resourceType": "ValueSet",
        "id": "kcd",
        "url": url("diagnosis", "all"),
        "version": at,
        "name": "Diagnoses",
        "title": "진단 코드",
        "status": "active",
        "compose": {"include": [{"system": KCD}]},
    }
    return [sound(CodeSystem, system), sound(ValueSet, whole)]


def _fee(code: str) -> Json:
    return {"reference": f"ChargeItemDefinition/fee-{code}"}
