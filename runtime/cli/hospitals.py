"""What `phis hospital` does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adapters.packs.sizes import Size
from api.commands.setup.standing import gap_json, standing
from domain.roles import Role
from domain.setup.gaps import Gap, Standing, gaps
from domain.setup.places import HospitalType, PlaceKind
from runtime.cli import packs
from runtime.cli.database import opened, reachable_settings, tell
from runtime.cli.people import ACTOR, full_name, in_hospital, note
from runtime.hospitals import creating
from runtime.hospitals.creating import NewHospital
from store import accounts, hospitals, sign_ins
from store.audit import AuditAction
from store.clocks import clock_of
from store.database import Transaction
from store.setup import policies


@dataclass(frozen=True)
class Wish:
    """A hospital as the command line asks for it."""

    code: str
    pack: Size
    name_ko: str
    name_en: str
    type: str | None
    agency_number: str
    administrator: str
    roles: Sequence[Role]
    places: Path | None


def create(wish: Wish, folder: Path | None, trust: Path | None, data_dir: Path | None) -> None:
    name = full_name(wish.administrator, wish.code)
    settings = reachable_settings(data_dir).require("database_migrate_url")
    pack = packs.read(folder, wish.pack, trust)
    kind = HospitalType(wish.type or wish.pack.value)
    wanted = NewHospital(
        wish.code, wish.name_ko, wish.name_en, kind, agency_number=wish.agency_number, places=wish.places
    )

    async def act() -> tuple[int, str]:
        async with opened(settings) as database:
            count = await creating.create(
                settings.database_migrate_url.get_secret_value(), database, wanted, pack, by=ACTOR
            )
        async with in_hospital(settings, wish.code) as (tx, now):
            await accounts.create_account(
                tx,
                name=name,
                display_ko="관리자",
                display_en="Administrator",
                roles={Role.ADMINISTRATOR, *wish.roles},
                password_hash="",  # nothing matches it: the person chooses one
            )
            await note(tx, now, AuditAction.CREATE, f"account/created:{name}")
            return count, await sign_ins.make_link(tx, name, now)

    count, secret = asyncio.run(act())
    made = pack.manifest
    tell(f"{wish.code} is made of {made.name} {made.version} ({wish.pack}): {count} entries.")
    tell(f"{name} chooses a password within 24 hours, once, at:")
    print(f"{settings.origin}/setup/{secret}")  # noqa: T201  (scripts read the last line of standard output)


def show(data_dir: Path | None) -> None:
    settings = reachable_settings(data_dir)

    async def act() -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for head in ("code", "name", "type", "pack", "beds", "accounts", "stops"):
            table.add_column(head, overflow="fold")
        async with opened(settings) as database:
            async with database.system() as system:
                known = await hospitals.all_of_them(system)
            for each in known:
                async with database.transaction(each.code) as tx:
                    there = await _standing(tx)
                    taken = await policies.packs(tx)
                beds = sum(place.kind is PlaceKind.BED for place in there.places.values())
                table.add_row(
                    each.code,
                    f"{each.name_ko} ({each.name_en})",
                    each.kind,
                    ", ".join(f"{pack.name} {pack.version}" for pack in taken) or "none",
                    str(beds),
                    str(len(there.people)),
                    str(sum(gap.stops for gap in gaps(there))),
                )
        return table

    Console().print(asyncio.run(act()))


def check(hospital: str, language: str, data_dir: Path | None, *, as_json: bool) -> int:
    """Returns the exit code: 1 when a process must not start."""
    settings = reachable_settings(data_dir)

    async def act() -> list[Gap]:
        async with in_hospital(settings, hospital) as (tx, _):
            return gaps(await _standing(tx))

    found = asyncio.run(act())
    console = Console(soft_wrap=True)
    for gap in found:
        if as_json:
            print(json.dumps(gap_json(gap), ensure_ascii=False))  # noqa: T201  (for programs)
            continue
        mark = "stops" if gap.stops else "hinders"
        where = f"{settings.origin}{gap.page}"
        line = f"{mark} {gap.process}: {gap.sentence(language)} [{gap.code}] {where}"
        console.print(line, highlight=False, markup=False)
    if not found:
        tell("Nothing is lacking.")
    return 1 if any(gap.stops for gap in found) else 0


async def _standing(tx: Transaction) -> Standing:
    return await standing(tx, (await clock_of(tx)).at(datetime.now(UTC)))
