"""Patient, as the reception desk knows a person: hl7.org/fhir/R4/patient.html"""

from __future__ import annotations

from datetime import date
from typing import Literal

from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.relatedperson import RelatedPerson

from adapters.fhir.elements import IDENTIFIER_TYPE, Json, checked, coded, instant, reference
from domain import resident_numbers
from domain.patients import Contact, Kind, Person

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


_EN = {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "ABC"}
_BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
_NATIONALITY = "http://hl7.org/fhir/StructureDefinition/patient-nationality"
_COUNTRY = "urn:iso:std:iso:3166"
_ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
KIND = "urn:phis:patient-kind"
"""Tag of how somebody came to be registered: `newborn`, `unknown`, `foreigner`."""


def registered(person: Person, number: str) -> Json:
    """A person as the desk registers them, under the hospital's patient number. Raises Invalid."""
    return checked(Patient, {"resourceType": "Patient", "active": True, **_known(person, _number(number))})


def corrected(before: Json, person: Person) -> Json:
    """The record with what the desk knows now; what the desk does not ask for stays. Raises Invalid."""
    own = [each for each in before.get("identifier", []) if not _replaced(each, person)]
    asked = {"name", "gender", "birthDate", "_birthDate", "telecom", "address", "contact", "extension", "identifier"}
    kept = {name: value for name, value in before.items() if name not in asked}
    found = _known(person, *own)
    meta = {**before.get("meta", {}), **found.pop("meta", {})}
    others = [each for each in before.get("extension", []) if each.get("url") != _NATIONALITY]
    mails = [each for each in before.get("telecom", []) if each.get("system") not in {"phone", None}]
    joined = {
        "extension": [*others, *found.get("extension", [])],
        "telecom": [*found.get("telecom", []), *mails],
    }
    made = kept | found | {name: value for name, value in joined.items() if value} | ({"meta": meta} if meta else {})
    return checked(Patient, made)


def mother_of(baby: str, mother: str, name: str) -> Json:
    """The newborn's mother, as a person of her own besides the patient that she is. Raises Invalid."""
    return checked(
        RelatedPerson,
        {
            "resourceType": "RelatedPerson",
            "active": True,
            "patient": reference(baby),
            "relationship": [coded(_ROLE, "NMTH")],
            "name": [{"text": name}],
            "identifier": [{"use": "secondary", "system": "urn:phis:patient", "value": mother}],
        },
    )


def _number(number: str) -> Json:
    return {"use": "usual", "type": coded(IDENTIFIER_TYPE, "MR"), "value": number}


def _replaced(identifier: Json, person: Person) -> bool:
    """Whether the desk gives another in its place: a number that is not typed anew stays."""
    if resident_numbers.named(identifier):
        return bool(person.resident_number)
    codings = identifier.get("type", {}).get("coding", [])
    return bool(person.passport) and any(each.get("code") == "PPN" for each in codings)


def _known(person: Person, *numbers: Json) -> Json:
    identifiers = list(numbers)
    if person.resident_number:
        kind = coded(resident_numbers.TYPE_SYSTEM, resident_numbers.TYPE_CODE)
        whole = {"use": "official", "type": kind, "system": resident_numbers.SYSTEM, "value": person.resident_number}
        identifiers.append(whole)
    if person.passport:
        identifiers.append({"use": "official", "type": coded(IDENTIFIER_TYPE, "PPN"), "value": person.passport})
    use = "temp" if person.kind in {Kind.UNKNOWN, Kind.NEWBORN} and not person.named else "official"
    names: list[Json] = [{"use": use, "text": " ".join(person.name.split())}]
    if person.latin_name:
        names.append({"use": "official", "text": " ".join(person.latin_name.split()), "extension": [_EN]})
    found: Json = {"name": names, "gender": person.gender, "identifier": identifiers}
    if person.birth_date:
        found["birthDate"] = person.birth_date
    if person.born_at is not None:
        found["_birthDate"] = {"extension": [{"url": _BIRTH_TIME, "valueDateTime": instant(person.born_at)}]}
    if person.order_of_birth:
        found["multipleBirthInteger"] = person.order_of_birth
    if person.phone:
        found["telecom"] = [{"system": "phone", "value": person.phone, "use": "mobile"}]
    if person.address:
        found["address"] = [{"use": "home", "text": person.address}]
    if person.contact is not None:
        found["contact"] = [_contact(person.contact)]
    if person.nationality:
        code = {"url": "code", "valueCodeableConcept": coded(_COUNTRY, person.nationality)}
        found["extension"] = [{"url": _NATIONALITY, "extension": [code]}]
    if person.kind is not Kind.RESIDENT:
        found["meta"] = {"tag": [{"system": KIND, "code": person.kind.value}]}
    return found


def _contact(contact: Contact) -> Json:
    """FHIR R4 has one relationship table for contacts (v2-0131) and one for kin (v3 RoleCode); guardians are of it."""
    made: Json = {"name": {"text": contact.name}, "relationship": [coded(_ROLE, contact.relationship.value)]}
    if contact.phone:
        made["telecom"] = [{"system": "phone", "value": contact.phone}]
    return made
