"""batch and transaction: each for itself, all or nothing, references in any order."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest

from store import audit, outbox
from tests.api.fhir.conftest import Json, issue_of, observation, patient
from tests.desk import Desk
from tests.store.values import settled

ONE, TWO = "urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:22222222-2222-4222-8222-222222222222"


def entry(method: str, url: str, resource: Json | None = None, full_url: str = "", **request: str) -> Json:
    made: Json = {"request": {"method": method, "url": url, **request}}
    return made | ({"fullUrl": full_url} if full_url else {}) | ({"resource": resource} if resource else {})


def bundle(kind: str, *entries: Any) -> Json:
    return {"resourceType": "Bundle", "type": kind} | ({"entry": list(entries)} if entries else {})


def statuses(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["response"]["status"][:3] for each in answer.json().get("entry", [])]


def reference_of(location: str) -> str:
    return "/".join(location.split("/")[-4:-2])


async def test_a_batch_does_each_entry_for_itself(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "",
        json=bundle(
            "batch",
            entry("PUT", "Patient/p1", patient(id="p1")),
            entry("POST", "Patient", {"resourceType": "Patient", "gender": "unheard-of"}),
            entry("GET", "Patient/p1"),
            entry("GET", "Patient?_id=p1"),
            entry("GET", "Patient/never"),
            entry("DELETE", "Patient/p1"),
            entry("GET", "Patient/p1"),
            entry("PUT", "Patient/p1", patient(id="p1"), ifMatch='W/"1"'),
            entry("GET", "Patient/p1/_history"),
            entry("POST", ""),
            entry("FLY", "Patient"),
            {},
            1,
        ),
    )
    assert answer.json()["type"] == "batch-response"
    assert statuses(answer) == [
        "201", "400", "200", "200", "404", "204", "410", "412", "200", "400", "400", "400", "400"
    ]  # fmt: skip
    entries = answer.json()["entry"]
    assert entries[1]["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[1].resource.gender"]
    assert entries[2]["resource"]["id"] == "p1"
    assert entries[3]["resource"]["type"] == "searchset"
    assert reference_of(entries[0]["response"]["location"]) == "Patient/p1"


async def test_a_transaction_resolves_references_in_any_order(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Observation", observation(TWO, performer=[{"reference": ONE}]), "urn:uuid:other"),
            entry("POST", "Practitioner", {"resourceType": "Practitioner"}, ONE),
            entry("POST", "Patient", patient(generalPractitioner=[{"reference": ONE}]), TWO),
        ),
    )
    assert answer.json()["type"] == "transaction-response"
    assert statuses(answer) == ["201", "201", "201"]
    made = [reference_of(each["response"]["location"]) for each in answer.json()["entry"]]
    kept = (await fhir.get(made[0])).json()
    assert kept["subject"]["reference"] == made[2]
    assert kept["performer"][0]["reference"] == made[1]
    assert (await fhir.get(f"Observation?subject={made[2]}")).json()["entry"][0]["resource"]["id"] == kept["id"]


async def test_links_in_narrative_and_uris_are_resolved_and_other_text_is_not(fhir: httpx.AsyncClient) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{ONE}">{ONE}</a></div>'
    resource = observation(
        TWO,
        text={"status": "generated", "div": div},
        extension=[{"url": "urn:e", "valueUri": TWO}, {"url": "urn:e", "valueString": TWO}],
        identifier=[{"system": "urn:ietf:rfc:3986", "value": TWO}],
    )
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Observation", resource, ONE),
            entry("PUT", "Patient/p1", patient(id="p1"), TWO),
        ),
    )
    ref = reference_of(answer.json()["entry"][0]["response"]["location"])
    kept = (await fhir.get(ref)).json()
    assert f'<a href="{ref}">{ONE}</a>' in kept["text"]["div"]
    assert kept["extension"][0]["valueUri"] == "Patient/p1"
    assert kept["extension"][1]["valueString"] == kept["identifier"][0]["value"] == TWO


async def test_relative_references_follow_the_entrys_own_address(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Observation", observation("Patient/7"), "http://elsewhere.example/fhir/Observation/8"),
            entry("POST", "Patient", patient(), "http://elsewhere.example/fhir/Patient/7"),
        ),
    )
    made = [reference_of(each["response"]["location"]) for each in answer.json()["entry"]]
    assert (await fhir.get(made[0])).json()["subject"]["reference"] == made[1]


async def test_a_conditional_reference_names_what_is_kept_or_what_the_bundle_brings(fhir: httpx.AsyncClient) -> None:
    def doctor(number: str) -> Json:
        return {"resourceType": "Practitioner", "identifier": [{"system": "urn:npi", "value": number}]}

    await fhir.put("Practitioner/d1", json=doctor("1") | {"id": "d1"})
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("PUT", "Practitioner/d2", doctor("2") | {"id": "d2"}),
            entry(
                "POST",
                "Observation",
                observation(
                    "Patient/p1",
                    performer=[{"reference": f"Practitioner?identifier=urn:npi|{number}"} for number in "12"],
                ),
            ),
        ),
    )
    assert statuses(answer) == ["201", "201"]
    kept = (await fhir.get(reference_of(answer.json()["entry"][1]["response"]["location"]))).json()
    assert [each["reference"] for each in kept["performer"]] == ["Practitioner/d1", "Practitioner/d2"]


async def test_every_kind_of_entry_stands_in_one_transaction(fhir: httpx.AsyncClient) -> None:
    for id_ in ("old", "gone", "here"):
        await fhir.put(f"Patient/{id_}", json=patient(id=id_, identifier=[{"system": "urn:mrn", "value": id_}]))
    patch = base64.b64encode(b'[{"op":"add","path":"/active","value":true}]').decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch}
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("GET", "Patient/old"),
            entry("PATCH", "Patient/old", binary),
            entry("DELETE", "Patient/gone", ifMatch='W/"1"'),
            entry("POST", "Patient", patient(), TWO, ifNoneExist="identifier=urn:mrn|here"),
            entry("POST", "Observation", observation(TWO)),
            entry("PUT", "Patient?identifier=urn:mrn|new", patient(identifier=[{"system": "urn:mrn", "value": "new"}])),
            entry("DELETE", "Patient?identifier=urn:mrn|never"),
            entry("GET", "Patient?_summary=count"),
        ),
    )
    assert statuses(answer) == ["200", "200", "204", "200", "201", "201", "204", "200"]
    entries = answer.json()["entry"]
    assert entries[0]["resource"]["active"] is True  # what is read is read after everything is written
    assert entries[7]["resource"]["total"] == 3
    kept = (await fhir.get(reference_of(entries[4]["response"]["location"]))).json()
    assert kept["subject"]["reference"] == "Patient/here"


async def test_the_same_conditional_create_twice_makes_one_resource(fhir: httpx.AsyncClient) -> None:
    one = entry(
        "POST", "Patient", patient(identifier=[{"system": "urn:mrn", "value": "1"}]), ifNoneExist="identifier=urn:mrn|1"
    )
    answer = await fhir.post("", json=bundle("transaction", one | {"fullUrl": ONE}, one | {"fullUrl": TWO}))
    assert [status[:3] for status in statuses(answer)] == ["201", "200"]
    assert len({each["response"]["location"] for each in answer.json()["entry"]}) == 1


async def test_transactions_that_cross_each_other_both_end(fhir: httpx.AsyncClient) -> None:
    def one(number: int) -> Json:
        resource = patient(identifier=[{"system": "urn:mrn", "value": str(number)}])
        return entry("PUT", f"Patient?identifier=urn:mrn|{number}", resource)

    order = [1, 2, 3, 4, 5]
    sent = [fhir.post("", json=bundle("transaction", *map(one, sorted(order, reverse=n % 2 == 0)))) for n in range(4)]
    answers = await asyncio.gather(*sent)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 5


@pytest.mark.parametrize(
    ("entries", "status", "where"),
    [
        ([entry("POST", "Patient", patient(gender="x"))], 400, "Bundle.entry[1].resource.gender"),
        ([entry("POST", "Patient", observation("Patient/p1"))], 400, "Bundle.entry[1].resource.resourceType"),
        ([entry("POST", "Patient")], 400, "Bundle.entry[1].resource"),
        ([entry("PUT", "Patient/p1", patient())], 400, "Bundle.entry[1].resource.id"),
        ([entry("POST", "Observation", observation(ONE))], 400, "Bundle.entry[1].resource.subject.reference"),
        ([entry("POST", "Observation", observation("Patient?identifier=x|y"))], 400,
         "Bundle.entry[1].resource.subject.reference"),
        ([entry("PUT", "Patient/p0", patient(id="p0"))], 400, "Bundle.entry[1].request.url"),
        ([entry("PUT", "Patient/p1", patient(id="p1"), ifMatch='W/"1"')], 412, "Bundle.entry[1]"),
        ([entry("GET", "Patient/never")], 404, "Bundle.entry[1]"),
        ([entry("POST", "Nothing", patient())], 404, "Bundle.entry[1]"),
        ([entry("POST", "")], 400, "Bundle.entry[1].request.url"),
        ([entry("PUT", "Patient?identifier=", patient())], 400, "Bundle.entry[1].request.url"),
        ([entry("PUT", "Patient?identifier=urn:x|1", patient())] * 2, 400, "Bundle.entry[2].request.url"),
        ([entry("POST", "Patient", patient(), ONE), entry("POST", "Patient", patient(), ONE)], 400,
         "Bundle.entry[2].fullUrl"),
        ([{"resource": patient()}], 400, "Bundle.entry[1].request"),
        ([{"request": {"method": "POST", "url": 1}}], 400, "Bundle.entry[1].request.url"),
        ([1], 400, "Bundle.entry[1].request"),
    ],
)  # fmt: skip
async def test_a_transaction_that_fails_anywhere_changes_nothing(
    fhir: httpx.AsyncClient, desk: Desk, entries: list[Any], status: int, where: str
) -> None:
    answer = await fhir.post("", json=bundle("transaction", entry("PUT", "Patient/p0", patient(id="p0")), *entries))
    assert answer.status_code == status, answer.text
    assert issue_of(answer)["expression"] == [where]
    assert (await fhir.get("Patient/p0")).status_code == 404
    assert (await fhir.get("Patient/_history")).json()["total"] == 0


async def test_a_transaction_is_one_line_of_the_audit_and_announces_every_change(
    fhir: httpx.AsyncClient, desk: Desk
) -> None:
    made = bundle("transaction", *(entry("PUT", f"Patient/p{n}", patient(id=f"p{n}")) for n in range(3)))
    assert statuses(await fhir.post("", json=made)) == ["201"] * 3
    await settled(desk.state.database, desk.hospital)
    async with desk.state.database.transaction(desk.hospital) as tx:
        (line,) = [line for line in await audit.read(tx) if line.actor == "client"]
        changed = await outbox.changes_since(tx, 0, ["records"])
    assert line.patients == ("Patient/p0", "Patient/p1", "Patient/p2")
    told = {change.subject for change in changed if change.subject.startswith("Patient/")}
    assert told == {f"{patient}/_history/1" for patient in line.patients}


@pytest.mark.parametrize(("prefer", "shown"), [("", False), ("return=minimal", False), ("return=representation", True)])
async def test_the_writes_of_a_bundle_are_shown_when_asked_for(
    fhir: httpx.AsyncClient, prefer: str, shown: bool
) -> None:
    for kind in ("batch", "transaction"):
        made = bundle(kind, entry("POST", "Patient", patient()))
        answer = await fhir.post("", json=made, headers={"Prefer": prefer})
        assert ("resource" in answer.json()["entry"][0]) is shown


async def test_decimals_keep_their_digits_through_a_transaction(fhir: httpx.AsyncClient) -> None:
    sent = json.dumps(bundle("transaction", entry("POST", "Observation", observation("Patient/1", valueQuantity={}))))
    answer = await fhir.post("", content=sent.replace('"valueQuantity": {}', '"valueQuantity": {"value": 72.50}'))
    ref = reference_of(answer.json()["entry"][0]["response"]["location"])
    assert '"value":72.50' in (await fhir.get(ref)).text


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_an_empty_bundle_is_answered_by_an_empty_one(fhir: httpx.AsyncClient, kind: str) -> None:
    assert statuses(await fhir.post("", json=bundle(kind))) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (patient(), 400),
        (bundle("collection"), 400),
        ({"resourceType": "Bundle"}, 400),
        (bundle("batch") | {"entry": {}}, 400),
        (bundle("transaction") | {"entry": [{}] * 5001}, 413),
    ],
)
async def test_only_a_batch_or_a_transaction_of_5000_entries_is_taken(
    fhir: httpx.AsyncClient, body: Json, status: int
) -> None:
    assert (await fhir.post("", json=body)).status_code == status
