"""The patients of one person at one moment: by tasks, by place, by care, and by an emergency."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.care import holder_of
from domain.ids import Reference
from domain.reach import Reach
from domain.roles import Role
from store.care.standing import standing
from store.database import Transaction
from store.search.keyed import target_key
from store.search.links import LINKS, kin_keys

MOST = 20_000
"""Patients that one person may reach at once; who needs more works for the whole hospital."""


@dataclass(frozen=True)
class Circle:
    """Keys of patients. `tasks` holds those of an emergency, too: a broken glass opens the record whatever the role."""

    tasks: frozenset[UUID] = frozenset()
    ward: frozenset[UUID] = frozenset()
    care: frozenset[UUID] = frozenset()
    purposes: frozenset[UUID] = frozenset()
    """Patients for whom the person has said why."""

    def within(self, reach: Reach) -> frozenset[UUID]:
        """Who is reached; the order of reaches is that of these sets."""
        found = self.tasks if reach >= Reach.OWN_TASKS else frozenset()
        if reach >= Reach.WARD:
            found |= self.ward
        if reach >= Reach.CARE:
            found |= self.care
        return found

    def knows_why(self, patient: Reference) -> bool:
        return target_key(patient) in self.purposes

    def holds(self, patient: Reference, reach: Reach) -> bool:
        return reach is Reach.HOSPITAL or target_key(patient) in self.within(reach)


async def circle(
    tx: Transaction, actor: str, roles: Collection[Role], now: datetime, *, also: str | None = None
) -> Circle:
    """Who `actor` may reach now, in hospital time. also: the account of a colleague for whom the person acts.

    A patient is a person: what holds for one record of somebody whose records were merged holds for all of them, the
    emergency and the purpose, too. Nothing is rewritten by a merge: which record was opened stays written down.
    """
    acting = [actor, also] if also else [actor]
    stands = [await standing(tx, each, now) for each in acting]
    named = [*map(holder_of, acting), *(each.practitioner for each in stands if each.practitioner)]
    persons = [target_key(each) for each in named]
    places = [target_key(each) for own in stands for each in own.places]
    rows = await tx.all(
        """
        (select 'task' as how, t.patient as reference, null::uuid as patient from worklist_task t
         where t.hospital = %(hospital)s and t.closed_at is null
           and (t.owner = any(%(acting)s) or exists (
                select from worklist_candidate c
                where c.hospital = t.hospital and c.task_id = t.id and c.role = any(%(roles)s))
                and (t.place = '' or cardinality(%(worked)s::text[]) = 0 or t.place = any(%(worked)s))
                and not t.not_by && %(acting)s::text[])
         limit %(most)s)
        union all
        (select case when holder = any(%(places)s::uuid[]) then 'ward' else 'care' end, null, patient
         from care_relation
         where hospital = %(hospital)s and holder = any(%(holders)s::uuid[]) and until > %(now)s
         limit %(most)s)
        union all
        (select 'task', patient, null from broken_glass
         where hospital = %(hospital)s and actor = %(actor)s and until > %(now)s and broken_at <= %(now)s)
        union all
        (select 'purpose', patient, null from stated_purpose
         where hospital = %(hospital)s and actor = %(actor)s and until > %(now)s and stated_at <= %(now)s)
        union all
        (select 'merged', null, null where exists (
            select from search_reference where hospital = %(hospital)s and parameter = any(%(links)s::int8[])))
        """,
        {
            "hospital": tx.hospital,
            "actor": actor,
            "roles": [*(role.value for role in roles), *acting],
            "acting": acting,
            "places": places,
            "worked": [each for own in stands for each in own.places],
            "holders": [*persons, *places],
            "now": now,
            "most": MOST,
            "links": LINKS,
        },
    )
    found: dict[str, set[UUID]] = {"task": set(), "ward": set(), "care": set(), "purpose": set()}
    merged = False
    for row in rows:
        if row["how"] == "merged":
            merged = True
        else:
            found[row["how"]].add(row["patient"] or target_key(row["reference"]))
    if merged:
        others = await kin_keys(tx, set().union(*found.values()))
        for keys in found.values():
            keys.update(*(others.get(each, ()) for each in tuple(keys)))
    return Circle(*(frozenset(found[how]) for how in ("task", "ward", "care", "purpose")))
