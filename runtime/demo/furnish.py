"""Sets the demo hospitals up in the store: hospitals, accounts, places, a handful of patients."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from domain.ids import Reference
from runtime.demo import beds, patients, staff
from runtime.settings import Settings
from store import accounts, audit, data_keys, hospitals, records, resealing, sign_ins
from store.care import standing
from store.clocks import clock_of
from store.database import Database, Transaction
from store.sealing import KeyRing
from store.sign_ins import SecondFactorRule

ACTOR = "demo"


async def furnish(settings: Settings, password: str) -> None:
    """Make what is missing; every demo account gets `password`. Needs the migrating role for the list of hospitals."""
    settings.require("database_migrate_url")
    for code, name_ko, name_en, kind in beds.HOSPITALS:
        migrate_url = settings.database_migrate_url.get_secret_value()
        await hospitals.create(migrate_url, code=code, name_ko=name_ko, name_en=name_en, kind=kind)
    keys = KeyRing.parse(settings.keys.get_secret_value())
    app, system = settings.database_url.get_secret_value(), settings.database_system_url.get_secret_value()
    async with Database.open(app, system, keys, app_size=2, system_size=1) as database:
        for code, *_ in beds.HOSPITALS:
            await _data_key(database, code)
            async with database.transaction(code) as tx:
                # A hospital that is shown, not one with patients: everybody comes in with the one printed password.
                await sign_ins.set_rule(tx, SecondFactorRule.NOBODY)
                await _accounts(tx, password)
        async with database.transaction("hanbit") as tx:
            await _records(tx)


async def _data_key(database: Database, hospital: str) -> None:
    """The hospital's first data key, which seals from now on: nothing of it is sealed, and no server runs yet."""
    async with database.transaction(hospital) as tx:
        empty = not await resealing.counted(tx)
    async with database.system() as system:
        if empty and hospital not in await data_keys.every(system):
            await data_keys.announce(system, hospital, ahead=timedelta(), empty=True)
    await database.know_keys()


async def _accounts(tx: Transaction, password: str) -> None:
    members = [member for member in staff.members() if member.hospital == tx.hospital]
    for member in members:
        if places := staff.places_of(member):
            await standing.place(tx, member.name, places=places)
    known = {account.name: account for account in await accounts.accounts(tx)}
    hasher = PasswordHash((Argon2Hasher(),))
    # One hash for all: each takes a twentieth of a second by design. A data folder of another machine may have set
    # another password.
    present = [known[member.name].password_hash for member in members if member.name in known]
    fits = bool(present) and len(set(present)) == 1 and await asyncio.to_thread(hasher.verify, password, present[0])
    if fits and len(present) == len(members):
        return
    hashed = present[0] if fits else await asyncio.to_thread(hasher.hash, password)
    for member in members:
        if member.name not in known:
            await accounts.create_account(
                tx,
                name=member.name,
                display_ko=member.display_ko,
                display_en=member.display_en,
                roles=member.roles,
                password_hash=hashed,
            )
        elif not fits:
            await accounts.change_password(tx, member.name, hashed)


async def _records(tx: Transaction) -> None:
    real = datetime.now(UTC)
    now = (await clock_of(tx)).at(real)
    kept = [*await records.find(tx, "Location", limit=1000), *await records.find(tx, "Patient", limit=1000)]
    known = {stored.reference for stored in kept}
    for id_, place in beds.places():
        if Reference.to("Location", id_) not in known:
            await records.create(tx, place, id=id_, now=now)
    for reference, body in patients.resources():
        if reference not in known:
            await records.create(tx, body, id=reference.id, now=now)
            await audit.record(
                tx,
                action=audit.AuditAction.CREATE,
                actor=ACTOR,
                entities=[reference],
                patients=[reference],
                detail="demo",
                at=real,
            )
