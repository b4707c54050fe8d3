"""What screens need from the store, gathered in the request's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from api.caller import Caller
from api.state import AppState
from api.ui.views.frame import role_name
from api.ui.views.names import Names
from api.ui.views.people import place_name
from api.ui.words import Language, Words
from domain.errors import NotFound, PhisError
from domain.ids import Reference
from domain.roles import Role
from store import accounts, records
from store.database import Transaction

Bodies = dict[str, Mapping[str, Any]]

_PLACES = 5000
"""More beds, rooms and wards than any hospital of Korea has."""


async def places(tx: Transaction) -> Bodies:
    """All Locations of the hospital by reference."""
    return {stored.reference: stored.body for stored in await records.find(tx, "Location", limit=_PLACES)}


async def people(tx: Transaction, words: Words, actors: Iterable[str | None]) -> dict[str, str]:
    """Displays of accounts. What acts with a token has no account and is shown by its label."""
    found: dict[str, str] = {}
    for name in sorted({actor for actor in actors if actor}):
        try:
            account = await accounts.account(tx, name)
        except NotFound:
            continue
        found[name] = account.display_ko if words.language is Language.KO else account.display_en
    return found


async def names(tx: Transaction, words: Words, actors: Iterable[str | None], at: Bodies | None = None) -> Names:
    located = at if at is not None else await places(tx)
    return Names(
        people=await people(tx, words, actors),
        places={reference: place_name(words, body) for reference, body in located.items()},
    )


async def patients(tx: Transaction, references: Iterable[str]) -> Bodies:
    """Bodies of patients by reference, each read once."""
    return {reference: (await records.read(tx, Reference(reference))).body for reference in sorted(set(references))}


async def names_for_refusal(state: AppState, caller: Caller | None, error: PhisError, words: Words) -> dict[str, str]:
    """Names of the person and the bed that a refusal speaks of. Without the store its codes have to do."""
    found = {role.value: role_name(words, role) for role in Role}
    if caller is None or not {"by", "bed"} & set(error.params):
        return found
    try:
        async with state.database.transaction(caller.hospital) as tx:
            if "by" in error.params:
                found |= await people(tx, words, [error.params["by"]])
            if "bed" in error.params:
                bed = Reference(error.params["bed"])
                found[bed] = place_name(words, (await records.read(tx, bed)).body)
    except PhisError:
        return found
    return found
