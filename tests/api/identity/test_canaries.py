"""What somebody reads who has the files: of what is meant to be encrypted nothing, of the rest what the page says.

A word that stands nowhere else is put into every kind of text: records, searches, reasons, passwords, secrets of second
factors, numbers. Then the files of PostgreSQL, its log of changes, Temporal's database, logs, numbers and traces are
read byte by byte. Names, addresses and a few descriptions are found there, as docs/security.md says: so the test sees.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg import AsyncConnection
from temporalio.client import Client

from api.fhir.exporting import Exporter
from api.identity import codes
from domain import resident_numbers
from domain.admission import AdmissionPhase
from domain.errors import PhisError
from domain.ids import Reference
from domain.roles import Role
from runtime.temporal import connect, register_namespace_and_attributes
from runtime.temporal_server import TemporalServer
from runtime.worker import build_worker
from store import accounts
from store.care import glass
from store.sealing import KeyRing
from tests.api.identity.world import World
from tests.conftest import NAMESPACE, House, Urls
from tests.desk import a_key
from tests.waiting import until

Json = dict[str, Any]

CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ACTIVE = {"coding": [{"system": CLINICAL, "code": "active"}]}
READABLE = frozenset({"patient-name", "patient-address", "related-name", "new-patient-name", "location-name"})
"""Words that a search finds by their beginnings stand in `search_string` as they are (ADR 0028)."""


class Canaries:
    """Words by what they stand for, each unlike anything else."""

    def __init__(self) -> None:
        self.words: dict[str, list[bytes]] = {}

    def __call__(self, name: str) -> str:
        word = f"canary{uuid4().hex[:14]}"
        self.also(name, word)
        return word

    def also(self, name: str, *spellings: str | bytes) -> None:
        listed = [each if isinstance(each, bytes) else each.encode() for each in spellings]
        self.words.setdefault(name, []).extend(listed)

    def resident_number(self) -> str:
        while True:
            day = f"{random.randint(0, 99):02}{random.randint(1, 12):02}{random.randint(1, 28):02}"  # noqa: S311
            number = f"{day}-{random.randint(1, 4)}{random.randint(0, 999_999):06}"  # noqa: S311
            if resident_numbers.parse(number) is not None:
                self.also("resident-number", number, number.replace("-", ""))
                return number

    def phone(self) -> str:
        number = f"010-{random.randint(1000, 9999)}-{random.randint(1000, 9999)}"  # noqa: S311
        self.also("phone", number, number.replace("-", ""))
        return number

    def found_in(self, content: bytes) -> set[str]:
        return {name for name, words in self.words.items() if any(word in content for word in words)}


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def temporal_client(tmp_path: Path, keys: KeyRing, spans: InMemorySpanExporter) -> AsyncIterator[Client]:
    """An engine that keeps a file, unlike the tests' common one, and a client whose calls leave traces."""
    server = TemporalServer(tmp_path / "engine", namespace=NAMESPACE)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    try:
        addresses = await server.start()
        client = await connect(addresses.address, NAMESPACE, keys, tracer=provider.get_tracer("phis"))
        await register_namespace_and_attributes(client)
        yield client
    finally:
        await server.stop()


