"""Nine linked types of a stay in hospital, as long as such resources are in practice."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ORDER = (
    "Organization",
    "Practitioner",
    "Patient",
    "Encounter",
    "Condition",
    "Observation",
    "Procedure",
    "MedicationRequest",
    "DiagnosticReport",
)
"""Each refers only to those before it."""

_AT = "2026-03-02T09:30:00+09:00"


def document(kind: str, number: int, known: dict[str, str]) -> Json:
    """A resource. `known`: references to what was made before, by type."""
    return {"resourceType": kind, **_OF[kind](number, {name: {"reference": said} for name, said in known.items()})}


def patient(number: int) -> Json:
    return document("Patient", number, {})


def observation(number: int, subject: str) -> Json:
    return document("Observation", number, {"Patient": subject})


def _concept(system: str, code: str, text: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def _identifier(kind: str, number: int) -> list[Json]:
    return [{"system": f"urn:bench:{kind}", "value": f"{number:09}"}]


def _about(known: Json) -> Json:
    found = {"subject": known["Patient"]}
    return found | ({"encounter": known["Encounter"]} if "Encounter" in known else {})


def _organization(number: int, _: Json) -> Json:
    kind = _concept("http://terminology.hl7.org/CodeSystem/organization-type", "prov", "Healthcare Provider")
    return {
        "identifier": _identifier("organization", number),
        "active": True,
        "type": [kind],
        "name": f"Clinic {number}",
    }


def _practitioner(number: int, _: Json) -> Json:
    name = {"family": f"Doctor{number % 977}", "given": ["Hana"], "prefix": ["Dr."]}
    return {"identifier": _identifier("licence", number), "active": True, "name": [name], "gender": "female"}


def _patient(number: int, _: Json) -> Json:
    return {
        "identifier": [
            {
                "type": _concept("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical Record Number"),
                **_identifier("mrn", number)[0],
            },
            {"system": "urn:bench:insurance", "value": f"N-{number:08}"},
        ],
        "active": True,
        "name": [
            {"use": "official", "family": f"Bench{number % 1009}", "given": ["Mina", "Sol"], "prefix": ["Ms."]},
            {"use": "maiden", "family": f"Before{number % 613}", "given": ["Mina"]},
        ],
        "telecom": [
            {"system": "phone", "value": f"010-{number % 10000:04}-1234", "use": "mobile"},
            {"system": "email", "value": f"p{number}@example.org"},
        ],
        "gender": "female",
        "birthDate": f"19{40 + number % 60}-0{1 + number % 9}-1{number % 9}",
        "address": [
            {"line": ["12 Long Street"], "city": "Seoul", "state": "Seoul", "postalCode": "04524", "country": "KR"}
        ],
        "maritalStatus": _concept("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M", "Married"),
        "communication": [{"language": _concept("urn:ietf:bcp:47", "ko", "Korean")}],
    }


def _encounter(number: int, known: Json) -> Json:
    return {
        "identifier": _identifier("visit", number),
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "type": [_concept("http://snomed.info/sct", "32485007", "Hospital admission")],
        "subject": known["Patient"],
        "participant": [{"individual": known["Practitioner"]}],
        "period": {"start": _AT},
        "serviceProvider": known["Organization"],
    }


def _condition(number: int, known: Json) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "identifier": _identifier("condition", number),
        "clinicalStatus": _concept(f"{system}clinical", "active", "Active"),
        "verificationStatus": _concept(f"{system}ver-status", "confirmed", "Confirmed"),
        "code": _concept("http://snomed.info/sct", "233604007", "Pneumonia"),
        **_about(known),
        "onsetDateTime": _AT,
        "recordedDate": _AT,
    }


def _observation(number: int, known: Json) -> Json:
    vital = _concept("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs")
    unit = {"unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return {
        "status": "final",
        "category": [vital],
        "code": _concept("http://loinc.org", "85354-9", "Blood pressure panel"),
        **_about(known),
        "effectiveDateTime": _AT,
        "issued": _AT,
        "component": [
            {
                "code": _concept("http://loinc.org", code, text),
                "valueQuantity": {"value": value + number % 30, **unit},
            }
            for code, text, value in (("8480-6", "Systolic", 110.5), ("8462-4", "Diastolic", 70.5))
        ],
    }


def _procedure(number: int, known: Json) -> Json:
    return {
        "identifier": _identifier("procedure", number),
        "status": "completed",
        "code": _concept("http://snomed.info/sct", "71388002", "Procedure"),
        **_about(known),
        "performedPeriod": {"start": _AT, "end": _AT},
        "performer": [{"actor": known["Practitioner"]}],
    }


def _medication_request(number: int, known: Json) -> Json:
    daily = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    return {
        "identifier": _identifier("prescription", number),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _concept("http://www.nlm.nih.gov/research/umls/rxnorm", "308460", "Azithromycin"),
        **_about(known),
        "authoredOn": _AT,
        "requester": known["Practitioner"],
        "dosageInstruction": [{"text": "once a day", "timing": daily}],
    }


def _diagnostic_report(number: int, known: Json) -> Json:
    return {
        "identifier": _identifier("report", number),
        "status": "final",
        "code": _concept("http://loinc.org", "51990-0", "Basic metabolic panel"),
        **_about(known),
        "effectiveDateTime": _AT,
        "issued": _AT,
        "performer": [known["Organization"]],
        "result": [known["Observation"]],
    }


_OF = {
    "Organization": _organization,
    "Practitioner": _practitioner,
    "Patient": _patient,
    "Encounter": _encounter,
    "Condition": _condition,
    "Observation": _observation,
    "Procedure": _procedure,
    "MedicationRequest": _medication_request,
    "DiagnosticReport": _diagnostic_report,
}
