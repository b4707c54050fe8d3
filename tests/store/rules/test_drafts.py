"""A draft has one text at a time; who wrote it does not approve it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest

from domain.errors import AlreadyDone, Conflict, Forbidden, NotFound, StaleRevision
from domain.rule_versions import Draft, DraftState, Person
from store.database import Database
from store.rules import drafts, history, policies
from tests.rule_texts import ANALYST, APPROVER, approved, text


async def begun(database: Database, hospital: str, now: datetime) -> Draft:
    async with database.transaction(hospital) as tx:
        return await drafts.begin(tx, uuid4(), text(hospital), reason="near", by="analyst", now=now)


async def test_of_twenty_who_save_the_same_draft_one_wins_and_the_others_hear_who(
    database: Database, hospital: str, now: datetime
) -> None:
    draft = await begun(database, hospital, now)

    async def save(number: int) -> str:
        mine = text(hospital, minutes=number + 1)
        try:
            async with database.transaction(hospital) as tx:
                await drafts.save(tx, draft.id, mine, revision=1, reason="", by=f"analyst-{number}", now=now)
        except StaleRevision as stale:
            return f"{stale.params['by']} made {stale.params['actual']} of {stale.params['expected']}"
        return "won"

    told = await asyncio.gather(*(save(number) for number in range(20)))
    async with database.transaction(hospital) as tx:
        kept = await drafts.get(tx, draft.id)
        lines = await history.of_rule(tx, kept.rule)
    assert sorted(told) == sorted(["won"] + 19 * [f"{kept.saved_by} made 2 of 1"])
    assert (kept.revision, kept.document) == (2, text(hospital, minutes=int(kept.saved_by[8:]) + 1).document)
    assert kept.authors == ("analyst", kept.saved_by)
    assert [line.action for line in lines] == ["save", "begin"]


async def test_a_rule_of_a_place_is_written_in_one_draft(database: Database, hospital: str, now: datetime) -> None:
    first = await begun(database, hospital, now)
    async with database.transaction(hospital) as tx:
        with pytest.raises(Conflict) as told:
            await drafts.begin(tx, uuid4(), text(hospital), reason="", by="colleague", now=now)
    assert (told.value.params["draft"], told.value.params["by"]) == (str(first.id), "analyst")
    async with database.transaction(hospital) as tx:
        await drafts.begin(tx, uuid4(), text(hospital, department="icu"), reason="", by="colleague", now=now)
        assert len(await drafts.listed(tx)) == 2
        await drafts.drop(tx, first.id, revision=1, by="analyst", now=now)
        again = await drafts.begin(tx, uuid4(), text(hospital), reason="", by="colleague", now=now)
        assert again.id != first.id


@pytest.mark.parametrize(
    "person",
    [ANALYST, Person(account="colleague"), Person(account="friend", on_behalf_of="analyst")],
    ids=["its author", "who saved it", "who acts for its author"],
)
async def test_nobody_approves_a_rule_of_their_own(
    database: Database, hospital: str, now: datetime, person: Person
) -> None:
    draft = await begun(database, hospital, now)
    async with database.transaction(hospital) as tx:
        await drafts.save(tx, draft.id, text(hospital, minutes=9), revision=1, reason="", by="colleague", now=now)
        await drafts.submit(tx, draft.id, revision=2, by="secretary", now=now)
        with pytest.raises(Forbidden):
            await drafts.approve(tx, draft.id, revision=3, person=person, now=now)
        with pytest.raises(Forbidden):
            await drafts.approve(tx, draft.id, revision=3, person=Person(account="secretary"), now=now)
        approved_ = await drafts.approve(tx, draft.id, revision=3, person=APPROVER, now=now)
    assert (approved_.state, approved_.approved_by) == (DraftState.APPROVED, "approver")


@pytest.mark.parametrize("step", ["begin", "save", "submit"])
async def test_nobody_approves_what_a_colleague_wrote_or_submitted_for_them(
    database: Database, hospital: str, now: datetime, step: str
) -> None:
    """A secretary who acts for the chief writes the chief's rule: the chief's eyes have seen it."""
    lent = {each: "chief" if each == step else None for each in ("begin", "save", "submit")}
    async with database.transaction(hospital) as tx:
        draft = await drafts.begin(
            tx, uuid4(), text(hospital), reason="near", by="secretary", now=now, on_behalf_of=lent["begin"]
        )
        mine = text(hospital, minutes=9)
        await drafts.save(tx, draft.id, mine, revision=1, reason="", by="secretary", now=now, on_behalf_of=lent["save"])
        await drafts.submit(tx, draft.id, revision=2, by="secretary", now=now, on_behalf_of=lent["submit"])
        with pytest.raises(Forbidden):
            await drafts.approve(tx, draft.id, revision=3, person=Person(account="chief"), now=now)
        approved = await drafts.approve(tx, draft.id, revision=3, person=APPROVER, now=now)
    assert sorted(approved.authors) == ["chief", "secretary"]


@pytest.mark.parametrize(
    "forged",
    [
        "update rule_draft set state = 'approved', submitted_by = 'x', approved_by = 'analyst'",
        "update rule_draft set state = 'approved', submitted_by = 'x', approved_by = 'x'",
        "update rule_draft set state = 'approved', submitted_by = 'x'",
        "update rule_draft set state = 'in-review'",
        "update rule_draft set document = '{}'",
        "update rule_draft set state = 'retired'",
    ],
)
async def test_the_database_refuses_what_goes_past_the_rules_of_four_eyes(
    database: Database, hospital: str, now: datetime, forged: LiteralString
) -> None:
    await begun(database, hospital, now)
    with pytest.raises(psycopg.errors.CheckViolation):
        async with database.transaction(hospital) as tx:
            await tx.execute(forged)


async def test_what_is_in_review_stands_still_until_it_is_returned(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        draft = await approved(tx, text(hospital), now)
        with pytest.raises(AlreadyDone):
            await drafts.save(tx, draft.id, text(hospital), revision=3, reason="", by="analyst", now=now)
        returned = await drafts.send_back(tx, draft.id, revision=3, by="approver", now=now, reason="a typing error")
        assert (returned.state, returned.submitted_by, returned.approved_by) == (DraftState.DRAFT, None, None)
        saved = await drafts.save(tx, draft.id, text(hospital, minutes=7), revision=4, reason="", by="analyst", now=now)
        assert saved.revision == 5
        elsewhere = text(hospital, department="icu")
        with pytest.raises(Conflict, match="stays the draft"):
            await drafts.save(tx, draft.id, elsewhere, revision=5, reason="", by="analyst", now=now)
        lines = await history.of_rule(tx, draft.rule)
    assert [line.action for line in lines] == ["save", "return", "approve", "submit", "begin"]
    assert lines[1].reason == "a typing error"


async def test_a_place_may_name_its_approvers(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await policies.set_approvers(tx, hospital, ["chief", "deputy"], by="administrator", now=now)
        await policies.set_approvers(tx, hospital, ["chief"], by="administrator", now=now)
        draft = await drafts.begin(tx, uuid4(), text(hospital), reason="", by="analyst", now=now)
        await drafts.submit(tx, draft.id, revision=1, by="analyst", now=now)
        with pytest.raises(Forbidden, match="another group"):
            await drafts.approve(tx, draft.id, revision=2, person=APPROVER, now=now)
        await drafts.approve(tx, draft.id, revision=2, person=Person(account="chief"), now=now)
        await approved(tx, text(hospital, department="icu"), now)  # a place without a group is open to the role


async def test_another_hospitals_draft_is_not_there(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    draft = await begun(database, hospital, now)
    async with database.transaction(other_hospital) as tx:
        assert await drafts.listed(tx) == []
        with pytest.raises(NotFound):
            await drafts.submit(tx, draft.id, revision=1, by="analyst", now=now)
    with pytest.raises(psycopg.errors.CheckViolation):
        async with database.transaction(other_hospital) as tx:  # nor may it write rules of another's place
            await drafts.begin(tx, uuid4(), text(hospital), reason="", by="analyst", now=now)
