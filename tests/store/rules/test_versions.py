"""A published version is never changed; when it applies, and that it was switched off, is known for ever."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest

from domain.decisions import DecisionPoint
from domain.errors import AlreadyDone, Conflict, Invalid, NotFound
from domain.rule_versions import Edition, Proven, PublishingPolicy
from rules.bundle import Bundle, RuleBook
from rules.library import shipped
from rules.resolution import Lost
from store import outbox
from store.database import Database, Transaction
from store.rules import history, policies, versions
from tests.rule_texts import PROVEN, approved, published, text
from tests.store.values import settled

POINT = DecisionPoint.BED_ASSIGNMENT_DUE
NATIONAL = shipped()[POINT].digest
HOUR = timedelta(hours=1)


async def bundle(tx: Transaction) -> Bundle:
    network, kept = await versions.applying(tx)
    return Bundle(tx.hospital, network, kept)


async def test_what_is_published_applies_from_its_time_on(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        assert await versions.edition(tx) == Edition(own=0, shared=0)
        own = text(hospital)
        await published(tx, own, now, since=now + HOUR, until=now + 3 * HOUR)
        assert await versions.edition(tx) == Edition(own=1, shared=0)
        rules = await bundle(tx)
    for at, chosen in ((0, NATIONAL), (1, own.digest), (2, own.digest), (3, NATIONAL)):
        found = rules.resolve(POINT, now + at * HOUR).chosen
        assert found is not None
        assert found.digest == chosen
        standing = rules.standing(POINT, now + at * HOUR, now + at * HOUR)
        assert standing == found
    lost = rules.resolve(POINT, now).lost
    assert [(loser.published.digest, loser.why) for loser in lost] == [(own.digest, Lost.NOT_YET)]
    assert rules.document(own.digest).canonical == own.document


async def test_the_department_wins_over_the_hospital_and_the_hospital_over_the_nation(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        ours, icu = text(hospital), text(hospital, department="icu")
        await published(tx, ours, now)
        await published(tx, icu, now)
        rules = await bundle(tx)
    for department, chosen in (("", ours), ("icu", icu), ("er", ours)):
        found = rules.resolve(POINT, now, department).chosen
        assert found is not None
        assert found.digest == chosen.digest
    parent = rules.parent(rules.resolve(POINT, now, "icu").chosen, now)  # type: ignore[arg-type]
    assert parent is not None
    assert parent.digest == ours.digest


async def test_a_new_version_takes_over_and_going_back_is_a_new_version(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        first, second = text(hospital), text(hospital, version="2.1.0", minutes=5)
        await published(tx, first, now)
        await published(tx, second, now + HOUR)
        back = text(hospital, version="2.1.1")
        await published(tx, back, now + 2 * HOUR)
        rules = await bundle(tx)
    for at, chosen in ((0, first), (1, second), (2, back)):
        found = rules.standing(POINT, now + at * HOUR, now + at * HOUR)
        assert found is not None
        assert found.digest == chosen.digest


async def test_a_version_number_is_given_once(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await published(tx, text(hospital), now)
    with pytest.raises(Conflict, match="published before"):
        async with database.transaction(hospital) as tx:
            await published(tx, text(hospital, minutes=3), now)


@pytest.mark.parametrize(
    ("proven", "says"),
    [
        (PROVEN.model_copy(update={"passed": False}), "do not pass"),
        (Proven(passed=True, tests=0, branch_coverage=1, row_coverage=1), "do not pass"),
        (PROVEN.model_copy(update={"branch_coverage": 0.89}), "90% of branches"),
        (PROVEN.model_copy(update={"row_coverage": 0.69}), "70% of rows"),
    ],
)
async def test_what_its_tests_do_not_show_is_not_published(
    database: Database, hospital: str, now: datetime, proven: Proven, says: str
) -> None:
    async with database.transaction(hospital) as tx:
        await policies.set_policy(tx, PublishingPolicy(branch_coverage=0.9, row_coverage=0.7), by="chief", now=now)
        draft = await approved(tx, text(hospital), now)
        with pytest.raises(Invalid, match=says):
            await versions.publish(
                tx, draft.id, revision=3, proven=proven, since=now, until=None, by="approver", now=now
            )


async def test_a_hospital_may_ask_for_a_signed_impact_report(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await policies.set_policy(tx, PublishingPolicy(impact_signed=True), by="chief", now=now)
        with pytest.raises(Invalid, match="signed impact report"):
            await published(tx, text(hospital), now)


async def test_nothing_applies_to_the_past(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        with pytest.raises(Invalid):
            await published(tx, text(hospital), now, since=now - HOUR)
        with pytest.raises(Invalid):
            await published(tx, text(hospital, department="icu"), now, until=now)


async def test_a_draft_that_was_not_approved_is_not_published(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        draft = await approved(tx, text(hospital), now)
        await versions.publish(tx, draft.id, revision=3, proven=PROVEN, since=now, until=None, by="approver", now=now)
        with pytest.raises(AlreadyDone):
            await versions.publish(
                tx, draft.id, revision=4, proven=PROVEN, since=now, until=None, by="approver", now=now
            )


@pytest.mark.parametrize(
    "change",
    [
        "update rule_version set document = '{}'",
        "update rule_version set approved_by = 'analyst'",
        "update rule_version set since = since - interval '1 day'",
        "delete from rule_version",
        "update rule_event set actor = 'nobody'",
        "delete from rule_event",
        "update rule_disablement set reason = ''",
        "insert into shared_rule_edition (name, edition) values ('x', 1)",
        "update shared_rule set until = now()",
    ],
)
async def test_what_was_published_and_what_was_done_cannot_be_changed(
    database: Database, hospital: str, now: datetime, change: LiteralString
) -> None:
    async with database.transaction(hospital) as tx:
        await published(tx, text(hospital), now)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(hospital) as tx:
            await tx.execute(change)


async def test_an_emergency_ends_by_itself_or_is_lifted(database: Database, hospital: str, now: datetime) -> None:
    own = text(hospital)
    async with database.transaction(hospital) as tx:
        await published(tx, own, now)
        off = await versions.disable(
            tx, uuid4(), own.digest, until=now + 4 * HOUR, by="chief", now=now + HOUR, reason="holds every bed"
        )
        assert [each.id for each in await versions.running(tx, now + 2 * HOUR)] == [off.id]
        rules = await bundle(tx)
    for at, chosen in ((0, own.digest), (1, NATIONAL), (3, NATIONAL), (4, own.digest)):
        found = rules.standing(POINT, now + at * HOUR, now + at * HOUR)
        assert found is not None
        assert found.digest == chosen
    # A process that keeps the version of its start is reached by an emergency all the same.
    pinned = rules.standing(POINT, now, now + 2 * HOUR)
    assert pinned is not None
    assert pinned.digest == NATIONAL
    async with database.transaction(hospital) as tx:
        await versions.lift(tx, off.id, by="chief", now=now + 2 * HOUR)
        with pytest.raises(AlreadyDone):
            await versions.lift(tx, off.id, by="chief", now=now + 2 * HOUR)
        again = (await bundle(tx)).standing(POINT, now + 2 * HOUR, now + 2 * HOUR)
        assert again is not None
        assert again.digest == own.digest
        assert [line.action for line in await history.of_rule(tx, own.rule)][:3] == ["lift", "disable", "publish"]


async def test_an_emergency_has_an_end_within_the_policy(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await published(tx, text(hospital), now)
        for until in (now, now + timedelta(hours=73)):
            with pytest.raises(Invalid, match="72 hours"):
                await versions.disable(
                    tx, uuid4(), text(hospital).digest, until=until, by="chief", now=now, reason="holds"
                )
        with pytest.raises(NotFound):
            await versions.disable(tx, uuid4(), "none", until=now + HOUR, by="chief", now=now, reason="holds")


async def test_a_version_is_retired_now_or_at_a_time_ahead(database: Database, hospital: str, now: datetime) -> None:
    own = text(hospital)
    async with database.transaction(hospital) as tx:
        await published(tx, own, now)
        await versions.retire(tx, own.digest, at=now + 2 * HOUR, by="chief", now=now, reason="")
        with pytest.raises(AlreadyDone):
            await versions.retire(tx, own.digest, at=now + 3 * HOUR, by="chief", now=now, reason="")
        with pytest.raises(Invalid):
            await versions.retire(tx, own.digest, at=now - HOUR, by="chief", now=now, reason="")
        with pytest.raises(NotFound):
            await versions.retire(tx, "none", at=now, by="chief", now=now, reason="")
        rules = await bundle(tx)
        assert rules.resolve(POINT, now + HOUR).chosen != rules.resolve(POINT, now + 2 * HOUR).chosen
        ahead = text(hospital, department="icu")
        await published(tx, ahead, now, since=now + HOUR)
        await versions.retire(tx, ahead.digest, at=now, by="chief", now=now, reason="a mistake")
        rules = await bundle(tx)  # retired before it began: it never applies
        for at in (0, 1, 2):
            found = rules.resolve(POINT, now + at * HOUR, "icu").chosen
            assert found is not None
            assert found.digest != ahead.digest


async def test_those_who_look_hear_of_it_and_a_lost_publication_changes_nothing(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        begin = await outbox.position(tx)
    with suppress(ZeroDivisionError):
        async with database.transaction(hospital) as tx:
            await published(tx, text(hospital), now)
            raise ZeroDivisionError
    async with database.transaction(hospital) as tx:
        assert await versions.edition(tx) == Edition(own=0, shared=0)
        assert len((await versions.applying(tx))[1]) == 0
        await published(tx, text(hospital), now)
    await settled(database, hospital)
    async with database.transaction(hospital) as tx:
        told = await outbox.changes_since(tx, begin, [versions.TOPIC])
    assert [change.subject for change in told] == [POINT.value]
    async with database.transaction(other_hospital) as tx:
        assert (await versions.edition(tx)).own == 0
        assert (await versions.applying(tx))[1] == []


def test_a_book_keeps_those_used_last_and_never_an_older_edition() -> None:
    book = RuleBook(keeps=2)
    new, old = Edition(own=2, shared=0), Edition(own=1, shared=0)
    kept = book.take(new, "a", "", [])
    assert book.take(old, "a", "", []) is not kept
    assert book.get("a", new) is kept
    assert book.get("a", old) is None
    book.take(new, "b", "", [])
    book.get("a", new)
    book.take(new, "c", "", [])
    assert [book.get(name, new) is not None for name in "abc"] == [True, False, True]