def records(canary: Canaries) -> list[Json]:
    """A patient with a word in every text that records have, by the kinds of text."""
    patient = {"reference": "Patient/canary"}
    of = {"subject": patient}

    def made(kind: str, **more: Any) -> Json:
        return {"resourceType": kind, "id": "canary"} | more

    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{canary("narrative")}</div>'
    blob = canary("binary")
    packed = base64.b64encode(blob.encode()).decode()
    canary.also("binary", packed)
    return [
        made(
            "Patient", text={"status": "generated", "div": div}, name=[{"text": canary("patient-name")}],
            identifier=[
                {"system": "urn:example:mrn", "value": canary("record-number")},
                {"system": "http://www.mois.go.kr/rrn", "value": canary.resident_number()},
            ],
            telecom=[{"system": "phone", "value": canary.phone()}, {"system": "email", "value": canary("e-mail")}],
            address=[{"text": canary("patient-address")}], contact=[{"name": {"text": canary("contact-name")}}],
            extension=[{"url": "urn:example:more", "valueString": canary("extension")}], gender="female",
        ),
        made("RelatedPerson", patient=patient, name=[{"text": canary("related-name")}]),
        made(
            "Observation", status="final", code={"text": canary("observation-code")},
            note=[{"text": canary("observation-note")}], valueString=canary("observation-text-value"), **of,
        ),
        made("Observation", id="canary-concept", status="final", code={"text": "finding"},
             valueCodeableConcept={"text": canary("observation-concept-value")}, **of),
        made("Condition", code={"text": canary("condition")}, note=[{"text": canary("condition-note")}],
             clinicalStatus={"coding": [{"system": CLINICAL.replace("allergyintolerance", "condition"),
                                         "code": "resolved"}]},
             onsetString=canary("condition-onset"), abatementString=canary("condition-abatement"), **of),
        made("List", status="current", mode="working", title=canary("list-title"),
             note=[{"text": canary("list-note")}], **of),
        made("DocumentManifest", status="current", description=canary("manifest-description"), content=[patient]),
        made("ClinicalImpression", status="completed", summary=canary("impression"), **of),
        made("DiagnosticReport", status="final", code={"text": "report"}, conclusion=canary("conclusion"), **of),
        made("Communication", status="completed", payload=[{"contentString": canary("message")}], **of),
        made("ServiceRequest", status="active", intent="order", code={"text": canary("order")},
             patientInstruction=canary("instruction"), note=[{"text": canary("order-note")}], **of),
        made("MedicationRequest", status="active", intent="order", medicationCodeableConcept={"text": canary("drug")},
             dosageInstruction=[{"text": canary("dosage")}], **of),
        made("AllergyIntolerance", patient=patient, clinicalStatus=ACTIVE, code={"text": canary("allergy")},
             reaction=[{"manifestation": [{"text": canary("reaction")}], "description": canary("reaction-text")}]),
        made("QuestionnaireResponse", status="completed",
             item=[{"linkId": "1", "answer": [{"valueString": canary("answer")}]}], **of),
        made("DocumentReference", status="current", description=canary("document-description"),
             content=[{"attachment": {"contentType": "text/plain", "title": canary("attachment"), "data": packed}}]),
        made("Composition", status="final", type={"text": "note"}, date="2026-11-24", author=[patient],
             title=canary("composition-title"), section=[{"title": canary("section"), "entry": [patient]}]),
        made("Binary", contentType="text/plain", data=packed),
        made("Appointment", status="proposed", description=canary("appointment"), comment=canary("comment"),
             participant=[{"actor": patient, "status": "accepted"}]),
        made("Coverage", status="active", beneficiary=patient, payor=[{"display": canary("payer")}],
             subscriberId=canary("insured")),
        made("Location", name=canary("location-name"), description="no canary"),
    ]  # fmt: skip


