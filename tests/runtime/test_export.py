"""What `phis export` writes, `phis load` takes: another hospital then says the same, to the digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Misconfigured
from domain.ids import Reference
from runtime import export as exporting
from runtime import load as loading
from store import audit
from store.database import Database
from store.fhir import reading
from store.sealing import KeyRing
from tests.conftest import Urls
from tests.runtime.test_cli import phis
from tests.runtime.test_demo import settings as settings_of

ORIGIN = "http://127.0.0.1"


async def export(database: Database, hospital: str, folder: Path, *types: str, since: str | None = None) -> int:
    return await exporting.export(
        database, hospital, folder, origin=ORIGIN, types=types, since=since, tell=lambda _: None
    )


async def load(database: Database, hospital: str, path: Path) -> loading.Report:
    return await loading.load(database, hospital, [path], origin=ORIGIN, tell=lambda _: None)


async def said(database: Database, hospital: str, reference: str) -> dict[str, Any]:
    async with database.transaction(hospital) as tx:
        found = await reading.read(tx, Reference(reference))
    return {} if found.deleted else {name: str(value) for name, value in found.body.items() if name != "meta"}


def write(path: Path, *texts: str) -> Path:
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


PATIENTS = [json.dumps({"resourceType": "Patient", "id": f"p{n}", "gender": "female"}) for n in range(3)]
WEIGHT = (
    '{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"체중"},'
    '"subject":{"reference":"Patient/p1"},"valueQuantity":{"value":72.50}}'
)


async def test_another_hospital_takes_everything_and_later_what_has_changed(
    database: Database, hospital: str, other_hospital: str, tmp_path: Path
) -> None:
    await load(database, hospital, write(tmp_path / "in.ndjson", *PATIENTS, WEIGHT))
    first = tmp_path / "first"
    assert await export(database, hospital, first) == 4
    manifest = json.loads((first / "manifest.json").read_text())
    (first / "manifest.json").unlink()
    assert {path.name for path in first.iterdir()} == {"Patient.ndjson", "Observation.ndjson"}
    assert {path.stat().st_mode & 0o077 for path in (first, *first.iterdir())} == {0}
    assert await load(database, other_hospital, first) == loading.Report(4, 0)
    assert await said(database, other_hospital, "Observation/o1") == await said(database, hospital, "Observation/o1")
    assert "72.50" in (await said(database, other_hospital, "Observation/o1"))["valueQuantity"]

    gone = {"request": {"method": "DELETE", "url": "Observation/o1"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [gone]}
    changed = PATIENTS[0].replace("female", "male")
    await load(database, hospital, write(tmp_path / "later.ndjson", changed, json.dumps(bundle)))
    second = tmp_path / "second"
    assert await export(database, hospital, second, since=manifest["transactionTime"]) == 1
    (second / "manifest.json").unlink()
    assert (await load(database, other_hospital, second)).failed == 0
    assert (await said(database, other_hospital, "Patient/p0"))["gender"] == "male"
    assert await said(database, other_hospital, "Observation/o1") == {}


async def test_the_audit_names_everybody_who_left(database: Database, hospital: str, tmp_path: Path) -> None:
    await load(database, hospital, write(tmp_path / "in.ndjson", *PATIENTS))
    await export(database, hospital, tmp_path / "out", "Patient")
    async with database.transaction(hospital) as tx:
        line = (await audit.read(tx))[0]
    assert (line.actor, line.action.value, len(line.patients)) == ("command-line", "export", 3)


@pytest.mark.parametrize(("types", "since"), [(("Nothing",), None), ((), "soon")])
async def test_what_cannot_be_written_is_said_at_once(
    database: Database, hospital: str, tmp_path: Path, types: tuple[str, ...], since: str | None
) -> None:
    with pytest.raises(Misconfigured):
        await export(database, hospital, tmp_path / "out", *types, since=since)


async def test_the_command_says_how_much_it_wrote(
    database: Database, hospital: str, urls: Urls, keys: KeyRing, tmp_path: Path
) -> None:
    await load(database, hospital, write(tmp_path / "in.ndjson", *PATIENTS))
    given = settings_of(urls, keys)
    names = ("database_url", "database_system_url", "keys")
    environment = {f"PHIS_{name.upper()}": getattr(given, name).get_secret_value() for name in names}
    told = phis("export", "--hospital", hospital, str(tmp_path / "out"), cwd=tmp_path, **environment)
    assert (told.returncode, told.stdout) == (0, "")
    assert told.stderr.splitlines()[-1] == f"3 resources written into {tmp_path / 'out'}."


async def test_a_folder_with_something_in_it_is_left_alone(database: Database, hospital: str, tmp_path: Path) -> None:
    write(tmp_path / "mine.txt", "x")
    with pytest.raises(Misconfigured, match="not empty"):
        await export(database, hospital, tmp_path)
