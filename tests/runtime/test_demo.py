"""The demo hospitals: everybody is there, and setting them up again changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from adapters.fhir import locations
from api.commands.setup.standing import standing
from domain.ids import Reference
from domain.ownership import SETUP
from domain.roles import Role
from domain.setup.gaps import gaps
from domain.setup.kinds import Kind
from domain.setup.places import HOSPITAL
from runtime.demo.furnish import furnish
from runtime.demo.patients import PATIENTS
from runtime.demo.staff import account_names, members
from runtime.settings import Settings
from store import accounts, audit, hospitals, records
from store.database import Database
from store.sealing import KeyRing
from store.setup import entries
from tests.conftest import Urls

HASHER = PasswordHash((Argon2Hasher(),))


def settings(urls: Urls, keys: KeyRing) -> Settings:
    return Settings.model_validate(
        {
            "database_url": url(urls.app),
            "database_system_url": url(urls.system),
            "database_migrate_url": url(urls.migrate),
            "keys": keys.text,
        }
    )


def url(conninfo: str) -> str:
    """libpq's other spelling, which a setting requires."""
    parts = conninfo_to_dict(conninfo)
    return f"postgresql://{parts['user']}:{quote(str(parts['password']))}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def test_there_is_one_account_for_every_role() -> None:
    assert {f"{role}@hanbit" for role in Role} == {name for name in account_names() if name.endswith("@hanbit")}
    assert all(member.display_ko.startswith("시연 ") for member in members())


async def test_setting_up_twice_is_setting_up_once_and_nothing_is_lacking(
    urls: Urls, keys: KeyRing, database: Database
) -> None:
    await furnish(settings(urls, keys), "first-password")
    before = await everything(database)
    await furnish(settings(urls, keys), "first-password")
    assert await everything(database) == before
    assert before["hospitals"] == ["hanbit", "saebom"]
    assert len(before["accounts"]) == len(account_names())
    assert len(before["patients"]) == len(PATIENTS)
    wards = {place.partition("/v")[0] for place in before["places"] if place.startswith("Location/ward-")}
    assert wards == {"Location/ward-10/1", "Location/ward-51/1", "Location/ward-61/1", "Location/ward-71/1"}

    for code in ("hanbit", "saebom"):
        async with database.transaction(code) as tx:
            assert gaps(await standing(tx, datetime.now(UTC))) == []
            assert {version.code for version in await entries.at(tx, Kind.HOSPITAL, datetime.now(UTC))} == {HOSPITAL}


async def test_a_new_password_is_set_for_everybody(urls: Urls, keys: KeyRing, database: Database) -> None:
    await furnish(settings(urls, keys), "first-password")
    await furnish(settings(urls, keys), "second-password")
    async with database.transaction("saebom") as tx:
        doctor = await accounts.account(tx, "doctor@saebom")
    assert HASHER.verify("second-password", doctor.password_hash)
    assert not HASHER.verify("first-password", doctor.password_hash)


async def test_a_folder_of_an_older_release_keeps_its_places_and_gets_the_pack(
    urls: Urls, keys: KeyRing, database: Database
) -> None:
    await hospitals.create(urls.migrate, code="hanbit", name_ko="한빛", name_en="Hanbit", kind="tertiary")
    old = locations.ward("51병동 (내과)", alias="Ward 51 (medicine)")
    async with database.transaction("hanbit") as tx:
        await records.create(tx, old, id="ward-51", now=datetime.now(UTC))
    await furnish(settings(urls, keys), "first-password")
    async with database.transaction("hanbit") as tx:
        ward = await records.read(tx, Reference("Location/ward-51"))
    assert (ward.version, ward.owner, ward.body["name"]) == (2, SETUP, "51병동 (내과)")


async def test_the_audit_says_who_registered_the_patients(urls: Urls, keys: KeyRing, database: Database) -> None:
    await furnish(settings(urls, keys), "first-password")
    async with database.transaction("hanbit") as tx:
        lines = await audit.read(tx, 100)
    about_patients = [line for line in lines if line.patients]
    assert {(line.actor, line.action, line.patients[0]) for line in about_patients} == {
        ("demo", audit.AuditAction.CREATE, person.reference) for person in PATIENTS
    }


async def everything(database: Database) -> dict[str, list[str]]:
    async with database.transaction("saebom") as tx:
        names = [account.name for account in await accounts.accounts(tx)]
    async with database.transaction("hanbit") as tx:
        return {
            "hospitals": [hospital.code for hospital in await hospitals.all_of_them(tx)],
            "accounts": names + [account.name for account in await accounts.accounts(tx)],
            "places": [f"{kept.reference}/{kept.version}" for kept in await records.find(tx, "Location", 1000)],
            "patients": [f"{kept.reference}/{kept.version}" for kept in await records.find(tx, "Patient", 1000)],
        }
