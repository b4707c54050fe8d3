"""$process-message: what it brings is kept once and whole, and the sender is told (hl7.org/fhir/R4/messaging.html)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.fhir.validation import check
from domain.ids import Reference
from store import audit, messages, records
from tests.api.fhir.conftest import Connect, Json, issue_of, observation, patient
from tests.desk import Desk, a_key

SENDER = "http://clinic.example/fhir"
V2 = "http://terminology.hl7.org/CodeSystem/v2-0003"


def message(*resources: Json, id_: str = "m1", event: str = "A01", **more: Any) -> Json:
    header: Json = {
        "resourceType": "MessageHeader",
        "id": id_,
        "eventCoding": {"system": V2, "code": event},
        "source": {"name": "clinic", "endpoint": f"{SENDER}/$process-message"},
        **more,
    }
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "message",
        "entry": [
            {"fullUrl": f"urn:uuid:{uuid4()}", "resource": header},
            *({"fullUrl": f"{SENDER}/{each['resourceType']}/{each.get('id')}", "resource": each} for each in resources),
        ],
    }


async def sent(fhir: httpx.AsyncClient, said: Json) -> Json:
    """The message that answers, valid by R4."""
    answer = await fhir.post("$process-message", json=said)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    assert [each for each in check(body) if each.severity == "error"] == []
    return body


def code_of(body: Json) -> str:
    said: str = body["entry"][0]["resource"]["response"]["code"]
    return said


def refusal(body: Json) -> Json:
    assert code_of(body) == "fatal-error"
    issue: Json = body["entry"][1]["resource"]["issue"][0]
    assert body["entry"][0]["resource"]["response"]["details"]["reference"] == body["entry"][1]["fullUrl"]
    return issue


async def test_what_a_message_brings_is_kept_under_the_senders_ids(fhir: httpx.AsyncClient, desk: Desk) -> None:
    body = await sent(fhir, message(observation(f"{SENDER}/Patient/p1", id="o1"), patient(id="p1")))
    header = body["entry"][0]["resource"]
    assert (code_of(body), header["response"]["identifier"]) == ("ok", "m1")
    assert header["eventCoding"]["code"] == "A01"
    assert header["destination"][0]["endpoint"] == f"{SENDER}/$process-message"
    assert (await fhir.get("Observation/o1")).json()["subject"]["reference"] == "Patient/p1"
    async with desk.state.database.transaction(desk.hospital) as tx:
        (line,) = [each for each in await audit.read(tx) if each.actor == "client" and each.detail.endswith("message")]
    assert line.patients == ("Patient/p1",)
    again = await sent(fhir, message(patient(id="p1", birthDate="1970-01-01"), id_="m2"))
    assert code_of(again) == "ok"
    assert (await fhir.get("Patient/p1")).json()["meta"]["versionId"] == "2"


async def test_a_message_sent_again_gets_the_same_answer_and_does_nothing_twice(
    fhir: httpx.AsyncClient, connect: Connect
) -> None:
    bare = observation("Patient/p1")
    first = message(patient(id="p1"), bare)
    answers = [await sent(fhir, first | {"id": str(uuid4())}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert (await fhir.get("Observation?_summary=count")).json()["total"] == 1
    assert (await fhir.get("Patient/p1")).json()["meta"]["versionId"] == "1"
    other = await fhir.post("$process-message", json=message(patient(id="p2")))
    assert (other.status_code, issue_of(other)["code"]) == (422, "duplicate")
    assert issue_of(other)["expression"] == ["Bundle.entry[0].resource.id"]
    stranger = await connect(label="another-sender")
    assert code_of(await sent(stranger, message(patient(id="p2")))) == "ok"


async def test_a_message_is_carried_out_whole_or_not_at_all(fhir: httpx.AsyncClient) -> None:
    said = message(patient(id="p1"), {"resourceType": "Observation", "id": "o1", "status": "unheard-of"})
    issue = refusal(await sent(fhir, said))
    assert issue["expression"][0].startswith("Bundle.entry[2].resource")
    assert (await fhir.get("Patient/p1")).status_code == 404
    said["entry"].pop()
    assert code_of(await sent(fhir, said)) == "ok", "what was refused may be put right under its id"


async def test_state_that_a_process_keeps_is_refused_and_the_command_named(fhir: httpx.AsyncClient, desk: Desk) -> None:
    asked = await desk.request(a_key())
    ref = Reference(asked.answer["encounter"])
    async with desk.state.database.transaction(desk.hospital) as tx:
        kept = (await records.read(tx, ref)).body
    issue = refusal(await sent(fhir, message(kept | {"status": "finished"})))
    assert issue["code"] == "business-rule"
    assert await desk.status(str(ref)) == "planned"


async def test_a_merge_event_merges_and_what_referred_to_the_patient_follows(
    fhir: httpx.AsyncClient, two: None
) -> None:
    replaced = patient(
        id="old", active=False, link=[{"other": {"reference": f"{SENDER}/Patient/new"}, "type": "replaced-by"}]
    )
    stays = patient(
        id="new",
        birthDate="1970-01-01",
        link=[{"other": {"reference": f"{SENDER}/Patient/old"}, "type": "replaces"}],
    )
    assert code_of(await sent(fhir, message(replaced, stays, event="A40"))) == "ok"
    assert (await fhir.get("Observation/of-old")).json()["subject"]["reference"] == "Patient/new"
    assert (await fhir.get("Patient/new")).json()["birthDate"] == "1970-01-01"
    assert (await fhir.get("Patient/old")).json()["link"][0]["type"] == "replaced-by"


async def test_scopes_hold_for_messages(connect: Connect) -> None:
    for scope in ("system/*.rs", "system/MessageHeader.c system/Observation.cruds", "system/Patient.cruds"):
        client = await connect(scope)
        assert (await client.post("$process-message", json=message(patient(id="p1")))).status_code == 403


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"type": "batch"}, "Bundle.type"),
        ({"entry": []}, "Bundle.entry[0].resource"),
        ({"entry": [{"resource": {"resourceType": "Patient"}}]}, "Bundle.entry[0].resource"),
        ({"entry": ["nothing"]}, "Bundle.entry[0].resource"),
        ({"entry": [{"resource": {"resourceType": "MessageHeader", "id": "m"}}]}, "Bundle.entry[0].resource"),
    ],
)
async def test_what_is_no_message_is_refused(fhir: httpx.AsyncClient, said: Json, where: str) -> None:
    answer = await fhir.post("$process-message", json=message() | said)
    assert answer.status_code in {400, 422}
    assert issue_of(answer)["expression"][0].startswith(where)


async def test_a_message_without_an_id_an_answer_and_what_would_be_answered_later_are_refused(
    fhir: httpx.AsyncClient,
) -> None:
    bare = message()
    del bare["entry"][0]["resource"]["id"]
    answer = await fhir.post("$process-message", json=bare)
    assert issue_of(answer)["expression"] == ["Bundle.entry[0].resource.id"]
    said = message(response={"identifier": "x", "code": "ok"})
    answer = await fhir.post("$process-message", json=said)
    assert issue_of(answer)["expression"] == ["Bundle.entry[0].resource.response"]
    for query in ("async=true", "response-url=http://clinic.example/answers"):
        answer = await fhir.post(f"$process-message?{query}", json=message())
        assert (answer.status_code, issue_of(answer)["code"]) == (400, "not-supported")
    assert (await fhir.get("$process-message")).status_code == 405


async def test_an_answer_is_forgotten_after_its_time_and_not_before(
    fhir: httpx.AsyncClient, desk: Desk, now: datetime
) -> None:
    first = message(patient(id="p1"))
    answer = await sent(fhir, first)
    async with desk.state.database.system() as system:
        assert await messages.forget_old(system, now + messages.KEPT - timedelta(minutes=5)) == 0
    assert await sent(fhir, first) == answer
    async with desk.state.database.system() as system:
        assert await messages.forget_old(system, now + messages.KEPT + timedelta(minutes=5)) == 1
    assert await sent(fhir, first) != answer
    assert (await fhir.get("Patient/p1")).json()["meta"]["versionId"] == "2"
