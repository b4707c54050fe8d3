"""Hospitals by the command line: made from a pack in seconds, listed, checked; each by itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.packs import reading
from adapters.packs.sizes import Size
from domain.errors import Conflict, Invalid
from domain.setup.kinds import Kind
from domain.setup.places import HospitalType
from runtime.cli.commands import app
from runtime.hospitals import creating
from runtime.hospitals.creating import NewHospital
from store import accounts, data_keys, records
from store.database import Database
from store.sealing import KeyRing
from store.setup import entries, policies
from tests.conftest import Urls
from tests.runtime.test_demo import url


@pytest.fixture
def phis(urls: Urls, keys: KeyRing, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("PHIS_DATABASE_URL", url(urls.app))
    monkeypatch.setenv("PHIS_DATABASE_SYSTEM_URL", url(urls.system))
    monkeypatch.setenv("PHIS_DATABASE_MIGRATE_URL", url(urls.migrate))
    monkeypatch.setenv("PHIS_KEYS", keys.text)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


async def run(phis: CliRunner, *arguments: str) -> tuple[int, str]:
    result = await asyncio.to_thread(phis.invoke, app, ["hospital", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


NAMES = ("--name-ko", "강의원", "--name-en", "River Clinic")


async def test_a_clinic_is_made_listed_and_checked(phis: CliRunner, database: Database) -> None:
    status, told = await run(phis, "create", "river", "--pack", "clinic", *NAMES, "--role", "physician")
    assert status == 0, told
    assert told.strip().splitlines()[-1].startswith("http://127.0.0.1:8000/setup/river.")
    async with database.transaction("river") as tx:
        (account,) = await accounts.accounts(tx)
        assert account.name == "administrator@river"
        assert account.roles == {"administrator", "physician"}
        assert len(await records.find(tx, "ActivityDefinition", 1000)) > 150
        assert (await policies.packs(tx))[0].size == "clinic"
    async with database.system() as system:
        assert (await data_keys.every(system))["river"]
    status, listed = await run(phis, "list")
    assert status == 0
    assert "River Clinic" in listed
    status, told = await run(phis, "check", "river", "--json")
    gaps = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert {gap["code"] for gap in gaps} == {"no-agency-number", "no-reception"}
    assert status == 1  # without its number the agencies take no claim
    status, told = await run(phis, "check", "river", "--language", "ko")
    assert "요양기관기호가 없습니다." in told
    assert "/setup/hospital" in told
    with pytest.raises(Conflict):
        await run(phis, "create", "river", "--pack", "clinic", *NAMES)


async def test_hospitals_of_one_installation_have_nothing_of_each_other(urls: Urls, database: Database) -> None:
    packs = {size: reading.read(reading.shipped(), size) for size in Size}
    for number, size in enumerate((Size.CLINIC, Size.GENERAL)):
        wanted = NewHospital(f"h{number}", f"병원{number}", f"Hospital {number}", HospitalType(size.value))
        assert await creating.create(urls.migrate, database, wanted, packs[size], by="test") > 1000
    async with database.transaction("h0") as tx:
        clinic = await entries.of_kinds(tx, [Kind.PLACE])
    async with database.transaction("h1") as tx:
        general = await entries.of_kinds(tx, [Kind.PLACE])
        names = [
            version.content for version in (await entries.of_kinds(tx, [Kind.HOSPITAL]))[Kind.HOSPITAL, "hospital"]
        ]
    assert (Kind.PLACE, "bed-5101-1") in general
    assert (Kind.PLACE, "bed-5101-1") not in clinic
    assert [name["name_en"] for name in names if name] == ["Hospital 1"]


async def test_own_places_come_instead_of_the_packs(urls: Urls, database: Database, tmp_path: Path) -> None:
    table = tmp_path / "places.csv"
    table.write_text("code,name_ko,name_en,kind,part_of\nsite,본원,Site,si,\nroom-1,1진료실,Room 1,ro,site\n", "utf-8")
    pack = reading.read(reading.shipped(), Size.CLINIC)
    wanted = NewHospital("river", "강의원", "River Clinic", HospitalType.CLINIC, places=table)
    await creating.create(urls.migrate, database, wanted, pack, by="test")
    async with database.transaction("river") as tx:
        assert {stored.reference for stored in await records.find(tx, "Location")} == {
            "Location/site",
            "Location/room-1",
        }
    table.write_text("code,name_ko,name_en,kind,part_of\nroom-1,1진료실,Room 1,ro,nowhere\n", "utf-8")
    other = NewHospital("lake", "호수의원", "Lake Clinic", HospitalType.CLINIC, places=table)
    with pytest.raises(Invalid, match="there is no place nowhere"):
        await creating.create(urls.migrate, database, other, pack, by="test")
    async with database.system() as system:
        assert "lake" not in {row["code"] for row in await system.all("select code from shared_hospital")}


async def test_a_code_that_cannot_lead_addresses_is_refused(phis: CliRunner) -> None:
    with pytest.raises(Invalid):
        await run(phis, "create", "River!", "--pack", "clinic", *NAMES, "--administrator", "a")
