"""history of an instance, a type and everything, in pages."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.fhir.conftest import Connect, issue_of, observation, patient


@pytest.fixture
async def _lives(fhir: httpx.AsyncClient) -> None:
    """One patient that was changed and deleted, one that was not, and an observation."""
    await fhir.put("Patient/p1", json=patient(id="p1"))
    await fhir.put("Patient/p1", json=patient(id="p1", active=True))
    await fhir.delete("Patient/p1")
    await fhir.put("Patient/p2", json=patient(id="p2"))
    await fhir.put("Observation/o1", json=observation("Patient/p2", id="o1"))


def told(bundle: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (
            entry["request"]["method"],
            entry["fullUrl"].rpartition("/fhir/")[2].partition("/")[2],
            entry["response"]["etag"],
        )
        for entry in bundle.get("entry", [])
    ]


async def test_a_history_says_how_a_record_came_about(fhir: httpx.AsyncClient) -> None:
    """Played to another server, it gives the same ids: POST where the server gave one, PUT where the client did."""
    id_ = (await fhir.post("Patient", json=patient())).json()["id"]
    await fhir.put("Patient/p1", json=patient(id="p1"))
    requests = {each["request"]["method"]: each for each in (await fhir.get("Patient/_history")).json()["entry"]}
    assert (requests["POST"]["request"]["url"], requests["POST"]["resource"]["id"]) == ("Patient", id_)
    assert requests["PUT"]["request"]["url"] == "Patient/p1"
    assert {each["response"]["status"] for each in requests.values()} == {"201 Created"}


@pytest.mark.usefixtures("_lives")
async def test_a_count_of_a_history_holds_no_versions(fhir: httpx.AsyncClient) -> None:
    counted = (await fhir.get("Patient/_history?_summary=count")).json()
    assert (counted["total"], counted.get("entry")) == (4, None)


@pytest.mark.usefixtures("_lives")
async def test_the_history_of_an_instance_is_newest_first_with_its_deletion(fhir: httpx.AsyncClient) -> None:
    bundle = (await fhir.get("Patient/p1/_history")).json()
    assert (bundle["type"], bundle["total"]) == ("history", 3)
    assert told(bundle) == [
        ("DELETE", "Patient/p1", 'W/"3"'),
        ("PUT", "Patient/p1", 'W/"2"'),
        ("PUT", "Patient/p1", 'W/"1"'),
    ]
    assert "resource" not in bundle["entry"][0]
    assert bundle["entry"][1]["resource"]["active"] is True


@pytest.mark.usefixtures("_lives")
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Patient/_history", ["Patient/p2", "Patient/p1", "Patient/p1", "Patient/p1"]),
        ("_history", ["Observation/o1", "Patient/p2", "Patient/p1", "Patient/p1", "Patient/p1"]),
        ("Observation/_history", ["Observation/o1"]),
        ("Group/_history", []),
    ],
)
async def test_the_history_of_a_type_and_of_everything(fhir: httpx.AsyncClient, path: str, found: list[str]) -> None:
    bundle = (await fhir.get(path)).json()
    ours = [reference for _, reference, _ in told(bundle) if not reference.startswith("Location/")]
    assert ours == found
    assert bundle["total"] == len(bundle.get("entry", []))


@pytest.mark.usefixtures("_lives")
async def test_pages_lead_to_every_version_once(fhir: httpx.AsyncClient) -> None:
    seen, url = [], "_history?_count=2&_total=accurate"
    while url:
        bundle = (await fhir.get(url)).json()
        assert len(bundle["entry"]) <= 2 < bundle["total"]
        seen += told(bundle)
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        assert links["self"].startswith(str(fhir.base_url))
        url = links.get("next", "")
    assert len(seen) == len(set(seen)) == bundle["total"]


@pytest.mark.usefixtures("_lives")
async def test_a_page_that_is_not_all_counts_the_rest_only_when_asked(fhir: httpx.AsyncClient) -> None:
    assert "total" not in (await fhir.get("Patient/_history?_count=2")).json()
    assert (await fhir.get("Patient/_history?_count=2&_total=accurate")).json()["total"] == 4
    assert (await fhir.get("Patient/_history?_count=0")).json()["total"] == 4
    assert (await fhir.get("Patient/p1/_history?_count=2")).json()["total"] == 3


@pytest.mark.usefixtures("_lives")
async def test_since_leaves_out_what_is_older(fhir: httpx.AsyncClient) -> None:
    newest = (await fhir.get("Observation/o1")).json()["meta"]["lastUpdated"]
    bundle = (await fhir.get("_history", params={"_since": newest})).json()
    assert [reference for _, reference, _ in told(bundle)] == ["Observation/o1"]
    for later in ({"_since": "2999-01-01T00:00:00Z"}, {"_at": "1999-12-31"}):
        assert "entry" not in (await fhir.get("_history", params=later)).json()
    now = (await fhir.get("Patient/_history", params={"_at": newest})).json()
    # What is current may be a deletion.
    assert [(method, reference) for method, reference, _ in told(now)] == [
        ("PUT", "Patient/p2"),
        ("DELETE", "Patient/p1"),
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient/never/_history", 404),
        ("_history?_since=yesterday", 400),
        ("_history?_at=x", 400),
        ("_history?_count=-1", 400),
        ("_history?_count=many", 400),
        ("_history?_count=0", 200),
        ("_history?_cursor=x", 400),
        ("_history?unheard-of=1", 200),
    ],
)
async def test_a_history_that_makes_no_sense_is_refused(fhir: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await fhir.get(path)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert issue_of(answer)["diagnostics"]


async def test_an_unknown_parameter_is_refused_when_handling_is_strict(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.get("_history?unheard-of=1", headers={"Prefer": "handling=strict"})
    assert answer.status_code == 400


@pytest.mark.usefixtures("_lives")
async def test_a_history_shows_only_types_that_the_scopes_name(connect: Connect) -> None:
    client = await connect("system/Patient.rs")
    bundle = (await client.get("_history")).json()
    assert {reference.partition("/")[0] for _, reference, _ in told(bundle)} == {"Patient"}
    assert bundle["total"] == 4
    assert (await client.get("Observation/o1/_history")).status_code == 403
