"""Patient, as the reception desk knows a person: hl7.org/fhir/R4/patient.html"""

from __future__ import annotations

from datetime import date
from typing import Literal

from fhir.resources.R4B.patient import Patient

from adapters.fhir.elements import IDENTIFIER_TYPE, Json, checked, coded

Gender = Literal["male", "female", "other", "unknown"]
"""FHIR AdministrativeGender (hl7.org/fhir/R4/valueset-administrative-gender.html)."""


def patient(
    name: str, birth_date: date, gender: Gender, *, phone: str | None = None, identifier: str | None = None
) -> Json:
    """A person to be registered.

    name: as the person writes it, family name first in Korea. It is kept whole: a Korean name of two, three or four
    syllables cannot be cut into family and given name without asking (남궁민수: 남궁 민수).
    identifier: the hospital's patient number (등록번호), if one was given.
    Raises Invalid.
    """
    resource: Json = {
        "resourceType": "Patient",
        "active": True,
        "name": [{"use": "official", "text": " ".join(name.split())}],
        "gender": gender,
        "birthDate": birth_date.isoformat(),
    }
    if phone:
        resource["telecom"] = [{"system": "phone", "value": phone, "use": "mobile"}]
    if identifier:
        resource["identifier"] = [{"use": "usual", "type": coded(IDENTIFIER_TYPE, "MR"), "value": identifier}]
    return checked(Patient, resource)
