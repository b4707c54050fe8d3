"""Who of those who are registered may be this person: asked by `$match` and before somebody is registered."""

from __future__ import annotations

from api.fhir.text import Json
from domain.ids import Reference
from domain.matching import Score, score
from store.database import Transaction
from store.fhir.versions import Version
from store.search.links import survivors
from store.search.matching import candidates, in_scope
from store.search.sql import ScopePredicate


async def likely(tx: Transaction, asked: Json, scope: ScopePredicate) -> list[tuple[Version, Score]]:
    """Who is worth showing, the likeliest first. A record that was replaced speaks for the one that stays.

    Raises Invalid when too little is known of the person, TooCostly when too many come near.
    """
    found = await candidates(tx, asked, scope)
    stays = await survivors(tx, [each.reference for each in found])
    known = {each.reference: each for each in found}
    known |= await in_scope(tx, set(stays.values()) - known.keys(), scope)
    best: dict[Reference, Score] = {}
    for old, now in stays.items():
        if now in known:
            one = score(asked, known[old].body)
            best[now] = max(best.get(now, one), one, key=lambda each: each.points)
    own = {now: score(asked, known[now].body) for now in best}
    best = {now: max(one, own[now], key=lambda each: each.points) for now, one in best.items()}
    shown = [(known[now], one) for now, one in best.items() if one.grade is not None]
    return sorted(shown, key=lambda each: (-each[1].score, -each[1].points, each[0].reference))
