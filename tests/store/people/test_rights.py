"""An expired licence removes the right to act at the next request; a post gives a role for its time and place only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.clock import HospitalClock
from domain.ids import Reference
from domain.licences import LICENCE, ROLE
from domain.roles import Role
from store import accounts, clocks, records
from store.care import delegations, standing
from store.database import Database, Transaction
from store.people import credentials
from store.sessions import secret_hash

DOCTOR, NAME = Reference("Practitioner/d1"), "kim@x"
DAY = timedelta(days=1)
DOCTOR_DELEGATES = UUID(int=7)


def doctor(until: datetime) -> dict[str, Any]:
    code = {"coding": [{"system": LICENCE, "code": "physician"}]}
    return {
        "resourceType": "Practitioner",
        "id": "d1",
        "qualification": [{"code": code, "period": {"end": until.isoformat()}}],
    }


async def furnished(tx: Transaction, now: datetime, until: datetime, *roles: Role) -> str:
    """An account of a licensed person, signed in: the cookie's value."""
    await accounts.create_account(
        tx, name=NAME, display_ko="김", display_en="Kim", roles=roles or [Role.PHYSICIAN], password_hash="x"
    )
    await records.create(tx, doctor(until), id="d1", now=now)
    await standing.place(tx, NAME, practitioner=DOCTOR)
    return await accounts.start_session(tx, NAME, now)


async def roles(tx: Transaction, cookie: str, now: datetime) -> frozenset[Role]:
    return (await accounts.session(tx, secret_hash(cookie), now)).may_act_as


async def test_a_licence_that_ends_takes_the_role_away_within_the_session(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        cookie = await furnished(tx, now, now + timedelta(minutes=10), Role.PHYSICIAN, Role.ANALYST)
    async with database.transaction(hospital) as tx:
        assert await roles(tx, cookie, now) == {Role.PHYSICIAN, Role.ANALYST}
        assert await roles(tx, cookie, now + timedelta(minutes=11)) == {Role.ANALYST}


async def test_a_renewed_licence_gives_it_back_and_a_deleted_record_binds_nothing(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        cookie = await furnished(tx, now, now - DAY)
    async with database.transaction(hospital) as tx:
        assert await roles(tx, cookie, now) == frozenset()
        await records.update(tx, doctor(now + DAY), if_match=1, now=now)
        assert await roles(tx, cookie, now) == {Role.PHYSICIAN}


async def test_a_token_that_acts_for_the_person_loses_the_role_too(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await furnished(tx, now, now + timedelta(minutes=10))
        secret = await accounts.issue_token(tx, NAME, [Role.PHYSICIAN], "", now + DAY)
    async with database.transaction(hospital) as tx:
        assert (await accounts.token(tx, secret_hash(secret), now)).roles == {Role.PHYSICIAN}
        assert (await accounts.token(tx, secret_hash(secret), now + timedelta(minutes=11))).roles == frozenset()


async def test_what_is_lent_ends_with_the_givers_licence(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await furnished(tx, now, now + timedelta(minutes=10))
        await accounts.create_account(
            tx, name="lee@x", display_ko="이", display_en="Lee", roles=[Role.ANALYST], password_hash="x"
        )
        await delegations.give(
            tx, DOCTOR_DELEGATES, giver=NAME, taker="lee@x", roles=[Role.PHYSICIAN], since=now, until=now + DAY
        )
        cookie = await accounts.start_session(tx, "lee@x", now)
        await accounts.act_for(tx, secret_hash(cookie), NAME)
    async with database.transaction(hospital) as tx:
        assert await roles(tx, cookie, now) == {Role.ANALYST, Role.PHYSICIAN}
        assert await roles(tx, cookie, now + timedelta(minutes=11)) == {Role.ANALYST}


async def test_the_day_is_the_hospitals(database: Database, hospital: str, now: datetime) -> None:
    """A hospital whose clock is a year ahead sees the licence end a year earlier."""
    async with database.transaction(hospital) as tx:
        cookie = await furnished(tx, now, now + 30 * DAY)
        await clocks.set_clock(tx, HospitalClock(epoch=now + 365 * DAY, base=now, rate=1))
    async with database.transaction(hospital) as tx:
        assert await roles(tx, cookie, now) == frozenset()


@pytest.mark.parametrize(("since", "held"), [(-1, True), (1, False)])
async def test_a_post_gives_its_role_and_its_ward_for_its_time(
    database: Database, hospital: str, now: datetime, since: int, held: bool
) -> None:
    post = {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": DOCTOR},
        "code": [{"coding": [{"system": ROLE, "code": "physician"}]}],
        "location": [{"reference": "Location/ward-51"}],
        "period": {"start": (now + since * DAY).isoformat(), "end": (now + (since + 2) * DAY).isoformat()},
    }
    async with database.transaction(hospital) as tx:
        cookie = await furnished(tx, now, now + 9 * DAY)
        await records.create(tx, post, id="p1", now=now)
    async with database.transaction(hospital) as tx:
        assert (Role.PHYSICIAN in await roles(tx, cookie, now)) is held
        place = (await standing.standing(tx, NAME, now)).places
        assert place == ((Reference("Location/ward-51"),) if held else ())
        assert (await credentials.may(tx, now, [NAME]))[NAME].all == {Role.PHYSICIAN}


async def test_a_post_never_adds_a_role_that_the_account_has_not(
    database: Database, hospital: str, now: datetime
) -> None:
    post = {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": DOCTOR},
        "code": [{"coding": [{"system": ROLE, "code": "administrator"}]}],
    }
    async with database.transaction(hospital) as tx:
        cookie = await furnished(tx, now, now + DAY)
        await records.create(tx, post, id="p1", now=now)
    async with database.transaction(hospital) as tx:
        assert await roles(tx, cookie, now) == {Role.PHYSICIAN}


async def test_another_hospitals_licence_of_the_same_id_says_nothing_here(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        cookie = await furnished(tx, now, now + DAY)
    async with database.transaction(other_hospital) as tx:
        await furnished(tx, now, now - DAY)
    async with database.transaction(hospital) as tx:
        assert await roles(tx, cookie, now) == {Role.PHYSICIAN}
