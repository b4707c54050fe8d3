"""`phis keys`: what seals what is told, a rotation is announced, and a key goes when nothing is left of it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from psycopg import AsyncConnection
from typer.testing import CliRunner

from runtime import resealing as background
from runtime.cli.commands import app
from store import data_keys
from store.database import Database
from store.sealing import KeyRing
from tests.conftest import House, Urls
from tests.store.search import ward


@pytest.fixture
def phis(urls: Urls, house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHIS_DATABASE_URL", _url(urls.app))
    monkeypatch.setenv("PHIS_DATABASE_SYSTEM_URL", _url(urls.system))
    monkeypatch.setenv("PHIS_KEYS", house.keys)


def _url(conninfo: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(conninfo)
    return (
        f"postgresql://{parts['user']}:{parts['password']}@/{parts['dbname']}?host={parts['host']}&port={parts['port']}"
    )


def said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["keys", *arguments])
    assert (result.exit_code, result.exception if code == 0 else None) == (code, None), result.output
    return result.output


def test_without_a_command_a_fresh_ring_is_printed() -> None:
    assert KeyRing.parse(said()).text != KeyRing.parse(said()).text


@pytest.mark.usefixtures("phis")
async def test_a_rotation_from_the_announcement_to_the_end_of_the_earlier_key(
    database: Database, urls: Urls, hospital: str, keys: KeyRing, now: datetime
) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    before = await asyncio.to_thread(said, "status")
    assert f"  {keys.current}: " in before
    assert "in resource.body" in before
    line = await asyncio.to_thread(said, "rotate")
    new = line.split()[1]
    assert new.startswith("d.")
    assert "seals from" in await asyncio.to_thread(said, "status", "--hospital", hospital)
    assert "not in use everywhere yet" in await asyncio.to_thread(said, "reseal")
    async with await AsyncConnection.connect(urls.migrate, autocommit=True) as connection:
        await connection.execute("update data_key set current_from = made_at - interval '1 hour' where id = %s", [new])
    await asyncio.to_thread(said, "reseal")
    status = await asyncio.to_thread(said, "status")
    assert f"  {new} (wrapped by {keys.current}) seals: " in status
    assert f"{keys.current} (of the ring)" not in status, "a key of the ring is let go of by itself"
    assert "1 data keys" not in await asyncio.to_thread(said, "rewrap")
    result = await asyncio.to_thread(CliRunner().invoke, app, ["keys", "retire", new, "--hospital", hospital])
    assert "rotate first" in str(result.exception)


@pytest.mark.usefixtures("phis")
async def test_a_hospital_without_records_waits_for_its_key_too_and_finds_what_comes_meanwhile(
    database: Database, hospital: str, keys: KeyRing, now: datetime
) -> None:
    """Servers may run, and somebody may write the first record while the key is announced."""
    new = (await asyncio.to_thread(said, "rotate")).split()[1]
    async with database.system() as tx:
        listed = (await data_keys.every(tx))[hospital]
    assert [key.id for key in listed if key.from_ring] == list(keys.keys)
    (made,) = [key for key in listed if key.id == new]
    assert made.current_from - made.made_at == data_keys.AHEAD
    await database.know_keys()
    async with database.transaction(hospital) as tx:
        # What is written meanwhile is sealed by the ring, and still found when the new key seals.
        assert tx.keys.sealing(hospital) == keys.current
        assert set(tx.keys.searching(hospital)) == {*keys.keys, new}


async def test_servers_seal_anew_by_themselves(database: Database, hospital: str, now: datetime) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    async with database.system() as tx:
        await data_keys.announce(tx, hospital, ahead=-data_keys.AHEAD)
    await database.know_keys()
    async with database.system() as tx:
        keys = (await data_keys.every(tx))[hospital]
    assert background.changing(keys)
    assert await background.reseal(database, hospital) > 0
    async with database.system() as tx:
        keys = (await data_keys.every(tx))[hospital]
    assert not background.changing(keys)
    assert await background.reseal(database, hospital) == 0
