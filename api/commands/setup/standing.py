"""What a hospital's set-up lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter

from api.caller import Caller
from api.commands.setup.keeping import content_of
from api.deps import allow
from api.present import present
from api.state import State
from domain.errors import NotSetUp
from domain.ids import Reference
from domain.setup.gaps import Gap, Standing, gaps, stopping_admission
from domain.setup.kinds import Content, Kind
from domain.setup.timeline import applying
from rules.access import Action
from store import accounts, beds
from store.database import Transaction
from store.setup import entries, policies

router = APIRouter(prefix="/commands/setup", tags=["set-up"])


@router.get("/gaps")
async def list_gaps(state: State, caller: Annotated[Caller, allow(Action.READ_SETUP)]) -> dict[str, Any]:
    """What each process still lacks, what stops it first, with the page that mends it."""
    async with state.database.transaction(caller.hospital) as tx:
        found = gaps(await standing(tx, (await present(tx, state)).now))
    return {"gaps": [gap_json(gap) for gap in found]}


async def refuse_unready_ward(tx: Transaction, ward: Reference, now: datetime) -> None:
    """Raises NotSetUp when an admission to the ward would find no bed, or nobody to give one.

    Asks only hospitals that are set up by master data; others keep their places in another way.
    """
    if not await entries.at(tx, Kind.PLACE, now, [ward.id]):
        return
    there = await standing(tx, now, [Kind.HOSPITAL, Kind.PLACE])
    for gap in stopping_admission(there, ward.id):
        told = {language: gap.sentence(language) for language in ("ko", "en")}
        raise NotSetUp(told["en"], gap=gap.code, page=gap.page, entries=",".join(gap.entries), **told)


async def standing(tx: Transaction, now: datetime, kinds: Iterable[Kind] = Kind) -> Standing:
    """What is there at hospital time `now`, of all kinds or of some."""
    contents: dict[Kind, dict[str, Content]] = defaultdict(dict)
    for (kind, code), versions in (await entries.of_kinds(tx, kinds)).items():
        if (found := applying(versions, now)) is not None:
            contents[kind][code] = content_of(found)
    people = {account.name: account.roles for account in await accounts.accounts(tx) if not account.disabled}
    occupied = frozenset(bed.id for bed in await beds.occupied(tx))
    return Standing(contents, people, await policies.four_eyes(tx), occupied)


def gap_json(gap: Gap) -> dict[str, Any]:
    return {
        "code": gap.code,
        "process": gap.process,
        "stops": gap.stops,
        "page": gap.page,
        "entries": list(gap.entries),
        "count": gap.count,
        "sentence": {language: gap.sentence(language) for language in ("ko", "en")},
    }
