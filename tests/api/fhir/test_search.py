"""search over HTTP: where it may be asked, what a page looks like. What each parameter finds stands in tests/store."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.fhir.conftest import Connect, issue_of, observation, patient

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def _ward(fhir: httpx.AsyncClient) -> None:
    """Two patients; the first has three observations."""
    for id_ in ("p1", "p2"):
        await fhir.put(f"Patient/{id_}", json=patient(id=id_))
    for number in (1, 2, 3):
        await fhir.put(f"Observation/o{number}", json=observation("Patient/p1", id=f"o{number}"))


def found(bundle: dict[str, Any], mode: str = "match") -> set[str]:
    entries = [entry for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]
    return {f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}" for entry in entries}


ALL = {"Observation/o1", "Observation/o2", "Observation/o3"}


@pytest.mark.usefixtures("_ward")
@pytest.mark.parametrize(
    ("method", "path", "form", "expected"),
    [
        ("GET", "Observation?subject=Patient/p1", None, ALL),
        ("POST", "Observation/_search", {"subject": "Patient/p1"}, ALL),
        ("POST", "Observation/_search?subject=Patient/p1", {"_id": "o1"}, {"Observation/o1"}),
        ("GET", "Observation?subject=Patient/p2", None, set()),
        ("GET", "Patient/p1/Observation", None, ALL),
        ("GET", "Patient/p1/Observation?_id=o2", None, {"Observation/o2"}),
        ("POST", "Patient/p1/Observation/_search", {"_id": "o2"}, {"Observation/o2"}),
        ("GET", "Patient/p2/Observation", None, set()),
        ("GET", "?_type=Patient,Observation&_id=p1,o1", None, {"Patient/p1", "Observation/o1"}),
        ("POST", "_search", {"_type": "Patient"}, {"Patient/p1", "Patient/p2"}),
    ],
)
async def test_a_search_may_be_asked_in_every_place(
    fhir: httpx.AsyncClient, method: str, path: str, form: dict[str, str] | None, expected: set[str]
) -> None:
    answer = await fhir.request(method, path, data=form)
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "searchset"
    assert found(answer.json()) == expected


@pytest.mark.usefixtures("_ward")
async def test_pages_lead_to_every_match_once_and_say_the_total_when_asked(fhir: httpx.AsyncClient) -> None:
    seen: list[str] = []
    url = "Observation?subject=Patient/p1&_count=2&_total=accurate"
    pages = 0
    while url:
        bundle = (await fhir.get(url)).json()
        assert bundle["total"] == 3
        seen += found(bundle)
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        assert links["self"].startswith(str(fhir.base_url))
        url, pages = links.get("next", ""), pages + 1
    assert (sorted(seen), pages) == (sorted(ALL), 2)


@pytest.mark.usefixtures("_ward")
async def test_what_was_asked_by_post_stands_in_no_address_to_follow(fhir: httpx.AsyncClient) -> None:
    """The first answer says how it was understood (search.html#conformance); addresses to follow are written down."""
    asked = {"gender": "female,male", "identifier:missing": "true", "_count": "1", "_sort": "_id"}
    by_get = (await fhir.get("Patient", params=asked)).json()
    assert "female" in {link["relation"]: link["url"] for link in by_get["link"]}["next"]
    bundle = (await fhir.post("Patient/_search", data=asked)).json()
    seen, pages = found(bundle), 1
    assert "gender=female" in {link["relation"]: link["url"] for link in bundle["link"]}["self"]
    while url := {link["relation"]: link["url"] for link in bundle["link"]}.get("next"):
        assert "female" not in url
        assert "_sort=_id" in url
        bundle = (await fhir.get(url)).json()
        seen |= found(bundle)
        pages += 1
    assert (seen, pages) == ({"Patient/p1", "Patient/p2"}, 2)


@pytest.mark.usefixtures("_ward")
async def test_an_include_comes_once_and_is_marked(fhir: httpx.AsyncClient) -> None:
    bundle = (await fhir.get("Observation?_include=Observation:subject")).json()
    assert (found(bundle), found(bundle, "include")) == (ALL, {"Patient/p1"})
    base = str(fhir.base_url).rstrip("/")
    assert {entry["fullUrl"] for entry in bundle["entry"]} == {f"{base}/{each}" for each in ALL | {"Patient/p1"}}


@pytest.mark.usefixtures("_ward")
async def test_summary_count_answers_a_number_and_no_entries(fhir: httpx.AsyncClient) -> None:
    bundle = (await fhir.get("Observation?_summary=count")).json()
    assert bundle["total"] == 3
    assert "entry" not in bundle


@pytest.mark.usefixtures("_ward")
async def test_elements_and_summary_leave_the_rest_out(fhir: httpx.AsyncClient) -> None:
    for query, absent in (("_elements=status", "subject"), ("_summary=text", "subject")):
        bundle = (await fhir.get(f"Observation?_id=o1&{query}")).json()
        resource = bundle["entry"][0]["resource"]
        assert absent not in resource
        assert resource["meta"]["tag"][0]["code"] == "SUBSETTED"


@pytest.mark.usefixtures("_ward")
async def test_an_unknown_parameter_is_reported_when_lenient_and_refused_when_strict(fhir: httpx.AsyncClient) -> None:
    lenient = (await fhir.get("Observation?unheard-of=1&_id=o1")).json()
    assert found(lenient) == {"Observation/o1"}
    reported = [entry for entry in lenient["entry"] if entry["search"]["mode"] == "outcome"]
    assert reported[0]["resource"]["issue"][0]["expression"] == ["http.unheard-of"]
    assert "unheard-of" not in lenient["link"][0]["url"]
    strict = await fhir.get("Observation?unheard-of=1", headers={"Prefer": "handling=strict"})
    assert (strict.status_code, issue_of(strict)["severity"]) == (400, "error")


@pytest.mark.usefixtures("_ward")
async def test_what_the_scopes_leave_out_is_neither_found_nor_included_nor_counted(connect: Connect) -> None:
    client = await connect("system/Observation.rs")
    assert (await client.get("Patient")).status_code == 403
    bundle = (await client.get("Observation?_include=Observation:subject&_total=accurate")).json()
    assert (found(bundle), found(bundle, "include"), bundle["total"]) == (ALL, set(), 3)
    everything = (await client.get("?_type=Patient,Observation")).json()
    assert found(everything) == ALL
    assert found((await client.get("Observation?subject:Patient.gender=female")).json()) == set()


@pytest.mark.usefixtures("_ward")
async def test_another_hospitals_search_finds_nothing(connect: Connect, other_hospital: str) -> None:
    other = await connect(hospital=other_hospital)
    for path in ("Patient", "?_type=Patient", "Patient/p1/Observation", "Observation?subject:Patient.gender=female"):
        assert found((await other.get(path)).json()) == set()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient?birthdate=yesterday", 400),
        ("Patient?_count=x", 400),
        ("Patient?_summary=everything", 400),
        ("Patient?_sort=unheard-of", 400),
        ("Patient?_cursor=x", 400),
        ("Patient?_lastUpdated=2026-13-01", 400),
        ("Patient?name=%00", 400),
        ("Patient?name=%ff", 400),
        ("Patient?" + "&".join(["name=x"] * 300), 400),
        ("Patient?name='; drop table resource; --", 200),
        ("Patient?identifier=%25_|\\x", 200),
        ("Nothing?name=x", 404),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused_with_the_parameter(
    fhir: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await fhir.get(path, headers={"Prefer": "handling=strict"})
    assert answer.status_code == status, answer.text
    if status != 200:
        assert issue_of(answer)["diagnostics"]


async def test_a_form_is_for_searches_only(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.post("Patient", data={"name": "x"})).status_code == 415
