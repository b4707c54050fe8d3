"""Who holds which position where and when, who is away, and whom a position comes to at a moment. Hospital time.

A row is never changed: it ends, early where somebody withdraws it, and what it said until then stays. Whoever asks
reads the rows themselves, so that what was entered a moment ago is seen by the next command.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from domain import duty
from domain.duty import ABOVE, FITTING, AbsenceReason, DutyPosition, Resolution, refuse_period
from domain.errors import Conflict, Invalid, NotFound
from domain.ids import Reference
from store import outbox, records
from store.database import Transaction
from store.people import alarms
from store.people.credentials import may

TOPIC = "roster"
_FARTHEST_UP = 8  # places that lie in one another


class Entered(BaseModel, frozen=True):
    """A duty with who entered it. `ended_at`: when it was withdrawn; it counted until then."""

    id: UUID
    position: DutyPosition
    place: str
    account: str
    since: datetime
    until: datetime
    made_at: datetime
    made_by: str
    ended_at: datetime | None
    ended_by: str | None

    @property
    def duty(self) -> duty.Duty:
        until = min(self.until, self.ended_at) if self.ended_at else self.until
        return duty.Duty(self.id, self.position, _place(self.place), self.account, self.since, until)

    @property
    def stands(self) -> bool:
        return self.ended_at is None


class Away(BaseModel, frozen=True):
    """An absence with who entered it."""

    id: UUID
    account: str
    since: datetime
    until: datetime
    reason: AbsenceReason
    substitute: str | None
    made_at: datetime
    made_by: str
    ended_at: datetime | None
    ended_by: str | None

    @property
    def absence(self) -> duty.Absence:
        until = min(self.until, self.ended_at) if self.ended_at else self.until
        return duty.Absence(self.account, self.since, until, self.substitute)


async def enter(
    tx: Transaction,
    id_: UUID,
    *,
    position: DutyPosition,
    place: Reference | None,
    account: str,
    since: datetime,
    until: datetime,
    by: str,
    now: datetime,
) -> None:
    """Put somebody on duty.

    Raises Invalid for a wrong period, an unknown place, and a person who does not hold a role that fits the position;
    Conflict where the person holds this position there at that time already.
    """
    refuse_period(since, until)
    await refuse_no_place(tx, place)
    await _refuse_unfit(tx, account, position, since)
    twice = await tx.one(
        """
        select 1 as one from duty
        where hospital = %(hospital)s and account = %(account)s and position = %(position)s and place = %(place)s
          and ended_at is null and since < %(until)s and until > %(since)s
        """,
        {
            "hospital": tx.hospital,
            "account": account,
            "position": position,
            "place": place or "",
            "since": since,
            "until": until,
        },
    )
    if twice is not None:
        raise Conflict("the person holds this position there at that time already", account=account)
    await tx.execute(
        """
        insert into duty (hospital, id, position, place, account, since, until, made_at, made_by)
        values (%(hospital)s, %(id)s, %(position)s, %(place)s, %(account)s, %(since)s, %(until)s, %(now)s, %(by)s)
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "position": position,
            "place": place or "",
            "account": account,
            "since": since,
            "until": until,
            "now": now,
            "by": by,
        },
    )
    await alarms.clear(tx, alarms.VACANT, subject_of(position, place), by=by, now=now)
    await outbox.put(tx, TOPIC, place or position)


async def end(tx: Transaction, id_: UUID, *, by: str, now: datetime) -> Entered:
    """Withdraw a duty; one that runs counted until now. Raises NotFound for one that does not stand."""
    found = await tx.rows(
        Entered,
        "update duty set ended_at = %s, ended_by = %s where hospital = %s and id = %s and ended_at is null returning *",
        [now, by, tx.hospital, id_],
    )
    if not found:
        raise NotFound("no such duty")
    await outbox.put(tx, TOPIC, found[0].place or found[0].position)
    return found[0]


async def entered(
    tx: Transaction,
    first: datetime,
    last: datetime,
    *,
    positions: Collection[DutyPosition] | None = None,
    withdrawn: bool = False,
) -> list[Entered]:
    """Duties that touch a time, the earliest first. withdrawn: with those that never counted in it."""
    found = await tx.rows(
        Entered,
        """
        select * from duty
        where hospital = %(hospital)s and until > %(first)s and since < %(last)s
          and (%(positions)s::text[] is null or position = any(%(positions)s))
        order by since, position, place, account, id
        """,
        {
            "hospital": tx.hospital,
            "first": first,
            "last": last,
            "positions": None if positions is None else [each.value for each in positions],
        },
    )
    return [each for each in found if withdrawn or each.duty.until > max(first, each.since)]


