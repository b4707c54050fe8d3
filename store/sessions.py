"""Sessions and tokens (ADR 0009). A secret reads `hanbit.<43 characters>`; only its hash is kept. Times are real."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from domain.errors import NotSignedIn
from domain.roles import Role
from store import outbox
from store.database import SystemTransaction, Transaction
from store.people.held import held
from store.pipeline import Pending

TOPIC = "sessions"
"""Sessions were ended by somebody: open streams look whether theirs stands."""

LASTS = timedelta(hours=12)
IDLES = timedelta(hours=1)

# How often a session in use is written: else every request would be a write.
_SEEN_EVERY = timedelta(minutes=1)

_AGENT = 200  # characters of what a browser says it is

_SECRET = re.compile(r"([a-z][a-z0-9]{1,30})\.[A-Za-z0-9_-]{43}")


# What the colleague has lost since then is not lent any more; nor is what the taker's own licence does not allow.
_SESSION = f"""
select s.account, s.csrf, s.started_at, s.seen_at, s.expires_at, s.proved_at, s.method,
       a.display_ko, a.display_en, {held("a.roles", "a.hospital", "a.name")} as roles,
       d.giver as on_behalf_of, coalesce({held("d.lent", "s.hospital", "s.account")}, '{{}}') as lent
from session s join account a on a.hospital = s.hospital and a.name = s.account
left join hospital_clock clock on clock.hospital = s.hospital
left join lateral (
    select d.giver,
           array(select unnest(d.roles) intersect select unnest({held("g.roles", "g.hospital", "g.name")})) as lent
    from delegation d join account g on g.hospital = d.hospital and g.name = d.giver and not g.disabled
    where d.hospital = s.hospital and d.taker = s.account and d.giver = s.acting_for
      and d.since <= %(now)s and d.until > %(now)s and d.ended_at is null
    order by d.until desc limit 1
) d on true
where s.hospital = %(hospital)s and s.secret_hash = %(hash)s and s.expires_at > %(now)s
  and s.seen_at > %(idle)s and not a.disabled
""".encode()  # noqa: S608  # columns and pieces of ours

_TOKEN = f"""
select t.label, {held("t.roles", "t.hospital", "t.label")} as roles, t.scope, t.expires_at
from access_token t left join client c on c.hospital = t.hospital and c.id = t.label
left join hospital_clock clock on clock.hospital = t.hospital
where t.hospital = %(hospital)s and t.secret_hash = %(hash)s and t.expires_at > %(now)s and c.disabled is not true
""".encode()  # noqa: S608  # columns and pieces of ours


class Session(BaseModel, frozen=True):
    """A signed-in person. `csrf` is what their forms carry; `proved_at`: when they last proved to be still there."""

    account: str
    display_ko: str
    display_en: str
    roles: frozenset[Role]
    csrf: str = Field(repr=False)
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    proved_at: datetime | None
    method: str
    on_behalf_of: str | None = None
    lent: frozenset[Role] = frozenset()

    @property
    def may_act_as(self) -> frozenset[Role]:
        """The person's own roles, and those that the colleague lent for whom the person acts at the moment."""
        return self.roles | self.lent


class OwnSession(BaseModel, frozen=True):
    """A session as its owner sees it in a list. `name` tells it apart and opens nothing."""

    secret_hash: bytes = Field(repr=False)
    started_at: datetime
    seen_at: datetime
    address: str | None
    agent: str | None
    before_at: datetime | None = None
    before_from: str | None = None
    before_failed: int = 0

    @property
    def name(self) -> str:
        return hashlib.sha256(self.secret_hash).hexdigest()[:16]


class Token(BaseModel, frozen=True):
    """A client's token. `label` names who acts; `scope` is SMART's, e.g. `system/*.cruds`, or empty."""

    label: str
    roles: frozenset[Role]
    scope: str
    expires_at: datetime


def hospital_of_secret(secret: str) -> str:
    """The hospital whose transaction looks a cookie or token up. Raises NotSignedIn for anything of another shape."""
    match = _SECRET.fullmatch(secret)
    if match is None:
        raise NotSignedIn("not a credential of ours")
    return match[1]


def is_person(label: str) -> bool:
    """Whether an account acts with a token, and not a program: only accounts have an '@'."""
    return "@" in label


