"""$validate and $everything."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.fhir.conftest import Connect, issue_of, observation, patient


@pytest.mark.parametrize(
    ("path", "body", "severity"),
    [
        ("Patient/$validate", patient(), "information"),
        ("Patient/$validate", patient(gender="unheard-of"), "error"),
        ("Patient/$validate", observation("Patient/p1"), "error"),
        ("Patient/$validate", {"resourceType": "Patient", "contact": [{"gender": "male"}]}, "error"),
        ("Patient/p1/$validate?mode=update", patient(id="p1"), "information"),
        ("Patient/p1/$validate?mode=update", patient(id="p2"), "error"),
        (
            "Patient/$validate",
            {
                "resourceType": "Parameters",
                "parameter": [{"name": "resource", "resource": patient()}, {"name": "mode", "valueCode": "create"}],
            },
            "information",
        ),
    ],
)
async def test_validate_answers_200_with_what_it_found_and_keeps_nothing(
    fhir: httpx.AsyncClient, path: str, body: dict[str, Any], severity: str
) -> None:
    answer = await fhir.post(path, json=body)
    assert answer.status_code == 200, answer.text
    worst = [issue["severity"] for issue in answer.json()["issue"]]
    assert (severity == "error") is ("error" in worst)
    assert (await fhir.get("Patient/_history")).json()["total"] == 0


async def test_validate_looks_at_what_is_kept(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    assert (await fhir.get("Patient/p1/$validate")).status_code == 200
    assert (await fhir.get("Patient/p2/$validate")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("Patient/$validate", None),
        ("Patient/$validate?mode=fly", patient()),
        ("Patient/$validate", {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": 1}]}),
        ("Patient/$validate", {"resourceType": "Parameters", "parameter": 1}),
    ],
)
async def test_validate_without_a_resource_is_refused(fhir: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await fhir.post(path, json=body) if body else await fhir.post(path)
    assert (answer.status_code, issue_of(answer)["severity"]) == (400, "error")


@pytest.fixture
async def _stay(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Practitioner/d1", json={"resourceType": "Practitioner", "id": "d1"})
    for id_ in ("p1", "p2"):
        await fhir.put(f"Patient/{id_}", json=patient(id=id_))
        made = observation(f"Patient/{id_}", id=f"of-{id_}", performer=[{"reference": "Practitioner/d1"}])
        await fhir.put(f"Observation/of-{id_}", json=made)


def listed(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in entries]


@pytest.mark.usefixtures("_stay")
async def test_everything_of_a_patient_is_all_of_theirs_and_nothing_of_others(fhir: httpx.AsyncClient) -> None:
    assert sorted(listed(await fhir.get("Patient/p1/$everything"))) == [
        "Observation/of-p1",
        "Patient/p1",
        "Practitioner/d1",
    ]
    assert listed(await fhir.get("Patient/p1/$everything?_type=Observation")) == ["Observation/of-p1"]
    assert listed(await fhir.get("Patient/p1/$everything?_since=2999-01-01T00:00:00Z"))[:1] in ([], ["Patient/p1"])


async def all_pages(fhir: httpx.AsyncClient, url: str) -> list[str]:
    """Matches of all pages; what they refer to may come with each."""
    seen = []
    while url:
        answer = await fhir.get(url)
        assert answer.status_code == 200, answer.text
        matches = [each for each in answer.json().get("entry", []) if each["search"]["mode"] == "match"]
        seen += [f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in matches]
        url = {link["relation"]: link["url"] for link in answer.json()["link"]}.get("next", "")
    return seen


@pytest.mark.usefixtures("_stay")
async def test_everything_comes_in_pages_each_resource_once(fhir: httpx.AsyncClient) -> None:
    for number in range(5):
        await fhir.put(f"Observation/o{number}", json=observation("Patient/p1", id=f"o{number}"))
    seen = await all_pages(fhir, "Patient/p1/$everything?_count=2")
    assert sorted(seen) == [*(f"Observation/o{number}" for number in range(5)), "Observation/of-p1", "Patient/p1"]
    assert sorted(await all_pages(fhir, "Patient/p1/$everything?_count=2&_type=Observation")) == sorted(seen)[:-1]


@pytest.mark.usefixtures("_stay")
async def test_everything_of_all_patients_is_what_is_theirs_and_may_be_seen(
    fhir: httpx.AsyncClient, connect: Connect
) -> None:
    await fhir.put("Observation/of-none", json={**observation("Group/g1", id="of-none")})
    whole = ["Observation/of-p1", "Observation/of-p2", "Patient/p1", "Patient/p2"]
    assert sorted(await all_pages(fhir, "Patient/$everything?_count=1")) == whole
    assert sorted(await all_pages(fhir, "Patient/$everything?_type=Observation,Practitioner")) == whole[:2]
    narrow = await connect("system/Patient.rs")
    assert await all_pages(narrow, "Patient/$everything") == whole[2:]
    assert (await (await connect("system/Observation.rs")).get("Patient/$everything")).status_code == 403


@pytest.mark.usefixtures("_stay")
async def test_everything_since_leaves_out_what_has_not_changed_since(fhir: httpx.AsyncClient) -> None:
    changed = (await fhir.put("Observation/new", json=observation("Patient/p1", id="new"))).json()
    since = changed["meta"]["lastUpdated"].replace("+", "%2B")
    assert listed(await fhir.get(f"Patient/p1/$everything?_since={since}")) == ["Observation/new"]
    assert listed(await fhir.get("Patient/p1/$everything?_since=2999-01-01")) == []


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("", "allergy may march timeless"),
        ("start=2026-03-01&end=2026-03-31", "allergy march timeless"),
        ("start=2026-03-10&end=2026-03-10", "allergy march timeless"),
        ("start=2026-03-11", "allergy may timeless"),
        ("end=2026-03", "allergy march timeless"),
        ("start=2027", "allergy timeless"),
    ],
)
async def test_everything_of_a_period_of_care_has_what_was_done_in_it_and_what_holds_always(
    fhir: httpx.AsyncClient, period: str, expected: str
) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    for id_, when in (("march", "2026-03-10T23:30:00+09:00"), ("may", "2026-05-01"), ("timeless", None)):
        dated = {} if when is None else {"effectiveDateTime": when}
        await fhir.put(f"Observation/{id_}", json=observation("Patient/p1", id=id_, **dated))
    active = {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "allergy",
        "patient": {"reference": "Patient/p1"},
        "clinicalStatus": {"coding": [active]},
        "recordedDate": "2001-01-01",
    }
    assert (await fhir.put("AllergyIntolerance/allergy", json=allergy)).is_success
    for path in ("Patient/p1/$everything", "Patient/$everything"):
        found = [each.partition("/")[2] for each in await all_pages(fhir, f"{path}?{period}")]
        assert sorted(found) == sorted([*expected.split(), "p1"])


@pytest.mark.usefixtures("_stay")
async def test_everything_leaves_out_what_the_scopes_leave_out(connect: Connect) -> None:
    client = await connect("system/Patient.rs system/Observation.rs")
    assert sorted(listed(await client.get("Patient/p1/$everything"))) == ["Observation/of-p1", "Patient/p1"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient/never/$everything", 404),
        ("Encounter/$everything", 404),
        ("Observation/o1/$everything", 404),
        ("$everything", 404),
        ("Patient/p1/$everything?_type=Nothing", 400),
        ("Patient/p1/$everything?start=soon", 400),
    ],
)
async def test_everything_stands_where_it_means_something(fhir: httpx.AsyncClient, path: str, status: int) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    answer = await fhir.get(path)
    assert (answer.status_code, issue_of(answer)["severity"]) == (status, "error")
