"""Looking at a hospital's set-up: what applies now or at another instant, and how it came to that."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from api.caller import Caller
from api.commands.setup.shapes import entry_json, version_json
from api.commands.shapes import Instant
from api.deps import allow
from api.present import present
from api.state import State
from domain.setup.kinds import Kind
from domain.setup.timeline import applying, turns
from rules.access import Action
from store.setup import entries, policies

router = APIRouter(prefix="/commands/setup", tags=["set-up"])


@router.get("")
async def overview(state: State, caller: Annotated[Caller, allow(Action.READ_SETUP)]) -> dict[str, Any]:
    """Each table with how much applies now, what is planned and what waits; the packs that the hospital began with."""
    async with state.database.transaction(caller.hospital) as tx:
        now = (await present(tx, state)).now
        known = await entries.of_kinds(tx)
        asked = await policies.four_eyes(tx)
        packs = await policies.packs(tx)
    tables = []
    for kind in Kind:
        versions = [found for (of, _), found in known.items() if of is kind]
        current = [found for each in versions if (found := applying(each, now))]
        tables.append(
            {
                "kind": kind.value,
                "entries": len(current),
                "samples": sum(found.basis == "sample" for found in current),
                "planned": sum(len(turns(each, now)) for each in versions),
                "waiting": sum(one.state == "proposed" for each in versions for one in each),
                "four_eyes": kind in asked,
            }
        )
    return {"at": now.isoformat(), "tables": tables, "packs": [pack.model_dump(mode="json") for pack in packs]}


@router.get("/entries/{kind}")
async def list_entries(
    kind: Kind,
    state: State,
    caller: Annotated[Caller, allow(Action.READ_SETUP)],
    at: Instant | None = None,
    q: str = "",
) -> dict[str, Any]:
    """What applies at an instant, by code. q: part of a code or a name."""
    async with state.database.transaction(caller.hospital) as tx:
        instant = at or (await present(tx, state)).now
        found = await entries.at(tx, kind, instant)
    wanted = q.strip().casefold()
    listed = [entry_json(one) for one in found if not wanted or _mentions(entry_json(one), wanted)]
    return {"at": instant.isoformat(), "kind": kind.value, "entries": listed}


@router.get("/entries/{kind}/{code}")
async def read_entry(
    kind: Kind, code: str, state: State, caller: Annotated[Caller, allow(Action.READ_SETUP)]
) -> dict[str, Any]:
    """An entry with everything that was ever said of it, the latest first, and what applies now."""
    async with state.database.transaction(caller.hospital) as tx:
        now = (await present(tx, state)).now
        versions = await entries.versions(tx, kind, code)
    current = applying(versions, now)
    return {
        "kind": kind.value,
        "code": code,
        "last": versions[-1].version,
        "applies": version_json(current) if current else None,
        "versions": [version_json(one) for one in reversed(versions)],
    }


@router.get("/waiting")
async def list_waiting(state: State, caller: Annotated[Caller, allow(Action.READ_SETUP)]) -> dict[str, Any]:
    """What was proposed and waits for a second pair of eyes."""
    async with state.database.transaction(caller.hospital) as tx:
        found = await entries.waiting(tx)
    return {"waiting": [entry_json(one) for one in found]}


def _mentions(entry: dict[str, Any], wanted: str) -> bool:
    names = (entry["code"], entry["content"]["name_ko"], entry["content"]["name_en"])
    return any(wanted in name.casefold() for name in names)
