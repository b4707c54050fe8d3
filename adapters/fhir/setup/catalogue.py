"""What can be ordered: specimens, tests and images.

hl7.org/fhir/R4/specimendefinition.html, observationdefinition.html, activitydefinition.html
"""

from __future__ import annotations

from decimal import Decimal

from fhir.resources.R4B.activitydefinition import ActivityDefinition
from fhir.resources.R4B.observationdefinition import ObservationDefinition
from fhir.resources.R4B.specimendefinition import SpecimenDefinition

from adapters.fhir.elements import Json, coded
from adapters.fhir.setup.elements import LOINC, UCUM, amount, extension, number, sound, status, text, translated, url
from domain.setup.catalogue import Imaging, Laboratory, Specimen
from domain.setup.ranges import Age, ReferenceRange

_SPECIMEN = "http://terminology.hl7.org/CodeSystem/v2-0487"
_CAP = "http://terminology.hl7.org/CodeSystem/container-cap"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
_MODALITY = "http://dicom.nema.org/resources/ontology/DCM"
_TEST = "urn:phis:laboratory"
_IMAGE = "urn:phis:imaging"

_DATA_TYPE = {"quantity": "Quantity", "ordinal": "CodeableConcept", "text": "string"}
_GENDER = {"F": "female", "M": "male"}


def specimen(code: str, content: Specimen, *, active: bool) -> Json:
    """R4 gives it no status: `active` stands in an extension."""
    container: Json = {"minimumVolumeQuantity": amount(content.volume_ml, "mL")}
    if content.container_ko:
        container |= {"description": content.container_ko}
        if content.container_en:
            container["_description"] = translated(content.container_en)
    if content.cap:
        container["cap"] = coded(_CAP, content.cap)
    tested: Json = {"isDerived": False, "preference": "preferred", "container": container}
    if content.stable_hours:
        tested["retentionTime"] = amount(content.stable_hours, "h")
    if content.handling_ko:
        handling: Json = {"instruction": content.handling_ko}
        if content.handling_en:
            handling["_instruction"] = translated(content.handling_en)
        tested["handling"] = [handling]
    resource = {
        "resourceType": "SpecimenDefinition",
        "id": f"specimen-{code}",
        "identifier": {"system": "urn:phis:specimen", "value": code},
        "typeCollected": coded(_SPECIMEN, content.type) | text(content.name_ko, content.name_en),
        "typeTested": [tested],
        "extension": [extension("active", valueBoolean=active)],
    }
    return sound(SpecimenDefinition, resource)


def laboratory(code: str, content: Laboratory, *, active: bool) -> list[Json]:
    """What is measured, and what is ordered."""
    concept: Json = {
        "coding": [
            *([{"system": LOINC, "code": content.loinc}] if content.loinc else []),
            {"system": _TEST, "code": code},
        ],
        **text(content.name_ko, content.name_en),
    }
    measured: Json = {
        "resourceType": "ObservationDefinition",
        "id": f"laboratory-{code}",
        "category": [coded(_CATEGORY, "laboratory"), {"text": content.section}],
        "code": concept,
        "identifier": [{"system": _TEST, "value": code}],
        "permittedDataType": [_DATA_TYPE[content.kind]],
        "preferredReportName": content.name_ko,
    }
    if content.kind == "quantity":
        measured["quantitativeDetails"] = {
            "unit": {"coding": [{"system": UCUM, "code": content.unit}], "text": content.unit},
            "decimalPrecision": content.decimals,
        }
        if intervals := _intervals(content):
            measured["qualifiedInterval"] = intervals
    told = [
        *([extension("delta-limit", valueString=content.delta)] if content.delta else []),
        *([extension("normal-value", valueString=content.normal)] if content.normal else []),
    ]
    if told:
        measured["extension"] = told
    ordered = _order(f"order-laboratory-{code}", url("laboratory", code), content.name_ko, content.name_en, concept)
    ordered |= {
        "status": status(active=active and content.status == "active"),
        "specimenRequirement": [{"reference": f"SpecimenDefinition/specimen-{content.specimen}"}],
        "observationResultRequirement": [{"reference": f"ObservationDefinition/laboratory-{code}"}],
        "extension": [
            extension("routine-minutes", valueInteger=content.routine_minutes),
            *([extension("stat-minutes", valueInteger=content.stat_minutes)] if content.stat_minutes else []),
            *_charge(content.fee),
        ],
    }
    return [sound(ObservationDefinition, measured), sound(ActivityDefinition, ordered)]


def imaging(code: str, content: Imaging, *, active: bool) -> Json:
    concept: Json = {
        "coding": [
            *([{"system": LOINC, "code": content.loinc}] if content.loinc else []),
            {"system": _IMAGE, "code": code},
        ],
        **text(content.name_ko, content.name_en),
    }
    ordered = _order(f"order-imaging-{code}", url("imaging", code), content.name_ko, content.name_en, concept)
    checks = {"contrast": content.contrast, "pregnancy": content.pregnancy_check, "implants": content.mr_check}
    ordered |= {
        "status": status(active=active and content.status == "active"),
        "topic": [coded(_MODALITY, content.modality)],
        "extension": [
            extension("routine-minutes", valueInteger=content.routine_minutes),
            *(extension("safety-check", valueCode=name) for name, asked in checks.items() if asked),
            *_charge(content.fee),
        ],
    }
    return sound(ActivityDefinition, ordered)


def _order(id_: str, address: str, ko: str, en: str, concept: Json) -> Json:
    return {
        "resourceType": "ActivityDefinition",
        "id": id_,
        "url": address,
        "title": ko,
        "_title": translated(en),
        "kind": "ServiceRequest",
        "code": concept,
    }


def _charge(fee: str) -> list[Json]:
    return [extension("charge", valueReference={"reference": f"ChargeItemDefinition/fee-{fee}"})] if fee else []


def _intervals(content: Laboratory) -> list[Json]:
    found = [_interval(each) for each in content.reference_ranges]
    for end, limit in (("high", content.critical_low), ("low", content.critical_high)):
        if limit is not None:
            found.append({"category": "critical", "range": {end: _limit(limit)}, "context": coded(_MEANING, "normal")})
    return found


def _interval(one: ReferenceRange) -> Json:
    ends = {name: _limit(value) for name, value in (("low", one.low), ("high", one.high)) if value is not None}
    age: Json = {"low": _age(one.from_age)} | ({"high": _age(one.to_age)} if one.to_age else {})
    interval: Json = {"category": "reference", "range": ends, "age": age}
    if one.sex in _GENDER:
        interval["gender"] = _GENDER[one.sex]
    return interval


def _limit(value: Decimal) -> Json:
    return {"value": number(value)}


def _age(age: Age) -> Json:
    return {"value": age.value, "system": UCUM, "code": age.unit}
