"""What deserves a look by administrators and auditors, as JSON; the page of it is `api.ui.routes.security`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter

from api.accesses import accessed
from api.caller import Caller
from api.deps import allow
from api.state import AppState, State
from domain.manifest import AdvisoryState, ManifestState
from rules.access import Action
from store.audit import AuditAction
from store.data_keys import DataKey
from store.watching import Told, Watched, watched

router = APIRouter(prefix="/commands", tags=["security"])


@dataclass(frozen=True)
class Seen:
    """at: real time."""

    at: datetime
    watched: Watched
    files: ManifestState
    advisories: AdvisoryState | None


async def look(state: AppState, caller: Caller) -> Seen:
    """Everything at once; the look is noted, without the patients that it may name."""
    at = state.now()
    found = await watched(state.database, caller.hospital, at)
    async with state.database.transaction(caller.hospital) as tx:
        await accessed(tx, caller, AuditAction.QUERY, Action.SEE_SECURITY.value, at=at)
    return Seen(at, found, state.manifest(), state.advisories(at.date()))


@router.get("/security")
async def security(state: State, caller: Annotated[Caller, allow(Action.SEE_SECURITY)]) -> dict[str, Any]:
    """Lock-outs, refusals, mass reading, emergencies, exports; audit, keys, files and advisories as they stand."""
    seen = await look(state, caller)
    found = seen.watched
    return {
        "at": seen.at,
        "locked_out": [vars(each) for each in found.locked_out],
        "bursts": [vars(each) for each in found.bursts],
        "mass_reading": [vars(each) for each in found.many],
        "break_glass": [_told(each) for each in found.glass],
        "break_glass_open": found.glass_open,
        "exports": [_told(each) for each in found.exports],
        "audit": vars(found.chain),
        "keys": [_key(each) for each in found.keys],
        "resealing": [vars(each) for each in found.resealing],
        "files": vars(seen.files),
        "advisories": _advisories(seen.advisories),
        "cut_off": found.cut_off,
    }


def _told(each: Told) -> dict[str, Any]:
    line = each.line
    return {
        "at": line.recorded_at,
        "actor": line.actor,
        "outcome": line.outcome,
        "detail": line.detail,
        "patients": len(line.patients),
        "reason": each.reason,
    }


def _key(key: DataKey) -> dict[str, Any]:
    """Never what is wrapped."""
    return {
        "id": key.id,
        "master": key.master,
        "made_at": key.made_at,
        "current_from": key.current_from,
        "retired_at": key.retired_at,
    }


def _advisories(known: AdvisoryState | None) -> dict[str, Any] | None:
    if known is None:
        return None
    unmended = [{"package": package, "version": version, "id": id_} for package, version, id_ in known.unmended]
    return {
        "reviewed": known.reviewed,
        "age_days": known.age.days,
        "stale": known.stale,
        "known": known.known,
        "unmended": unmended,
    }
