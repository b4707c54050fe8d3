"""`phis load`: what files hold stands in the records afterwards, and what is refused is told with its place."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Misconfigured
from domain.ids import Reference
from runtime import load as loading
from runtime.load import Report
from store import audit, records
from store.database import Database
from store.fhir import reading
from store.sealing import KeyRing
from tests.conftest import Urls
from tests.desk import Desk, a_key
from tests.runtime.test_cli import phis
from tests.runtime.test_demo import settings as settings_of

Json = dict[str, Any]
ORIGIN = "http://127.0.0.1"
ONE, TWO = "urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:22222222-2222-4222-8222-222222222222"


class Loader:
    """Writes files, loads them, and keeps what was said."""

    def __init__(self, database: Database, hospital: str, folder: Path) -> None:
        self.database, self.hospital, self.folder = database, hospital, folder
        self.said: list[str] = []

    def write(self, name: str, *resources: Json | str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in resources))
        return path

    async def load(self, *paths: Path) -> Report:
        return await loading.load(self.database, self.hospital, paths, origin=ORIGIN, tell=self.said.append)

    @property
    def refusals(self) -> list[str]:
        return [said.removeprefix(f"{self.folder}/") for said in self.said if not said.endswith(" kept")]

    async def read(self, reference: str) -> Json:
        async with self.database.transaction(self.hospital) as tx:
            return (await reading.read(tx, Reference(reference))).body

    async def all_of(self, kind: str) -> list[Json]:
        async with self.database.transaction(self.hospital) as tx:
            return [found.body for found in await records.find(tx, kind)]


@pytest.fixture
def loader(database: Database, hospital: str, tmp_path: Path) -> Loader:
    return Loader(database, hospital, tmp_path)


def patient(**more: Any) -> Json:
    return {"resourceType": "Patient", "gender": "female", **more}


def bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def post(resource: Json, full_url: str = "") -> Json:
    made: Json = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return made | ({"fullUrl": full_url} if full_url else {})


def weight(subject: str, **more: Any) -> Json:
    code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
    return {"resourceType": "Observation", "status": "final", "code": code, "subject": {"reference": subject}, **more}


async def test_lines_keep_their_ids_and_digits(loader: Loader) -> None:
    text = json.dumps(weight("Patient/p1", id="o1", valueQuantity={"value": 0})).replace(": 0}", ": 72.50}")
    assert await loader.load(loader.write("all.ndjson", patient(id="p1"), "", text)) == Report(2, 0)
    kept = await loader.read("Observation/o1")
    assert str(kept["valueQuantity"]["value"]) == "72.50"
    assert isinstance(kept["valueQuantity"]["value"], Decimal)
    assert kept["subject"] == {"reference": "Patient/p1"}


async def test_loading_again_amends_and_keeps_the_history(loader: Loader) -> None:
    await loader.load(loader.write("one.ndjson", patient(id="p1")))
    await loader.load(loader.write("two.ndjson", patient(id="p1", active=True), patient(id="p1", active=False)))
    kept = await loader.read("Patient/p1")
    assert (kept["active"], kept["meta"]["versionId"]) == (False, "3")


async def test_a_broken_line_is_told_and_the_rest_goes_on(loader: Loader) -> None:
    path = loader.write(
        "all.ndjson", patient(id="p1"), "{", patient(id="p2", gender="unheard-of"), "[]", patient(id="p3")
    )
    assert await loader.load(path) == Report(2, 3)
    assert [said.partition(": ")[2].partition(":")[0] for said in loader.refusals] == ["line 2", "line 4", "line 3"]
    assert any(said.startswith("all.ndjson: line 3: gender: ") for said in loader.refusals)
    assert {found["id"] for found in await loader.all_of("Patient")} == {"p1", "p3"}


async def test_a_transaction_is_kept_whole_with_its_references(loader: Loader) -> None:
    path = loader.write("t.json", bundle("transaction", post(weight(ONE)), post(patient(), ONE)))
    assert await loader.load(path) == Report(2, 0)
    (person,), (measured,) = await loader.all_of("Patient"), await loader.all_of("Observation")
    assert measured["subject"] == {"reference": f"Patient/{person['id']}"}


async def test_a_transaction_with_one_wrong_entry_leaves_nothing(loader: Loader) -> None:
    path = loader.write("t.json", bundle("transaction", post(patient(), ONE), post(weight(ONE, status="finished"))))
    assert await loader.load(path) == Report(0, 1)
    assert loader.refusals[0].startswith("t.json: entry[1].status: ")
    assert await loader.all_of("Patient") == []


async def test_a_batch_is_each_entry_for_itself(loader: Loader) -> None:
    path = loader.write("b.json", bundle("batch", post(patient()), post(patient(gender="none")), post(patient())))
    assert await loader.load(path) == Report(2, 1)
    assert loader.refusals[0].startswith("b.json: entry[1]: gender: ")


async def test_a_collection_keeps_what_its_resources_say_of_each_other(loader: Loader) -> None:
    entries: list[Json] = [
        {"fullUrl": TWO, "resource": weight(ONE)},
        {"fullUrl": ONE, "resource": patient()},
        {"fullUrl": "https://elsewhere.example/Patient/p9", "resource": patient(id="p9")},
        {"resource": weight(f"{ONE[:-1]}9")},
        {},
    ]
    assert await loader.load(loader.write("c.json", bundle("collection", *entries))) == Report(3, 2)
    (measured,) = await loader.all_of("Observation")
    subject = measured["subject"]["reference"]
    assert (await loader.read(subject))["gender"] == "female"
    assert (await loader.read("Patient/p9"))["id"] == "p9"


async def test_a_bundle_may_name_what_a_later_file_brings(loader: Loader) -> None:
    author = {"resourceType": "Practitioner", "id": "d1", "identifier": [{"system": "urn:x", "value": "7"}]}
    named = {"reference": "Practitioner?identifier=urn:x|7"}
    first = loader.write("a.json", bundle("transaction", post(weight("Patient/p1", performer=[named]))))
    line = loader.write("b.ndjson", weight("Patient/p1", id="o2", performer=[named]))
    assert await loader.load(first, line, loader.write("c.json", author)) == Report(3, 0)
    performers = [found["performer"] for found in await loader.all_of("Observation")]
    assert performers == [[{"reference": "Practitioner/d1"}]] * 2


async def test_what_nothing_brings_is_refused_in_the_end(loader: Loader) -> None:
    named = {"reference": "Practitioner?identifier=urn:x|8"}
    path = loader.write("a.ndjson", patient(id="p1", generalPractitioner=[named]), patient(id="p2"))
    assert await loader.load(path) == Report(1, 1)
    assert loader.refusals == [
        "a.ndjson: line 1: generalPractitioner[0].reference: the condition of a reference names nothing"
    ]


async def test_a_folder_is_read_by_name_and_other_files_are_left(loader: Loader) -> None:
    loader.write("b.json", patient(id="p1", active=True))
    loader.write("a.ndjson", patient(id="p1", active=False))
    loader.write("notes.txt", "no resource")
    assert await loader.load(loader.folder) == Report(2, 0)
    assert (await loader.read("Patient/p1"))["active"] is True


@pytest.mark.parametrize("name", ["missing.json", "notes.txt", ""])
async def test_what_cannot_be_loaded_is_said_at_once(loader: Loader, name: str) -> None:
    loader.write("notes.txt", "no resource")
    with pytest.raises(Misconfigured):
        await loader.load(loader.folder / name)


async def test_many_lines_are_few_transactions_with_an_audit_row_each(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "AT_ONCE", 4)
    path = loader.write("all.ndjson", *(patient(id=f"p{number}") for number in range(10)))
    assert await loader.load(path) == Report(10, 0)
    async with loader.database.transaction(loader.hospital) as tx:
        rows = await audit.read(tx)
    assert sorted(len(row.entities) for row in rows) == [2, 4, 4]
    assert {(row.actor, row.detail) for row in rows} == {("command-line", "fhir/load")}


async def test_state_that_a_process_owns_is_refused_like_over_http(loader: Loader, desk: Desk) -> None:
    asked = await desk.request(a_key())
    encounter = asked.answer["encounter"]
    body = await loader.read(encounter)
    path = loader.write("e.ndjson", json.dumps(body | {"status": "finished"}, default=str), patient(id="p1"))
    assert await loader.load(path) == Report(1, 1)
    assert "line 1: status" in loader.refusals[0]
    assert await desk.status(encounter) == body["status"]


async def test_the_command_says_what_it_did_and_fails_when_something_was_refused(
    loader: Loader, urls: Urls, keys: KeyRing
) -> None:
    given = settings_of(urls, keys)
    names = ("database_url", "database_system_url", "keys")
    environment = {f"PHIS_{name.upper()}": getattr(given, name).get_secret_value() for name in names}
    path = loader.write("all.ndjson", patient(id="p1"), "{}")
    told = phis("load", "--hospital", loader.hospital, str(path), cwd=loader.folder, **environment)
    assert told.stderr.splitlines()[-1] == "1 kept, 1 refused."
    assert (told.returncode, told.stdout) == (1, "")
    told = phis("load", "--hospital", "nowhere", str(path), cwd=loader.folder, **environment)
    assert (told.returncode, "There is no hospital nowhere" in told.stderr) == (2, True)
