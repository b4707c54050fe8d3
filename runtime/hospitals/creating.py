"""Making a hospital from a pack. What stops in the middle goes on where it stopped, and a hospital is made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.packs import reading
from adapters.packs.reading import Pack
from adapters.packs.sizes import Size
from api.commands.setup.keeping import Author, Change, Set
from domain.errors import Conflict, Invalid
from domain.setup import whole
from domain.setup.contents import content_of
from domain.setup.kinds import Basis, Kind
from domain.setup.places import HOSPITAL, HospitalType
from domain.setup.rows import Wanted
from store import audit, data_keys, hospitals, resealing
from store.audit import AuditAction
from store.clocks import clock_of
from store.database import Database, Transaction
from store.setup import policies
from store.setup.policies import TakenPack

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""What a pack says without a day has always been so: a hospital's clock may show any time."""


@dataclass(frozen=True)
class NewHospital:
    """`places`: a table of the hospital's own places, instead of the pack's."""

    code: str
    name_ko: str
    name_en: str
    type: HospitalType
    agency_number: str = ""
    phone: str = ""
    address: str = ""
    places: Path | None = None


async def create(
    migrate_url: str, database: Database, wanted: NewHospital, pack: Pack, *, by: str, alone: bool = False
) -> int:
    """Make a hospital and take the pack for it; gives how many entries it has. `migrate_url`: signs in as phis_migrate.

    alone: no server runs yet, so that the hospital's first data key may seal at once.

    Raises Conflict for a hospital that took a pack before, Invalid for a place or a name that cannot be.
    """
    described = _described(wanted)
    entries = [described, *(pack.entries if wanted.places is None else _with_places(pack.entries, wanted.places))]
    if lacks := whole.lacking(entries):
        raise Invalid(f"{lacks[0].kind} {lacks[0].code}: {lacks[0].reason}", field=lacks[0].field)
    async with database.transaction(wanted.code) as tx:
        if await policies.packs(tx):
            raise Conflict("this hospital was made before", hospital=wanted.code)
    await hospitals.create(
        migrate_url, code=wanted.code, name_ko=wanted.name_ko, name_en=wanted.name_en, kind=wanted.type.value
    )
    await _data_key(database, wanted.code, alone=alone)
    async with database.transaction(wanted.code) as tx:
        await _take(tx, entries, pack, by)
    return len(entries)


async def _take(tx: Transaction, entries: Sequence[Wanted], pack: Pack, by: str) -> None:
    real = datetime.now(UTC)
    now = (await clock_of(tx)).at(real)
    setup = await Set.taken(tx, now)
    changes = [
        Change(one.kind, one.code, one.content, one.since or ALWAYS, one.until, one.basis, one.source)
        for one in entries
    ]
    made = pack.manifest
    reason = f"{made.name} {made.version}, {pack.size}"
    await setup.keep(changes, Author(by, reason, skips_four_eyes=True), backdated=True)
    taken = TakenPack(
        name=made.name,
        version=made.version,
        size=pack.size.value,
        publisher=made.publisher,
        key=made.key,
        entries=len(entries),
        taken_by=by,
        taken_at=now,
    )
    await policies.took(tx, taken)
    detail = f"setup-pack/{made.name}/{made.version}"
    await audit.record(tx, action=AuditAction.CREATE, actor=by, detail=detail, at=real, found=len(entries))


async def _data_key(database: Database, hospital: str, *, alone: bool) -> None:
    """The hospital's first data key. Servers that run learn of it before it seals; until then the ring's key does."""
    async with database.transaction(hospital) as tx:
        empty = not await resealing.counted(tx)
    async with database.system() as system:
        if hospital not in await data_keys.every(system):
            if alone and empty:
                await data_keys.announce(system, hospital, ahead=timedelta(), empty=True)
            else:
                await data_keys.announce(system, hospital)
    await database.know_keys()


def _described(wanted: NewHospital) -> Wanted:
    raw = {
        "name_ko": wanted.name_ko,
        "name_en": wanted.name_en,
        "type": wanted.type.value,
        "agency_number": wanted.agency_number,
        "phone": wanted.phone,
        "address": wanted.address,
    }
    content = content_of(Kind.HOSPITAL, raw)
    return Wanted(0, Kind.HOSPITAL, HOSPITAL, content, None, None, Basis.OWN, "")


def _with_places(entries: Sequence[Wanted], table: Path) -> list[Wanted]:
    try:
        content = table.read_bytes()
    except OSError as refused:
        raise Invalid(f"{table} cannot be read ({refused.strerror})", field=table.name) from None
    places = reading.of_table(Kind.PLACE, content, None, table.name)
    return [*(one for one in entries if one.kind is not Kind.PLACE), *places]


def size_of(kind: HospitalType) -> Size:
    """The pack that fits a type of hospital."""
    return {HospitalType.TERTIARY: Size.TERTIARY, HospitalType.CLINIC: Size.CLINIC}.get(kind, Size.GENERAL)
