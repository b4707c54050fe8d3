"""A small ward to search in: one resource for each thing that a search can tell apart. Everybody is invented."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from domain.ids import Reference
from store.database import Database, Transaction
from store.fhir import writing
from store.fhir.writing import Write
from store.search import ScopePredicate, everything, parse_query, searching
from store.search.searching import Page

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
RRN = "urn:oid:1.2.410.1"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
BASE = "https://example.org/fhir/hanbit"

WARD = f"""
{{"resourceType": "Organization", "id": "o1", "name": "한빛대학교병원"}}
{{"resourceType": "Organization", "id": "o2", "name": "Internal Medicine",
  "partOf": {{"reference": "Organization/o1"}}}}
{{"resourceType": "Location", "id": "l1", "name": "Building A", "position": {{"latitude": 37.5, "longitude": 127.0}}}}
{{"resourceType": "Location", "id": "l2", "name": "Ward 7", "partOf": {{"reference": "Location/l1"}},
  "position": {{"latitude": 35.1, "longitude": 129.0}}}}
{{"resourceType": "Location", "id": "l3", "name": "Bed 701", "partOf": {{"reference": "Location/l2"}}}}
{{"resourceType": "Practitioner", "id": "d1", "name": [{{"family": "Park", "given": ["Sejin"]}}]}}
{{"resourceType": "Patient", "id": "p1", "active": true, "gender": "female", "birthDate": "1980-05-17",
  "name": [{{"text": "김하나", "family": "김", "given": ["하나"]}}],
  "identifier": [{{"system": "{RRN}", "value": "800517-2000000",
                   "type": {{"coding": [{{"system": "{V2_0203}", "code": "NI"}}], "text": "National number"}}}}],
  "telecom": [{{"system": "phone", "value": "02-555-0101"}}, {{"system": "email", "value": "hana@example.org"}}],
  "address": [{{"line": ["1 Rose Street"], "city": "서울", "postalCode": "04524"}}],
  "generalPractitioner": [{{"reference": "Practitioner/d1"}}],
  "managingOrganization": {{"reference": "Organization/o2"}},
  "meta": {{"tag": [{{"system": "urn:tags", "code": "ward-7"}}], "profile": ["http://example.org/profile/kr|2.0"],
           "security": [{{"system": "urn:conf", "code": "R"}}], "source": "http://example.org/lab#1"}}}}
{{"resourceType": "Patient", "id": "p2", "gender": "male", "birthDate": "1975", "deceasedDateTime": "2026-10-01",
  "name": [{{"family": "Núñez", "given": ["José María", "Eve"]}}],
  "text": {{"status": "generated",
            "div": "<div xmlns=\\"http://www.w3.org/1999/xhtml\\">Allergic to <b>penicillin</b></div>"}}}}
{{"resourceType": "Patient", "id": "p3", "gender": "male", "name": [{{"family": "nunez"}}], "deceasedBoolean": false,
  "generalPractitioner": [{{"identifier": {{"system": "urn:licence", "value": "L-77"}}}}]}}
{{"resourceType": "Encounter", "id": "e1", "status": "in-progress",
  "class": {{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}},
  "subject": {{"reference": "Patient/p1"}}, "period": {{"start": "2026-11-20T09:00:00+09:00"}},
  "location": [{{"location": {{"reference": "Location/l3"}}}}],
  "length": {{"value": 3, "system": "{UCUM}", "code": "d"}}}}
{{"resourceType": "Encounter", "id": "e2", "status": "finished",
  "class": {{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
  "subject": {{"reference": "Patient/p2"}},
  "period": {{"start": "2026-03-01T09:00:00+09:00", "end": "2026-03-01T10:00:00+09:00"}},
  "location": [{{"location": {{"reference": "Location/l1"}}}}]}}
{{"resourceType": "Observation", "id": "w1", "status": "final", "subject": {{"reference": "Patient/p1"}},
  "encounter": {{"reference": "Encounter/e1"}},
  "code": {{"coding": [{{"system": "{LOINC}", "code": "29463-7", "display": "Body weight"}}], "text": "Weight"}},
  "effectiveDateTime": "2026-11-21T08:30:00+09:00",
  "valueQuantity": {{"value": 72.50, "unit": "kg", "system": "{UCUM}", "code": "kg"}}}}
{{"resourceType": "Observation", "id": "w2", "status": "amended", "subject": {{"reference": "Patient/p2"}},
  "code": {{"coding": [{{"system": "{LOINC}", "code": "29463-7", "display": "Body weight"}}]}},
  "effectiveDateTime": "2026-03-01",
  "valueQuantity": {{"value": 154, "unit": "lb", "system": "{UCUM}", "code": "[lb_av]"}}}}
{{"resourceType": "Observation", "id": "b1", "status": "final", "subject": {{"reference": "Patient/p1"}},
  "code": {{"coding": [{{"system": "{LOINC}", "code": "85354-9"}}]}}, "effectiveDateTime": "2026-11-22T08:00:00+09:00",
  "component": [
    {{"code": {{"coding": [{{"system": "{LOINC}", "code": "8480-6"}}]}},
      "valueQuantity": {{"value": 142, "unit": "mmHg", "system": "{UCUM}", "code": "mm[Hg]"}}}},
    {{"code": {{"coding": [{{"system": "{LOINC}", "code": "8462-4"}}]}},
      "valueQuantity": {{"value": 88, "unit": "mmHg", "system": "{UCUM}", "code": "mm[Hg]"}}}}]}}
{{"resourceType": "Observation", "id": "s1", "status": "final", "subject": {{"reference": "Group/g1"}},
  "code": {{"coding": [{{"code": "smoking"}}]}}, "valueString": "Never smoked"}}
{{"resourceType": "RiskAssessment", "id": "r1", "status": "final", "subject": {{"reference": "Patient/p1"}},
  "prediction": [{{"probabilityDecimal": 0.25}}]}}
{{"resourceType": "RiskAssessment", "id": "r2", "status": "final", "subject": {{"reference": "Patient/p2"}},
  "prediction": [{{"probabilityDecimal": 0.5}}]}}
{{"resourceType": "ValueSet", "id": "v1", "status": "active", "url": "http://example.org/vs/a/b", "version": "1"}}
{{"resourceType": "ValueSet", "id": "v2", "status": "active", "url": "http://example.org/vs/a"}}
{{"resourceType": "Group", "id": "g1", "type": "person", "actual": true,
  "member": [{{"entity": {{"reference": "Patient/p1"}}}}, {{"entity": {{"reference": "Patient/p3"}}}}]}}
{{"resourceType": "List", "id": "mine", "status": "current", "mode": "working",
  "entry": [{{"item": {{"reference": "Patient/p3"}}}}]}}
{{"resourceType": "Condition", "id": "c1", "subject": {{"reference": "Patient/p1"}},
  "clinicalStatus": {{"coding": [{{"code": "active"}}]}},
  "onsetAge": {{"value": 30, "system": "{UCUM}", "code": "a"}}}}
{{"resourceType": "Condition", "id": "c2", "subject": {{"reference": "Patient/p2"}},
  "onsetRange": {{"low": {{"value": 40, "system": "{UCUM}", "code": "a"}},
                  "high": {{"value": 45, "system": "{UCUM}", "code": "a"}}}}}}
{{"resourceType": "DocumentReference", "id": "n1", "status": "current", "content": [{{"attachment": {{}}}}],
  "relatesTo": [{{"code": "replaces", "target": {{"reference": "DocumentReference/n0"}}}}]}}
{{"resourceType": "Composition", "id": "k1", "status": "final", "date": "2026-11-22", "title": "Note",
  "type": {{"text": "note"}}, "author": [{{"reference": "Practitioner/d1"}}], "subject": {{"reference": "Patient/p1"}}}}
{{"resourceType": "MolecularSequence", "id": "m1", "coordinateSystem": 0,
  "referenceSeq": {{"chromosome": {{"coding": [{{"code": "7"}}]}}, "windowStart": 100, "windowEnd": 200}},
  "variant": [{{"start": 120, "end": 130}}]}}
"""


def resources(text: str = WARD) -> list[dict[str, Any]]:
    """The resources of a text, one after the other."""
    decoder = json.JSONDecoder(parse_float=Decimal)
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        resource, at = decoder.raw_decode(text, at)
        found.append(resource)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


async def keep(database: Database, hospital: str, made: Sequence[dict[str, Any]], now: datetime) -> None:
    """Keep resources under their own ids."""
    async with database.transaction(hospital) as tx:
        await writing.write(
            tx, [Write(Reference.to(each["resourceType"], each["id"]), each, None, 0) for each in made], now=now
        )


async def asked(
    tx: Transaction, search: str, *, scope: ScopePredicate = everything, now: datetime | None = None
) -> Page:
    """A page of a search as it would stand in a URL, `Type?name=value`; without a type a search of the base."""
    kind, _, text = search.partition("?")
    pairs = [(name, value) for name, value in parse_qsl(text, keep_blank_values=True)]
    compartment = None
    if "/" in kind:
        focus, id_, kind = kind.split("/")
        compartment = (focus, id_)
        kind = "" if kind == "*" else kind
    query = parse_query(kind or None, pairs, strict=True, base=BASE, compartment=compartment, now=now)
    return await searching.search(tx, query, scope=scope)


async def ids(tx: Transaction, search: str, **more: Any) -> str:
    """The ids that a search finds, sorted unless it says in which order."""
    page = await asked(tx, search, **more)
    listed = [each.reference.id for each in page.matches]
    return " ".join(listed if "_sort" in search else sorted(listed))