async def leave(
    tx: Transaction,
    id_: UUID,
    *,
    account: str,
    since: datetime,
    until: datetime,
    reason: AbsenceReason,
    substitute: str | None,
    by: str,
    now: datetime,
) -> None:
    """Note that somebody is away, and who stands in. Raises Invalid for unknown people and a wrong period."""
    if until <= since:
        raise Invalid("it ends after it begins", field="/until")
    known = await may(tx, since, [account, *([substitute] if substitute else [])])
    if account not in known:
        raise Invalid("no such account", field="/account")
    if substitute is not None and (substitute == account or substitute not in known or known[substitute].disabled):
        raise Invalid("a colleague with an account stands in", field="/substitute")
    await tx.execute(
        """
        insert into absence (hospital, id, account, since, until, reason, substitute, made_at, made_by)
        values (%(hospital)s, %(id)s, %(account)s, %(since)s, %(until)s, %(reason)s, %(substitute)s, %(now)s, %(by)s)
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "account": account,
            "since": since,
            "until": until,
            "reason": reason,
            "substitute": substitute,
            "now": now,
            "by": by,
        },
    )
    await outbox.put(tx, TOPIC, account)


async def return_(tx: Transaction, id_: UUID, *, by: str, now: datetime) -> Away:
    """End an absence, or withdraw one to come. Raises NotFound for one that does not stand."""
    found = await tx.rows(
        Away,
        """
        update absence set ended_at = %s, ended_by = %s where hospital = %s and id = %s and ended_at is null
        returning *
        """,
        [now, by, tx.hospital, id_],
    )
    if not found:
        raise NotFound("no such absence")
    await outbox.put(tx, TOPIC, found[0].account)
    return found[0]


async def away(tx: Transaction, first: datetime, last: datetime) -> list[Away]:
    """Absences that touch a time, the earliest first."""
    found = await tx.rows(
        Away,
        "select * from absence where hospital = %s and until > %s and since < %s order by since, account, id",
        [tx.hospital, first, last],
    )
    return [each for each in found if each.absence.until > max(first, each.since)]


async def above(tx: Transaction) -> dict[DutyPosition, DutyPosition | None]:
    """Where each vacant position passes to in this hospital."""
    rows = await tx.all(
        """
        select distinct on (position) position, above from duty_above
        where hospital = %s order by position, made_at desc
        """,
        [tx.hospital],
    )
    own = {DutyPosition(row["position"]): DutyPosition(row["above"]) if row["above"] else None for row in rows}
    return {**ABOVE, **own}


async def set_above(
    tx: Transaction, position: DutyPosition, upwards: DutyPosition | None, *, by: str, now: datetime
) -> None:
    """Say where a vacant position passes to. Raises Invalid where it would come back to itself."""
    known = {**await above(tx), position: upwards}
    at, seen = upwards, {position}
    while at is not None:
        if at in seen:
            raise Invalid("a position that passes upwards never comes back to itself", field="/above")
        seen.add(at)
        at = known.get(at)
    await tx.execute(
        "insert into duty_above (hospital, position, made_at, above, made_by) values (%s, %s, %s, %s, %s)",
        [tx.hospital, position, now, upwards or "", by],
    )
    await outbox.put(tx, TOPIC, position)


async def resolve(
    tx: Transaction,
    position: DutyPosition,
    place: Reference | None,
    moment: datetime,
    *,
    but: Collection[str] = (),
) -> Resolution:
    """Whom a position comes to at a place and a moment of hospital time, as everything stands now."""
    just_after = moment + timedelta(microseconds=1)
    duties = [each.duty for each in await entered(tx, moment, just_after)]
    absences = [each.absence for each in await away(tx, moment, just_after)]
    people = {each.account for each in duties} | {each.substitute for each in absences if each.substitute}
    known = await may(tx, moment, sorted(people))
    allowed = {name: each.roles for name, each in known.items() if not each.disabled}
    return duty.resolve(
        position,
        await places_around(tx, place),
        moment,
        duties=duties,
        absences=absences,
        above=await above(tx),
        may_hold=allowed,
        but=frozenset(but),
    )


async def places_around(tx: Transaction, place: Reference | None) -> list[Reference | None]:
    """A place, what it is part of and who manages it, and the whole hospital: the narrowest first."""
    found: list[Reference | None] = []
    waiting = [place] if place else []
    while waiting and len(found) < _FARTHEST_UP:
        at = waiting.pop(0)
        if at in found:
            continue
        found.append(at)
        try:
            body = (await records.read(tx, at)).body
        except NotFound:
            continue
        waiting += [up for name in ("partOf", "managingOrganization") if (up := _reference(body.get(name)))]
    return [*found, None]


async def refuse_no_place(tx: Transaction, place: Reference | None) -> None:
    """Raises Invalid for what is neither a ward or other Location nor a department (Organization) of this hospital."""
    if place is None:
        return
    if place.resource_type not in {"Location", "Organization"}:
        raise Invalid("a place is a Location or an Organization", field="/place")
    try:
        await records.read(tx, place)
    except NotFound:
        raise Invalid("no such place in this hospital", field="/place") from None


def subject_of(position: DutyPosition, place: Reference | None) -> str:
    """What an alarm about a vacant position is about."""
    return f"{position.value} {place or ''}".strip()


async def _refuse_unfit(tx: Transaction, account: str, position: DutyPosition, at: datetime) -> None:
    known = (await may(tx, at, [account])).get(account)
    if known is None or known.disabled:
        raise Invalid("no such account", field="/account")
    if known.roles.isdisjoint(FITTING[position]):
        licence = not known.all.isdisjoint(FITTING[position])
        said = "the licence or post for this has ended by then" if licence else "the person has no role that fits"
        raise Invalid(said, field="/account", account=account)


def _reference(given: object) -> Reference | None:
    said = given.get("reference") if isinstance(given, Mapping) else None
    try:
        return Reference(str(said)) if said else None
    except Invalid:
        return None


def _place(text: str) -> Reference | None:
    return Reference(text) if text else None
