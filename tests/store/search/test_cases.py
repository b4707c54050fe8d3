"""What each search finds in the ward, by table: every type of parameter, modifier and prefix.

hl7.org/fhir/R4/search.html; the numbers and dates are chosen for the edges of its sections.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from store.database import Database
from tests.store.search import ward

STRINGS = {
    "Patient?name=김": "p1",
    "Patient?name=기": "",
    "Patient?given=하나": "p1",
    "Patient?family=nunez": "p2 p3",
    "Patient?family=NÚÑ": "p2 p3",
    "Patient?family:exact=Núñez": "p2",
    "Patient?family:exact=nunez": "p3",
    "Patient?family:exact=Nun": "",
    "Patient?given:contains=mar": "p2",
    "Patient?given=mar": "",
    "Patient?name:contains=하": "p1",
    "Patient?name=eve,김": "p1 p2",
    "Patient?name=nunez&given=jose": "p2",
    "Patient?address=rose": "",
    "Patient?address=1 rose": "p1",
    "Patient?address-city=서울": "p1",
    "Patient?address-postalcode=045": "p1",
    "Patient?phonetic=nun": "p2 p3",
    "Patient?given:missing=true": "p3",
    "Patient?given:missing=false": "p1 p2",
    "Observation?value-string=never": "s1",
    "Patient?_text=penicillin": "p2",
    "Patient?_text=PENICILLIN allergic": "p2",
    "Patient?_text=xhtml": "",
    "Patient?_content=hana@example.org": "p1",
}

TOKENS = {
    "Patient?gender=female": "p1",
    "Patient?gender=http://hl7.org/fhir/administrative-gender|female": "p1",
    "Patient?gender=http://example.org|female": "",
    "Patient?gender:not=male": "p1",
    "Patient?gender=female,male": "p1 p2 p3",
    "Patient?active=true": "p1",
    "Patient?active:missing=true": "p2 p3",
    "Patient?deceased=true": "p2",
    "Patient?deceased=false": "p1 p3",
    f"Patient?identifier={ward.RRN}|800517-2000000": "p1",
    "Patient?identifier=800517-2000000": "p1",
    "Patient?identifier=|800517-2000000": "",
    f"Patient?identifier={ward.RRN}|": "p1",
    "Patient?identifier=800517": "",
    f"Patient?identifier:of-type={ward.V2_0203}|NI|800517-2000000": "p1",
    f"Patient?identifier:of-type={ward.V2_0203}|MR|800517-2000000": "",
    "Patient?identifier:text=national": "p1",
    "Patient?phone=02-555-0101": "p1",
    "Patient?email=HANA@example.org": "p1",
    "Patient?phone=hana@example.org": "",
    "Patient?telecom=hana@example.org": "p1",
    "Observation?code=http://loinc.org|29463-7": "w1 w2",
    "Observation?code=29463-7": "w1 w2",
    "Observation?code=|smoking": "s1",
    "Observation?code=|29463-7": "",
    "Observation?code:text=body": "w1 w2",
    "Observation?code:text=wei": "w1",
    "Observation?code:not=29463-7": "b1 s1",
    "Observation?combo-code=8480-6": "b1",
    "Observation?code=8480-6": "",
    "Observation?combo-code=8480-6,http://loinc.org|29463-7": "b1 w1 w2",
    "Observation?code=http://loinc.org|29463-7,http://loinc.org|85354-9": "b1 w1 w2",
    "Observation?status:in=http://hl7.org/fhir/ValueSet/observation-status": "b1 s1 w1 w2",
    "Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender": "p1 p2 p3",
    "Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender": "",
    "Encounter?class:below=http://terminology.hl7.org/CodeSystem/v3-ActCode|_ActEncounterCode": "e1 e2",
    "Encounter?class:above=http://terminology.hl7.org/CodeSystem/v3-ActCode|ACUTE": "e1",
    "Patient?_id=p1,p3": "p1 p3",
    "Patient?_tag=urn:tags|ward-7": "p1",
    "Patient?_security=R": "p1",
    "Patient?_tag:missing=true": "p2 p3",
}

REFERENCES = {
    "Observation?subject=Patient/p1": "b1 w1",
    "Observation?subject:Patient=p1": "b1 w1",
    "Observation?patient=p1": "b1 w1",
    "Observation?patient=Patient/p1": "b1 w1",
    f"Observation?patient={ward.BASE}/Patient/p1": "b1 w1",
    "Observation?patient=https://elsewhere.org/Patient/p1": "",
    "Observation?patient=Patient/p1/_history/3": "b1 w1",
    "Observation?patient=Group/g1": "",
    "Observation?subject=Group/g1": "s1",
    "Observation?patient:missing=true": "s1",
    "Observation?subject:missing=true": "",
    "Observation?encounter:missing=false": "w1",
    "Observation?patient=p1,p2": "b1 w1 w2",
    "Patient?general-practitioner:identifier=urn:licence|L-77": "p3",
    "Patient?general-practitioner:missing=true": "p2",
    "Encounter?location:below=Location/l1": "e1 e2",
    "Encounter?location:below=l2": "e1",
    "Encounter?location:above=Location/l3": "e1 e2",
    "Encounter?location=Location/l1": "e2",
}

DATES = {
    "Patient?birthdate=1980-05-17": "p1",
    "Patient?birthdate=1980": "p1",
    "Patient?birthdate=1975": "p2",
    "Patient?birthdate=1975-03": "",
    "Patient?birthdate=lt1980-05-17": "p2",
    "Patient?birthdate=le1980-05-17": "p1 p2",
    "Patient?birthdate=gt1975": "p1",
    "Patient?birthdate=ge1975": "p1 p2",
    "Patient?birthdate=gt1975-06": "p1 p2",
    "Patient?birthdate=sa1975-06": "p1",
    "Patient?birthdate=eb1980": "p2",
    "Patient?birthdate=ne1980-05-17": "p2",
    "Patient?birthdate=ap1979": "p1 p2",
    "Patient?birthdate=ge1976&birthdate=lt1990": "p1",
    "Patient?birthdate:missing=true": "p3",
    "Patient?death-date=2026-10": "p2",
    "Observation?date=2026-11-21": "w1",
    "Observation?date=2026-11-20T23:30Z": "w1",
    "Observation?date=2026-11-21T08:30:00%2B09:00": "w1",
    "Observation?date=gt2026-11-21T08:30:00%2B09:00": "b1",
    "Observation?date=2026-03,2026-11-22": "b1 w2",
    "Encounter?date=ge2026-11-25": "e1",
    "Encounter?date=gt2026-03-02": "e1",
    "Encounter?date=lt2026-03-02": "e2",
    "Encounter?date=2026-03-01": "e2",
    "Encounter?date=2026": "e2",
    "Encounter?date=sa2026-06": "e1",
    "Encounter?date=eb2026-06": "e2",
    "Patient?_lastUpdated=gt2020": "p1 p2 p3",
    "Patient?_lastUpdated=lt2020": "",
}

NUMBERS = {
    "RiskAssessment?probability=0.25": "r1",
    "RiskAssessment?probability=0.3": "r1",
    "RiskAssessment?probability=0.30": "",
    "RiskAssessment?probability=gt0.25": "r2",
    "RiskAssessment?probability=ge0.25": "r1 r2",
    "RiskAssessment?probability=lt0.5": "r1",
    "RiskAssessment?probability=le0.5": "r1 r2",
    "RiskAssessment?probability=ne0.25": "r2",
    "RiskAssessment?probability=sa0.25": "r2",
    "RiskAssessment?probability=eb0.5": "r1",
    "RiskAssessment?probability=ap0.27": "r1",
    "RiskAssessment?probability=5e-1": "r2",
    "Observation?value-quantity=72.5": "w1",
    "Observation?value-quantity=72.50": "w1",
    "Observation?value-quantity=72.51": "",
    "Observation?value-quantity=72.5|http://unitsofmeasure.org|kg": "w1",
    "Observation?value-quantity=72.5||kg": "w1",
    "Observation?value-quantity=72500|http://unitsofmeasure.org|g": "w1",
    "Observation?value-quantity=gt70000||g": "w1",
    "Observation?value-quantity=ap69.85|http://unitsofmeasure.org|kg": "w1 w2",
    "Observation?value-quantity=154||lb": "w2",
    "Observation?value-quantity=le154||[lb_av]": "w2",
    "Observation?value-quantity=72.5||mg": "",
    "Observation?value-quantity=72.5|http://example.org|kg": "",
    "Observation?component-value-quantity=gt140": "b1",
    "Observation?combo-value-quantity=gt100": "b1 w2",
    "Condition?onset-age=30||a": "c1",
    "Condition?onset-age=gt42||a": "c2",
    "Condition?onset-age=lt42||a": "c1 c2",
    "Condition?onset-age=sa42||a": "",
    "Encounter?length=72||h": "e1",
}

COMPOSITES = {
    "Observation?code-value-quantity=29463-7$gt72": "w1 w2",
    "Observation?code-value-quantity=http://loinc.org|29463-7$gt72||kg": "w1",
    "Observation?code-value-quantity=http://example.org|29463-7$gt72": "",
    "Observation?component-code-value-quantity=8480-6$gt140": "b1",
    "Observation?component-code-value-quantity=8462-4$gt140": "",
    "Observation?combo-code-value-quantity=http://loinc.org|8462-4$lt90,29463-7$72.5": "b1 w1",
    "Observation?code-value-string=smoking$never": "s1",
    "DocumentReference?relationship=replaces$DocumentReference/n0": "n1",
    "DocumentReference?relationship=appends$DocumentReference/n0": "",
    "MolecularSequence?chromosome-window-coordinate=7$lt150$gt150": "m1",
    "MolecularSequence?chromosome-window-coordinate=7$gt150$gt150": "",
    "MolecularSequence?chromosome-variant-coordinate=7$120$130": "m1",
    "MolecularSequence?chromosome-variant-coordinate=8$120$130": "",
}

URIS_AND_SPECIAL = {
    "ValueSet?url=http://example.org/vs/a": "v2",
    "ValueSet?url:below=http://example.org/vs": "v1 v2",
    "ValueSet?url:below=http://example.org/vs/a": "v1 v2",
    "ValueSet?url:below=http://example.org/v": "",
    "ValueSet?url:above=http://example.org/vs/a/b/c": "v1 v2",
    "Patient?_profile=http://example.org/profile/kr": "p1",
    "Patient?_profile=http://example.org/profile/kr|2.0": "p1",
    "Patient?_profile=http://example.org/profile/kr|3.0": "",
    "Patient?_source=http://example.org/lab%231": "p1",
    "Location?near=37.51|127.01|5|km": "l1",
    "Location?near=37.51|127.01|5000|km": "l1 l2",
    "Patient?_list=mine": "p3",
}

CHAINS = {
    "Observation?subject:Patient.name=김": "b1 w1",
    "Observation?subject.name=김": "b1 w1",
    "Observation?patient.gender=male": "w2",
    "Observation?patient.general-practitioner:Practitioner.family=park": "b1 w1",
    "Observation?patient.organization.partof.name=한빛": "b1 w1",
    "Observation?subject:Group.member:Patient.family=nun": "s1",
    "Observation?subject:Patient._id=p2": "w2",
    "Observation?patient.identifier=800517-2000000": "b1 w1",
    "Patient?_has:Observation:patient:code=29463-7": "p1 p2",
    "Patient?_has:Observation:patient:code-value-quantity=29463-7$gt72||kg": "p1",
    "Patient?_has:Group:member:_id=g1": "p1 p3",
    "Practitioner?_has:Patient:general-practitioner:_has:Observation:patient:status=final": "d1",
    "Encounter?patient._has:Group:member:_id=g1": "e1",
    "Patient?_has:Encounter:patient:location.partof.name=ward": "p1",
    "Patient/p1/Observation?": "b1 w1",
    "Patient/p1/Observation?code=29463-7": "w1",
    "Patient/p1/Patient?": "p1",
    "Patient/p1/*?_type=Observation,Condition": "b1 c1 w1",
    "Encounter/e1/Observation?": "w1",
    "?_type=Patient,Group&_id=p1,g1": "g1 p1",
    "?_tag=ward-7": "p1",
    "?_id=p1&_lastUpdated=gt2020": "p1",
}

SORTS = {
    "Patient?_sort=birthdate": "p2 p1 p3",
    "Patient?_sort=-birthdate": "p1 p2 p3",
    "Patient?_sort=family,-_id": "p3 p2 p1",
    "Patient?_sort=-_id": "p3 p2 p1",
    "Patient?_sort=gender,_id": "p1 p2 p3",
    "Patient?_sort=-gender,_id": "p2 p3 p1",
    "RiskAssessment?_sort=-probability": "r2 r1",
    "Observation?_sort=value-quantity": "w1 w2 b1 s1",
    "Observation?_sort=subject,_id": "s1 b1 w1 w2",
    "ValueSet?_sort=-url": "v1 v2",
    "Patient?gender=male&_sort=_lastUpdated,_id": "p2 p3",
}

TABLES = {
    "strings": STRINGS,
    "tokens": TOKENS,
    "references": REFERENCES,
    "dates": DATES,
    "numbers and quantities": NUMBERS,
    "composites": COMPOSITES,
    "URIs and special ones": URIS_AND_SPECIAL,
    "chains, compartments and the base": CHAINS,
    "sorts": SORTS,
}


@pytest.mark.parametrize("kind", TABLES)
async def test_a_search_finds_what_the_specification_says(
    database: Database, hospital: str, now: datetime, kind: str
) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    wrong = {}
    for search, expected in TABLES[kind].items():
        async with database.transaction(hospital) as tx:
            found = await ward.ids(tx, search, now=now)
        if found != expected:
            wrong[search] = f"{found!r} instead of {expected!r}"
    assert wrong == {}
