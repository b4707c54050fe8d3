"""What a caller reaches: a condition on every resource that a statement touches (engine room, 9), and two nets behind.

Scopes and roles say which types. For a person, the policy says whose, and sensitive records need a purpose. What is out
of reach is as missing as what never was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog
from prometheus_client import Counter

from api.fhir.exchange import Call
from api.fhir.mentions import patients_of
from domain.errors import Forbidden, OutOfReach
from domain.ids import Reference
from domain.reach import SENSITIVE, Reach
from rules.scopes import Letter
from store.care.circle import Circle, circle
from store.care.scope import in_reach, not_sensitive
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version
from store.search.keyed import token_hashes
from store.search.sql import ScopePredicate, all_of, everything, only_types

log = structlog.get_logger(__name__)

LEAKS = Counter("phis_reach_alarms_total", "Answers held back because they showed what is out of the caller's reach.")


async def reach(call: Call, tx: Transaction, letter: Letter = "s", *, one_by_one: bool = False) -> ScopePredicate:
    """Matches, chain hops and includes alike. Raises Forbidden when there is nothing that the caller may search.

    one_by_one: for a statement that asks of each row by itself.
    """
    types = call.asker.grants.types(letter)
    if types is not None and not types:
        raise Forbidden("scopes or roles do not allow this", action=f"*.{letter}")
    typed = everything if types is None else only_types(types)
    if call.asker.rights is None:
        return typed
    return all_of(typed, await _personal(call, tx, letter, one_by_one=one_by_one))


async def refuse_unseen(call: Call, tx: Transaction, refs: Sequence[Reference], letter: Letter = "r") -> None:
    """Raises OutOfReach for the first that is there and not for the caller. What is not there is for others to say."""
    if call.asker.rights is None or not refs:
        return
    unseen = await reading.unseen(tx, refs, await _personal(call, tx, letter))
    if unseen:
        raise OutOfReach("no such resource", reference=unseen[0])


async def seen(call: Call, tx: Transaction, refs: Sequence[Reference], letter: Letter = "r") -> list[Reference]:
    """Those that are not out of the caller's reach, in their order. Whether they are there is for others to say."""
    if call.asker.rights is None or not refs:
        return list(refs)
    beyond = set(await reading.unseen(tx, refs, await _personal(call, tx, letter)))
    return [each for each in refs if each not in beyond]


async def refuse_written(call: Call, tx: Transaction, refs: Sequence[Reference], letter: Letter) -> None:
    """Raises Forbidden for a resource, just written, about somebody whom the caller does not care for."""
    if call.asker.rights is None or not refs:
        return
    if await reading.unseen(tx, refs, await _personal(call, tx, letter, labels=False)):
        raise Forbidden("the resource is about somebody who is not in the caller's care", action="not-in-care")


async def hold_back(call: Call, tx: Transaction, versions: Iterable[Version], *, written: bool = False) -> None:
    """The second net: what is about to be shown is looked at by itself. Raises Forbidden and alarms for a leak.

    written: by the caller, who knows what it says: its own label does not matter then.
    """
    rights = call.asker.rights
    if rights is None:
        return
    known = await _circle(call, tx)
    for version in versions:
        if version.deleted:
            continue
        found = max(rights.reach(letter, version.reference.resource_type) for letter in "rsu")
        near = found is Reach.HOSPITAL or any(known.holds(patient, found) for patient in patients_of([version]))
        if not near or (not written and not _knows_why(known, version)):
            LEAKS.inc()
            actor = call.asker.caller.actor
            log.error("an answer out of reach was held back", reference=version.reference, actor=actor)
            raise Forbidden("out of the caller's reach", action="not-in-care")


def _knows_why(known: Circle, version: Version) -> bool:
    """Whether a version has no sensitive label of its own, or the caller has said why."""
    if b'"security"' not in version.text:
        return True
    listed = version.body.get("meta", {}).get("security", [])
    if SENSITIVE.isdisjoint((each.get("system", ""), each.get("code", "")) for each in listed):
        return True
    return any(known.knows_why(patient) for patient in patients_of([version]))


async def _personal(
    call: Call, tx: Transaction, letter: Letter, *, labels: bool = True, one_by_one: bool = False
) -> ScopePredicate:
    rights = call.asker.rights
    assert rights is not None  # noqa: S101 - asked by those who looked
    known = await _circle(call, tx)
    reaches = {kind: letters.get(letter, Reach.NONE) for kind, letters in rights.reaches.items()}
    whose = in_reach(reaches, known)
    if not labels:
        return whose
    return all_of(whose, not_sensitive(token_hashes(tx.keys, tx.hospital), known.purposes, one_by_one=one_by_one))


async def _circle(call: Call, tx: Transaction) -> Circle:
    if call.circle is None:
        caller = call.asker.caller
        call.circle = await circle(tx, caller.actor, caller.roles, call.now, also=caller.on_behalf_of)
    return call.circle