async def _works_with_records(world: World, canary: Canaries, http: httpx.AsyncClient) -> None:
    """Writes, changes, deletes, finds, exports."""
    entries = [
        {"request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}, "resource": each}
        for each in records(canary)
    ]
    answer = await http.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 200, answer.text
    old = (await http.get("/ClinicalImpression/canary")).json()
    assert (await http.put("/ClinicalImpression/canary", json=old | {"summary": canary("second")})).status_code == 200
    assert (await http.delete("/ClinicalImpression/canary")).status_code == 204
    number = next(iter(canary.words["resident-number"])).decode()
    words = canary.words["observation-text-value"][0].decode()
    found = await http.get(f"/Observation?value-string={words[:9]}&_sort=value-string")
    assert found.json()["entry"][0]["resource"]["valueString"] == words
    for query in (f"name={canary('searched')}", f"identifier={number}", f"phone={canary('searched-phone')}"):
        assert (await http.get(f"/Patient?{query}")).status_code == 200
        assert (await http.post("/Patient/_search", data=dict([query.split("=")]))).status_code == 200
    await http.post("/Patient", content=canary("broken").encode(), headers={"Content-Type": "application/json"})
    await http.post("/Patient", json={"resourceType": "Patient", canary("unknown"): "x", "birthDate": canary("date")})
    export = {"Prefer": "respond-async", "Phis-Reason": canary("export-reason")}
    assert (await http.get("/$export", headers=export)).status_code == 202
    exporter = Exporter(world.desk.state)
    while await exporter.turn():
        pass


async def _works_as_person(world: World, canary: Canaries) -> None:
    """Signs in with passwords, codes and links, right and wrong; says why."""
    name = await world.person(Role.PHARMACIST, local="newcomer", password=None)
    word = f"{canary('password')}-7-long"
    answer = await world.browser().post(await world.link(name), data={"password": word})
    assert answer.status_code == 303, answer.text
    browser = world.browser()
    assert (await world.sign_in(browser, "newcomer", word)).status_code == 303
    canary.also("session", browser.cookies["phis"].partition(".")[2])
    await world.sign_in(world.browser(), "newcomer", canary("wrong-password"))
    secret = await world.with_factor(name)
    canary.also("second-factor", secret, base64.b32decode(secret))
    async with world.desk.state.database.transaction(world.hospital) as tx:
        canary.also("recovery-code", *await codes.renew_recovery_codes(tx, name))
        await glass.break_glass(
            tx, uuid4(), actor=name, patient=Reference("Patient/canary"), reason="other",
            words=canary("emergency-words"), now=world.clock(),
        )  # fmt: skip


async def _admits(world: World, canary: Canaries) -> None:
    """A process with a person's name and telephone at its beginning, to its end, through the engine."""
    desk, name = world.desk, canary("new-patient-name")
    encounter = (await desk.request(a_key(), name=name)).answer["encounter"]
    task = await until(lambda: desk.task_of(encounter))
    await desk.claim(a_key(), task)
    task = await until(lambda: desk.task_of(encounter))

    async def done() -> bool | None:
        with suppress(PhisError):
            await desk.complete(a_key(), task, desk.beds[0], revision=task.revision)
        return True

    await done()
    handle = desk.state.temporal.get_workflow_handle(task.workflow_id)
    assert await until(lambda: _phase(handle), AdmissionPhase.ADMITTED.value)


async def _phase(handle: Any) -> str | None:
    description = await handle.describe()
    found = [pair.value for pair in description.typed_search_attributes if pair.key.name == "PhisPhase"]
    return str(found[0]) if found else None


@pytest.mark.long
async def test_of_what_is_encrypted_no_file_knows_a_word(  # noqa: PLR0917  (fixtures)
    world: World, canaries: Canaries, urls: Urls, house: House, keys: KeyRing, temporal_client: Client,
    spans: InMemorySpanExporter, tmp_path: Path, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    state = world.desk.state
    async with state.database.transaction(world.hospital) as tx:
        token = await accounts.issue_token(tx, "canary", [], "system/*.cruds", world.clock() + timedelta(hours=1))
    canaries.also("token", token.partition(".")[2])
    for key in json.loads(house.keys).values() if house.keys.startswith("{") else house.keys.split(","):
        text = key.partition(":")[2] or key
        canaries.also("key", text, base64.b64decode(text + "=" * (-len(text) % 4)))
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(world.app, raise_app_exceptions=False),
        base_url=f"http://127.0.0.1/fhir/{world.hospital}", headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    async with http, build_worker(temporal_client, state.database, task_queue=state.task_queue):
        await _works_with_records(world, canaries, http)
        await _works_as_person(world, canaries)
        await _admits(world, canaries)
        numbers = (await world.browser().get("/metrics")).text
    hidden = canaries.words.keys() - READABLE
    in_database = await _told_by_postgres(urls, canaries)
    assert in_database >= READABLE, f"the test is blind for {sorted(READABLE - in_database)}"
    assert in_database & hidden == set(), "PostgreSQL's files know what is encrypted"
    engine = b"".join(path.read_bytes() for path in sorted((tmp_path / "engine").iterdir()))
    assert b"assign_bed" in engine, "the process left no history to look at"
    said = "".join(capfd.readouterr())
    traced = [span.to_json() for span in spans.get_finished_spans()]
    assert any("Admission" in each for each in traced)
    told = {"Temporal's files": engine, "logs": said.encode(), "metrics": numbers.encode()}
    told["traces"] = "".join(traced).encode()
    found = {where: canaries.found_in(content) for where, content in told.items()}
    print(f"{len(canaries.words)} kinds of text; in PostgreSQL's files: {', '.join(sorted(in_database))}")  # noqa: T201
    print("; ".join(f"in {where}: {', '.join(sorted(names)) or 'none'}" for where, names in found.items()))  # noqa: T201
    assert not any(found.values())


async def _told_by_postgres(urls: Urls, canary: Canaries) -> set[str]:
    """Which words stand in the tables' files, in the log of changes and in the server's own log."""
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute("checkpoint")
        row = await (await connection.execute(
            "select current_setting('data_directory'), oid::text from pg_database where datname = current_database()"
        )).fetchone()  # fmt: skip
    assert row is not None
    folder = Path(row[0])
    files = [*(folder / "base" / row[1]).iterdir(), *(folder / "pg_wal").iterdir(), *folder.parent.glob("*.log")]
    found: set[str] = set()
    for path in files:
        if path.is_file():
            found |= canary.found_in(path.read_bytes())
    return found