def secret_hash(secret: str) -> bytes:
    """SHA-256 is enough: the secret has 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


async def start_session(
    tx: Transaction,
    account: str,
    now: datetime,
    *,
    lasts: timedelta = LASTS,
    method: str = "password",
    proved: bool = False,
    address: str | None = None,
    agent: str | None = None,
) -> str:
    """Sign an account in and return the cookie's value, which is kept nowhere and never used before.

    proved: two proofs were given, so that the next minutes need no further one.  agent: what the browser says it is.
    """
    secret = new_secret(tx)
    await tx.execute(
        """
        with before as (
            select signed_in_at, signed_in_from, failed_since from account
            where hospital = %(hospital)s and name = %(account)s
        ), signed as (
            update account set signed_in_at = %(now)s, signed_in_from = %(address)s, failed_since = 0
            where hospital = %(hospital)s and name = %(account)s
        )
        insert into session
            (hospital, secret_hash, account, csrf, started_at, seen_at, expires_at, proved_at, method, address, agent,
             before_at, before_from, before_failed)
        select %(hospital)s, %(hash)s::bytea, %(account)s, %(csrf)s, %(now)s::timestamptz, %(now)s::timestamptz,
               %(expires)s::timestamptz, %(proved)s::timestamptz, %(method)s, %(address)s, %(agent)s,
               b.signed_in_at, b.signed_in_from, coalesce(b.failed_since, 0)
        from (select 1) one left join before b on true
        """,
        {
            "hospital": tx.hospital,
            "hash": secret_hash(secret),
            "account": account,
            "csrf": secrets.token_urlsafe(32),
            "now": now,
            "expires": now + lasts,
            "proved": now if proved else None,
            "method": method,
            "address": address,
            "agent": agent[:_AGENT] if agent else None,
        },
    )
    return secret


async def session(
    tx: Transaction, secret_hash: bytes, now: datetime, *, idles: timedelta = IDLES, used: bool = True
) -> Session:
    """Who is signed in. Raises NotSignedIn for an unknown, expired or idle session and for a disabled account.

    used: False for a look that is nobody's action, such as an open stream's, and so does not keep the session awake.
    """
    found = await tx.rows(
        Session,
        _SESSION,
        {"hospital": tx.hospital, "hash": secret_hash, "now": now, "idle": now - idles},
    )
    if not found:
        raise NotSignedIn("no such session")
    if used and now - found[0].seen_at >= _SEEN_EVERY:
        await tx.execute(
            "update session set seen_at = %s where hospital = %s and secret_hash = %s", [now, tx.hospital, secret_hash]
        )
    return found[0]


async def act_for(tx: Transaction, secret_hash: bytes, colleague: str | None) -> None:
    """From the next request on the session acts on behalf of a colleague who has lent roles; None: for oneself."""
    await tx.execute(
        "update session set acting_for = %s where hospital = %s and secret_hash = %s",
        [colleague, tx.hospital, secret_hash],
    )


async def end_session(tx: Transaction, secret_hash: bytes) -> None:
    """Sign out; doing it again changes nothing."""
    await tx.execute("delete from session where hospital = %s and secret_hash = %s", [tx.hospital, secret_hash])


async def proved(tx: Transaction, secret_hash: bytes, now: datetime) -> None:
    """Note that the person of a session has just proved to be still there."""
    await tx.execute(
        "update session set proved_at = %s where hospital = %s and secret_hash = %s", [now, tx.hospital, secret_hash]
    )


async def sessions_of(tx: Transaction, account: str, now: datetime, *, idles: timedelta = IDLES) -> list[OwnSession]:
    """The sessions of an account that still stand, the one used last first."""
    return await tx.rows(
        OwnSession,
        """
        select secret_hash, started_at, seen_at, address, agent, before_at, before_from, before_failed from session
        where hospital = %s and account = %s and expires_at > %s and seen_at > %s order by seen_at desc, started_at desc
        """,
        [tx.hospital, account, now, now - idles],
    )


async def end_sessions(tx: Transaction, account: str, *, but: bytes = b"") -> int:
    """End the sessions of an account, and its sign-ins under way; say how many sessions. `but`: this one stays."""
    await tx.execute("delete from sign_in where hospital = %s and account = %s", [tx.hospital, account])
    gone = await tx.all(
        "delete from session where hospital = %s and account = %s and secret_hash <> %s returning 1 as one",
        [tx.hospital, account, but],
    )
    if gone:
        await outbox.put(tx, TOPIC, account)
    return len(gone)


async def forget_expired(tx: SystemTransaction, now: datetime, *, idles: timedelta = IDLES) -> int:
    """Delete sessions and tokens of all hospitals that are over, and say how many."""
    gone = await tx.one(
        """
        with sessions as (delete from session where expires_at <= %(now)s or seen_at <= %(idle)s returning 1),
             tokens as (delete from access_token where expires_at <= %(now)s returning 1)
        select (select count(*) from sessions) + (select count(*) from tokens) as n
        """,
        {"now": now, "idle": now - idles},
    )
    return int(gone["n"]) if gone else 0


async def issue_token(tx: Transaction, label: str, roles: Collection[Role], scope: str, expires: datetime) -> str:
    """Give a client a token and return it; it is kept nowhere."""
    secret = new_secret(tx)
    await tx.execute(
        """
        insert into access_token (hospital, secret_hash, label, roles, scope, expires_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        [tx.hospital, secret_hash(secret), label, sorted(roles), scope, expires],
    )
    return secret


async def token(tx: Transaction, secret_hash: bytes, now: datetime) -> Token:
    """What a token may. Raises NotSignedIn for an unknown or expired one, and for a closed client's."""
    found = await tx.rows(
        Token,
        _TOKEN,
        {"hospital": tx.hospital, "hash": secret_hash, "now": now},
    )
    if not found:
        raise NotSignedIn("no such token")
    return found[0]


async def standing(tx: Transaction, secret_hash: bytes, now: datetime) -> Pending:
    """Asks whether a token has neither ended nor run out, and fails where it has, which ends the transaction.

    Travels with the next statement. The error is PostgreSQL's division by zero: `refused` tells whose it was.
    """
    return await tx.connection.execute(
        "select 1 / count(*) as one from access_token where hospital = %s and secret_hash = %s and expires_at > %s",
        [tx.hospital, secret_hash, now],
    )


async def end_tokens(tx: Transaction, label: str) -> None:
    """End the tokens of a client, or those that act for an account."""
    await tx.execute("delete from access_token where hospital = %s and label = %s", [tx.hospital, label])


def new_secret(tx: Transaction) -> str:
    """A credential of the hospital that nobody had before: 256 random bits (ADR 0009)."""
    return f"{tx.hospital}.{secrets.token_urlsafe(32)}"
