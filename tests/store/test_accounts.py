"""Who may sign in, and for how long; secrets are kept by no one but their holder."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from domain.errors import Conflict, NotFound, NotSignedIn
from domain.roles import Role
from store import accounts, sign_ins
from store.accounts import Account, secret_hash
from store.care import delegations
from store.database import Database
from tests.store.values import BED_MANAGER, Urls

ANA = "bed-manager@hanbit"


async def _account(database: Database, hospital: str, name: str = ANA) -> Account:
    async with database.transaction(hospital) as tx:
        return await accounts.create_account(
            tx, name=name, display_ko="김하나", display_en="Kim Hana", roles=BED_MANAGER, password_hash="$argon2id$x"
        )


async def _sign_in(database: Database, hospital: str, now: datetime) -> str:
    await _account(database, hospital)
    async with database.transaction(hospital) as tx:
        return await accounts.start_session(tx, ANA, now)


async def test_an_account_is_read_as_it_was_made(database: Database, hospital: str) -> None:
    made = await _account(database, hospital)
    await _account(database, hospital, "another@hanbit")
    async with database.transaction(hospital) as tx:
        assert await accounts.account(tx, ANA) == made
        assert [each.name for each in await accounts.accounts(tx)] == ["another@hanbit", ANA]
        with pytest.raises(NotFound):
            await accounts.account(tx, "nobody@hanbit")
    assert (made.roles, made.disabled, made.display_ko) == (BED_MANAGER, False, "김하나")
    assert "argon2" not in repr(made)


async def test_a_name_is_taken_once_in_a_hospital(database: Database, hospital: str, other_hospital: str) -> None:
    await _account(database, hospital)
    await _account(database, other_hospital)
    with pytest.raises(Conflict):
        await _account(database, hospital)


async def _kept(database: Database, hospital: str) -> str:
    """Everything that the tables of secrets hold, as text."""
    async with database.transaction(hospital) as tx:
        rows = await tx.all(
            """
            select s::text as kept from session s union all select t::text from access_token t
            union all select i::text from sign_in i union all select l::text from setup_link l
            """
        )
    return "\n".join(row["kept"] for row in rows)


async def test_who_reads_the_tables_of_secrets_can_sign_in_with_none_of_them(
    database: Database, hospital: str, now: datetime
) -> None:
    session = await _sign_in(database, hospital, now)
    async with database.transaction(hospital) as tx:
        token = await accounts.issue_token(tx, "lab", [], "system/*.rs", now + timedelta(hours=1))
        begun = await sign_ins.begin(tx, ANA, [], now, method="password", next_="/")
        link = await sign_ins.make_link(tx, ANA, now)
    kept = await _kept(database, hospital)
    assert kept.count(ANA) >= 2
    for secret in (session, token, begun, link):
        for part in (secret, secret.partition(".")[2]):
            assert part not in kept
            assert part.encode().hex() not in kept
        assert secret_hash(secret) != secret_hash(f"{secret}x")
        assert len(secret_hash(secret)) == 32


async def test_a_session_is_found_by_its_secret_in_its_hospital_only(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    secret = await _sign_in(database, hospital, now)
    assert accounts.hospital_of_secret(secret) == hospital
    assert len(secret) == len(hospital) + 1 + 43
    async with database.transaction(hospital) as tx:
        session = await accounts.session(tx, secret_hash(secret), now)
        with pytest.raises(NotSignedIn):
            await accounts.session(tx, secret_hash(secret[:-1] + "x"), now)
    assert (session.account, session.roles, session.display_en) == (ANA, BED_MANAGER, "Kim Hana")
    assert session.expires_at == now + timedelta(hours=12)
    async with database.transaction(other_hospital) as tx:
        with pytest.raises(NotSignedIn):
            await accounts.session(tx, secret_hash(secret), now)


async def test_a_session_ends_after_an_hour_without_use_and_after_twelve_at_all(
    database: Database, hospital: str, now: datetime
) -> None:
    secret = secret_hash(await _sign_in(database, hospital, now))
    at = now
    for _ in range(14):
        at += timedelta(minutes=50)
        async with database.transaction(hospital) as tx:
            assert (await accounts.session(tx, secret, at)).account == ANA
    for late in (at + timedelta(minutes=61), now + timedelta(hours=12)):
        async with database.transaction(hospital) as tx:
            with pytest.raises(NotSignedIn):
                await accounts.session(tx, secret, late)


async def test_a_session_ends_at_sign_out(database: Database, hospital: str, now: datetime) -> None:
    secret = secret_hash(await _sign_in(database, hospital, now))
    async with database.transaction(hospital) as tx:
        await accounts.end_session(tx, secret)
        await accounts.end_session(tx, secret)
        with pytest.raises(NotSignedIn):
            await accounts.session(tx, secret, now)


async def test_closing_an_account_or_changing_its_password_ends_its_sessions_at_once(
    database: Database, hospital: str, now: datetime
) -> None:
    secret = secret_hash(await _sign_in(database, hospital, now))
    async with database.transaction(hospital) as tx:
        await accounts.disable(tx, ANA)
        assert (await accounts.account(tx, ANA)).disabled
        with pytest.raises(NotSignedIn):
            await accounts.session(tx, secret, now)
        await accounts.disable(tx, ANA, disabled=False)
        second = secret_hash(await accounts.start_session(tx, ANA, now))
        await accounts.change_password(tx, ANA, "$argon2id$y")
        assert (await accounts.account(tx, ANA)).password_hash == "$argon2id$y"
        with pytest.raises(NotSignedIn):
            await accounts.session(tx, second, now)
        with pytest.raises(NotFound):
            await accounts.change_password(tx, "nobody@hanbit", "x")


async def test_a_token_acts_until_it_expires(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        secret = await accounts.issue_token(tx, "loader", [Role.NURSE], "system/*.cruds", now + timedelta(hours=1))
    async with database.transaction(hospital) as tx:
        token = await accounts.token(tx, secret_hash(secret), now)
        with pytest.raises(NotSignedIn):
            await accounts.token(tx, secret_hash(secret), now + timedelta(hours=1))
        with pytest.raises(NotSignedIn):
            await accounts.session(tx, secret_hash(secret), now)
    assert (token.label, token.roles, token.scope) == ("loader", frozenset({Role.NURSE}), "system/*.cruds")


async def test_sessions_that_are_over_are_forgotten_in_all_hospitals(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    for code in (hospital, other_hospital):
        await _sign_in(database, code, now)
    async with database.transaction(hospital) as tx:
        await accounts.start_session(tx, ANA, now + timedelta(hours=11, minutes=30))
    async with database.system() as system:
        assert await accounts.forget_expired(system, now + timedelta(hours=12)) == 2
        assert await accounts.forget_expired(system, now + timedelta(hours=12)) == 0


async def test_no_secret_stands_in_the_database(database: Database, urls: Urls, hospital: str, now: datetime) -> None:
    secret = await _sign_in(database, hospital, now)
    async with database.transaction(hospital) as tx:
        token = await accounts.issue_token(tx, "loader", [], "", now)
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        cursor = await connection.execute("select s::text from session s union all select t::text from access_token t")
        kept = "".join(text for (text,) in await cursor.fetchall())
    assert secret_hash(secret).hex() in kept
    for each in (secret, token):
        assert each.partition(".")[2] not in kept


@pytest.mark.parametrize(
    "secret", ["", "hanbit", "hanbit.", "hanbit.short", "Hanbit." + "a" * 43, "." + "a" * 43, "h.b." + "a" * 43]
)
def test_a_credential_of_another_shape_is_refused(secret: str) -> None:
    with pytest.raises(NotSignedIn):
        accounts.hospital_of_secret(secret)


async def test_a_link_of_a_closed_account_sets_no_password(database: Database, hospital: str, now: datetime) -> None:
    await _account(database, hospital)
    async with database.transaction(hospital) as tx:
        link = secret_hash(await sign_ins.make_link(tx, ANA, now))
        await accounts.disable(tx, ANA)
        for look in (sign_ins.account_of_link, sign_ins.use_link):
            with pytest.raises(NotSignedIn):
                await look(tx, link, now)
        await accounts.disable(tx, ANA, disabled=False)
        assert await sign_ins.use_link(tx, link, now) == ANA
        with pytest.raises(NotSignedIn):
            await sign_ins.use_link(tx, link, now)


async def test_lent_roles_begin_and_end_with_their_time(database: Database, hospital: str, now: datetime) -> None:
    secret, taker = secret_hash(await _sign_in(database, hospital, now)), ANA
    hour = timedelta(hours=1)
    async with database.transaction(hospital) as tx:
        await accounts.create_account(
            tx, name="giver@hanbit", display_ko="x", display_en="x", roles=[Role.PHYSICIAN], password_hash=""
        )
        await delegations.give(
            tx, uuid4(), giver="giver@hanbit", taker=taker, roles=[Role.PHYSICIAN], since=now + hour / 4,
            until=now + hour / 2,
        )  # fmt: skip
        await accounts.act_for(tx, secret, "giver@hanbit")
        held = [
            Role.PHYSICIAN in (await accounts.session(tx, secret, now + hour * part)).may_act_as
            for part in (0.2, 0.3, 0.49, 0.5, 0.9)
        ]
    assert held == [False, True, True, False, False]
