"""Sets the demo hospitals up: made from packs like every hospital, then accounts and a handful of patients."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from adapters.packs import reading
from runtime.demo import patients, staff
from runtime.demo.hospitals import HOSPITALS
from runtime.hospitals.creating import NewHospital, create, size_of
from runtime.settings import Settings
from store import accounts, audit, records, sign_ins
from store.care import standing
from store.clocks import clock_of
from store.database import Database, Transaction
from store.sealing import KeyRing
from store.setup import policies
from store.sign_ins import SecondFactorRule

ACTOR = "demo"


async def furnish(settings: Settings, password: str) -> None:
    """Make what is missing; every demo account gets `password`. Needs the migrating role for the list of hospitals."""
    settings.require("database_migrate_url")
    keys = KeyRing.parse(settings.keys.get_secret_value())
    app, system = settings.database_url.get_secret_value(), settings.database_system_url.get_secret_value()
    async with Database.open(app, system, keys, app_size=2, system_size=1) as database:
        for wanted in HOSPITALS:
            await _made(settings, database, wanted)
            async with database.transaction(wanted.code) as tx:
                # A hospital that is shown, not one with patients: everybody comes in with the one printed password.
                await sign_ins.set_rule(tx, SecondFactorRule.NOBODY)
                await _accounts(tx, password)
        async with database.transaction("hanbit") as tx:
            await _records(tx)


async def _made(settings: Settings, database: Database, wanted: NewHospital) -> None:
    """As `phis hospital create` makes one; one that is made is left as it is."""
    async with database.transaction(wanted.code) as tx:
        if await policies.packs(tx):
            return
    pack = reading.read(reading.shipped(), size_of(wanted.type))
    migrate_url = settings.database_migrate_url.get_secret_value()
    await create(migrate_url, database, wanted, pack, by=ACTOR, alone=True)


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
    known = {stored.reference for stored in await records.find(tx, "Patient", limit=1000)}
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
