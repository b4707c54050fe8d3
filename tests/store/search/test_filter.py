"""`_filter` finds what its words say, and refuses what is no filter with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import Invalid, TooCostly
from store.database import Database
from store.fhir import writing
from store.search import parse_query, searching

NOW = datetime(2026, 11, 24, tzinfo=UTC)

PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"name": [{"family": "Baker", "given": ["Ann"]}], "gender": "female", "birthDate": "1980-02-29"},
    "bob": {"name": [{"family": "Bakersfield", "given": ["Bob, Jr"]}], "gender": "male", "birthDate": "1999-12-31"},
    "kim": {"name": [{"family": "김", "given": ["철수"]}], "gender": "male", "active": True},
}


@pytest.fixture
async def people(database: Database, hospital: str) -> str:
    async with database.transaction(hospital) as tx:
        for id_, body in PEOPLE.items():
            await writing.create(tx, {"resourceType": "Patient", **body}, id=id_, now=NOW)
            about = {"resourceType": "Encounter", "status": "finished", "subject": {"reference": f"Patient/{id_}"}}
            await writing.create(tx, about, id=f"stay-{id_}", now=NOW)
    return hospital


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gender eq male", "bob kim"),
        ("gender ne male", "ann"),
        ('family eq "Baker"', "ann"),
        ("family sw Baker", "ann bob"),
        ('name co "ker"', "ann bob"),
        ('given eq "Bob, Jr"', "bob"),
        ("birthdate ge 1990", "bob"),
        ("birthdate lt 1990-01-01", "ann"),
        ("birthdate pr false", "kim"),
        ("birthdate pr true and gender eq male", "bob"),
        ("gender eq female or family eq 김", "ann kim"),
        ("not (gender eq male)", "ann"),
        ("not(gender eq male and birthdate pr true)", "ann kim"),
        ("(gender eq male or gender eq female) and (active eq true)", "kim"),
        ("gender eq female or gender eq male and active eq true", "kim"),
        ("birthdate po 1999", "bob"),
        ("gender eq http://hl7.org/fhir/administrative-gender|male", "bob kim"),
        ("gender eq urn:other|male", ""),
        ("gender in http://hl7.org/fhir/ValueSet/administrative-gender", "ann bob kim"),
    ],
)
async def test_a_filter_finds_what_it_says(database: Database, people: str, text: str, found: str) -> None:
    query = parse_query("Patient", [("_filter", text)], strict=True)
    async with database.transaction(people) as tx:
        page = await searching.search(tx, query)
    assert sorted(each.reference.id for each in page.matches) == found.split()
    assert query.understood == (("_filter", text),)


async def test_a_filter_goes_over_chains(database: Database, people: str) -> None:
    query = parse_query("Encounter", [("_filter", 'patient.family eq "Baker" or patient eq Patient/kim')], strict=True)
    async with database.transaction(people) as tx:
        page = await searching.search(tx, query)
    assert sorted(each.reference.id for each in page.matches) == ["stay-ann", "stay-kim"]


@pytest.mark.parametrize(
    "text",
    [
        "gender",
        "gender eq",
        "gender is male",
        "(gender eq male",
        "gender eq male)",
        "gender eq male gender eq female",
        'family eq "Baker',
        "family ew ker",
        "name[family eq x].given eq y",
        "gender gt male",
        "birthdate pr perhaps",
        "code:text co x",
        '"gender" eq male',
        "not gender eq male",
    ],
)
def test_what_is_no_filter_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_query("Patient", [("_filter", text)], strict=True)
    assert refused.value.params["field"] == "_filter"


@pytest.mark.parametrize("text", ["(" * 30 + "gender eq male" + ")" * 30, " or ".join(["gender eq male"] * 60)])
def test_a_filter_has_limits(text: str) -> None:
    with pytest.raises(TooCostly):
        parse_query("Patient", [("_filter", text)], strict=True)
