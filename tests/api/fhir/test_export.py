"""$export: what is in the files, and what is refused."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx
import pytest

from tests.api.fhir.conftest import Json, issue_of, observation, patient
from tests.api.fhir.exports import ASYNC, Run, begun, exported, keep, lines, manifest, refs
from tests.desk import Desk


@pytest.mark.usefixtures("ward")
async def test_an_export_is_kept_done_by_the_server_and_given_out_as_ndjson(
    fhir: httpx.AsyncClient, run: Run, desk: Desk
) -> None:
    text = json.dumps(observation("Patient/p1", id="o9", valueQuantity={"value": 0}), indent=1).replace(
        ": 0", ": 72.50"
    )
    await fhir.put("Observation/o9", content=text.encode(), headers={"Content-Type": "application/fhir+json"})
    where = await begun(fhir, "$export?_outputFormat=ndjson")
    waiting = await fhir.get(where)
    assert (waiting.status_code, waiting.content) == (202, b"")
    assert "0 resources" in waiting.headers["x-progress"]
    assert int(waiting.headers["retry-after"]) > 0
    await run()
    told = await manifest(fhir, where)
    assert told["request"] == f"http://127.0.0.1/fhir/{desk.hospital}/$export?_outputFormat=ndjson"
    assert (told["requiresAccessToken"], told["deleted"], told["error"]) == (True, [], [])
    found = refs(await lines(fhir, told["output"]))
    assert {"Group/g1", "Patient/p1", "Observation/of-p3", "Practitioner/d1", f"{desk.ward}"} <= set(found)
    url = next(file["url"] for file in told["output"] if file["type"] == "Observation")
    assert '"value": 72.50' in (await fhir.get(url)).text
    assert (await fhir.head(url)).headers["content-length"] == str(len((await fhir.get(url)).content))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$export?_type=Patient,Group", "Group/g1 Patient/p1 Patient/p2 Patient/p3"),
        ("$export?_type=Patient&_type=Practitioner", "Patient/p1 Patient/p2 Patient/p3 Practitioner/d1"),
        (
            "Patient/$export?_type=Patient,Observation",
            "Observation/of-p1 Observation/of-p2 Observation/of-p3 Patient/p1 Patient/p2 Patient/p3",
        ),
        ("Group/g1/$export", "Group/g1 Observation/of-p1 Observation/of-p2 Patient/p1 Patient/p2"),
        ("Group/g1/$export?_type=Observation", "Observation/of-p1 Observation/of-p2"),
        ("$export?_type=Patient&_typeFilter=Patient%3Fbirthdate%3Dge1962", "Patient/p2 Patient/p3"),
        (
            "$export?_type=Patient,Practitioner&_typeFilter=Patient%3F_id%3Dp1&_typeFilter=Patient%3F_id%3Dp3",
            "Patient/p1 Patient/p3 Practitioner/d1",
        ),
        ("$export?_type=Patient,Group&_typeFilter=Patient%3F_id%3Dp1,Group%3F_id%3Dnone", "Patient/p1"),
        (
            "Patient/$export?_type=Observation&_typeFilter=Observation%3Fsubject:Patient.birthdate%3D1961",
            "Observation/of-p1",
        ),
    ],
)
@pytest.mark.usefixtures("ward")
async def test_types_filters_and_groups_narrow_it(fhir: httpx.AsyncClient, run: Run, path: str, expected: str) -> None:
    assert await exported(fhir, run, path) == expected.split()


@pytest.mark.usefixtures("ward")
async def test_a_post_names_patients(fhir: httpx.AsyncClient, run: Run) -> None:
    async def ask(path: str, *ids: str) -> httpx.Response:
        given: list[Json] = [{"name": "patient", "valueReference": {"reference": f"Patient/{id_}"}} for id_ in ids]
        given.append({"name": "_type", "valueString": "Patient"})
        given.append({"name": "_since", "valueInstant": "2001-01-01T00:00:00Z"})
        return await fhir.post(path, json={"resourceType": "Parameters", "parameter": given}, headers=ASYNC)

    for path, ids in (("Patient/$export", ("p1", "p3")), ("Group/g1/$export", ("p2",))):
        answer = await ask(path, *ids)
        assert answer.status_code == 202, answer.text
        await run()
        told = await manifest(fhir, answer.headers["content-location"])
        assert refs(await lines(fhir, told["output"])) == [f"Patient/{id_}" for id_ in ids]
    for path, id_ in (("Patient/$export", "p9"), ("Group/g1/$export", "p3"), ("$export", "p1")):
        assert (await ask(path, id_)).status_code == 400


@pytest.mark.usefixtures("ward")
async def test_groups_within_groups_are_followed_and_a_described_group_is_refused(
    fhir: httpx.AsyncClient, run: Run
) -> None:
    within = [{"entity": {"reference": "Group/g1"}}, {"entity": {"reference": "Group/g2"}}]
    await keep(fhir, {"resourceType": "Group", "id": "g2", "type": "person", "actual": True, "member": within})
    assert await exported(fhir, run, "Group/g2/$export?_type=Patient") == ["Patient/p1", "Patient/p2"]
    await keep(fhir, {"resourceType": "Group", "id": "g3", "type": "person", "actual": False})
    assert (await fhir.get("Group/g3/$export", headers=ASYNC)).status_code == 400
    assert (await fhir.get("Group/g9/$export", headers=ASYNC)).status_code == 404


@pytest.mark.usefixtures("ward")
async def test_elements_leave_the_rest_out_and_say_so(fhir: httpx.AsyncClient, run: Run) -> None:
    where = await begun(
        fhir, "$export?_type=Patient,Practitioner,Observation&_elements=Patient.gender,Observation.code"
    )
    await run()
    held = {each["id"]: each for each in await lines(fhir, (await manifest(fhir, where))["output"])}
    assert set(held["p1"]) == {"resourceType", "id", "meta", "gender"}
    assert held["p1"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "performer" not in held["of-p1"]
    assert "tag" not in held["d1"]["meta"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("$export", {}, 400),
        ("$export?_outputFormat=text/csv", ASYNC, 400),
        ("$export?_type=Nothing", ASYNC, 400),
        ("Patient/$export?_type=Practitioner", ASYNC, 400),
        ("$export?_since=yesterday", ASYNC, 400),
        ("$export?_since=2020&_since=2021", ASYNC, 400),
        ("$export?includeAssociatedData=LatestProvenanceResources", ASYNC, 400),
        ("$export?unheard=of", ASYNC, 400),
        ("$export?_elements=Nothing.name", ASYNC, 400),
        ("$export?_elements=%27", ASYNC, 400),
        ("$export?_typeFilter=Patient", ASYNC, 400),
        ("$export?_typeFilter=Patient%3Funheard%3Dof", ASYNC, 400),
        ("$export?_typeFilter=Patient%3F_sort%3Dname", ASYNC, 400),
        ("$export?_typeFilter=Patient%3F_include%3DPatient:organization", ASYNC, 400),
        ("$export?_type=Observation&_typeFilter=Patient%3F_id%3D1", ASYNC, 400),
        ("$export?patient=Patient/p1", ASYNC, 400),
        ("$export", ASYNC | {"Phis-Reason": "x" * 401}, 400),
        ("Patient/p1/$export", ASYNC, 404),
        ("Group/$export", ASYNC, 404),
        ("Observation/$export", ASYNC, 404),
        ("_export/none", {}, 404),
        ("_export/00000000-0000-4000-8000-000000000000", {}, 404),
        ("_export/00000000-0000-4000-8000-000000000000/1", {}, 404),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_sentence(
    fhir: httpx.AsyncClient, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await fhir.get(path, headers=headers)
    assert (answer.status_code, issue_of(answer)["severity"]) == (status, "error")
    assert issue_of(answer)["diagnostics"]


async def test_a_head_begins_nothing(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.head("$export", headers=ASYNC)).status_code == 405


@pytest.mark.parametrize("body", [{"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": [{}]}])
async def test_a_body_is_parameters(fhir: httpx.AsyncClient, body: Json) -> None:
    assert (await fhir.post("$export", json=body, headers=ASYNC)).status_code == 400


@pytest.mark.usefixtures("ward")
async def test_a_lenient_client_hears_what_was_left_out(fhir: httpx.AsyncClient, run: Run) -> None:
    where = await begun(
        fhir,
        "Patient/$export?_type=Patient,Practitioner&includeAssociatedData=x&_typeFilter=Patient%3Fshoe%3D42",
        Prefer="respond-async, handling=lenient",
    )
    await run()
    told = await manifest(fhir, where)
    assert len(await lines(fhir, told["output"])) == 3
    (outcome,) = await lines(fhir, told["error"])
    said = " ".join(issue["diagnostics"] for issue in outcome["issue"])
    assert all(
        word in said for word in ("includeAssociatedData", "Practitioner", "shoe" if "shoe" in said else "search")
    )
    assert {issue["severity"] for issue in outcome["issue"]} == {"warning"}


@pytest.mark.usefixtures("ward")
async def test_the_next_run_since_the_last_brings_what_changed_and_what_was_deleted(
    fhir: httpx.AsyncClient, run: Run
) -> None:
    where = await begun(fhir, "Patient/$export")
    await run()
    first = (await manifest(fhir, where))["transactionTime"]
    await keep(fhir, patient(id="p2", active=True))
    for path in ("Observation/of-p1", "Practitioner/d1", "Patient/p3"):
        await fhir.delete(path)
    where = await begun(fhir, f"Patient/$export?_since={quote(first)}")
    await run()
    told = await manifest(fhir, where)
    assert refs(await lines(fhir, told["output"])) == ["Patient/p2"]
    urls = [entry["request"] for bundle in await lines(fhir, told["deleted"]) for entry in bundle["entry"]]
    assert sorted(each["url"] for each in urls) == ["Observation/of-p1", "Patient/p3"]
    assert {each["method"] for each in urls} == {"DELETE"}
    later = (await manifest(fhir, where))["transactionTime"]
    assert await exported(fhir, run, f"$export?_since={quote(later)}&_type=Patient,Observation") == []


@pytest.mark.usefixtures("ward")
async def test_what_is_changed_meanwhile_is_given_as_it_was(
    fhir: httpx.AsyncClient, run: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = await begun(fhir, "$export?_type=Patient,Observation")
    await keep(fhir, patient(id="p1", active=True))
    await keep(fhir, patient(id="p1", active=False))
    await keep(fhir, patient(id="p0"))
    await fhir.delete("Observation/of-p2")
    await run()
    told = await manifest(fhir, where)
    held = {each["id"]: each for each in await lines(fhir, told["output"])}
    assert "active" not in held["p1"]
    assert "p0" not in held
    assert "of-p2" in held
    since = quote(told["transactionTime"])
    assert await exported(fhir, run, f"$export?_type=Patient&_since={since}") == ["Patient/p0", "Patient/p1"]
