"""National and network rules, shared by every hospital. Set-up writes them as `phis_migrate`; the application reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from psycopg import AsyncConnection, OperationalError
from pydantic import BaseModel

from domain.errors import Conflict, NotFound, Unavailable
from domain.rule_versions import RuleText

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


class SharedText(BaseModel, frozen=True):
    """A rule and when it applies; `since` None: from now on, or always where it is the first of its name."""

    text: RuleText
    since: datetime | None = None
    until: datetime | None = None


async def put(
    migrate_url: str, texts: Sequence[SharedText], *, signer: str, now: datetime, skip_others: bool = False
) -> tuple[int, list[str]]:
    """Keep shared rules that are not kept yet; returns how many that were, and which rules have another text there.

    The first version of a rule has always applied: a hospital's clock may show any time. Raises Conflict for another
    text under a version that is known, and for a version older than one that is kept, which an old pack would bring
    back into force; `skip_others` passes over both.
    """
    new, others = 0, []
    async with _connected(migrate_url) as connection, connection.transaction():
        await connection.execute("select edition from shared_rule_edition where name = 'rules' for update")
        for each in texts:
            known = await _known(connection, each.text)
            found = known.get(each.text.version)
            newest = max(known, key=_number, default=each.text.version)
            if found == each.text.digest:
                continue
            if found is not None or _number(each.text.version) < _number(newest):
                if not skip_others:
                    why = "another text has this version" if found else "a newer version is kept: give it a new number"
                    raise Conflict(why, rule=each.text.rule, version=each.text.version, kept=newest)
                others.append(each.text.rule)
                continue
            await _put(connection, each, signer, now if known else ALWAYS)
            new += 1
        if new:
            await connection.execute("update shared_rule_edition set edition = edition + 1 where name = 'rules'")
    return new, others


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


async def _known(connection: AsyncConnection, text: RuleText) -> dict[str, str]:
    """The digests of the versions of a rule."""
    cursor = await connection.execute(
        "select version, digest from shared_rule where level = %s and place = %s and rule = %s",
        [text.level, text.place, text.rule],
    )
    return {str(version): str(digest) for version, digest in await cursor.fetchall()}


async def _put(connection: AsyncConnection, each: SharedText, signer: str, published_at: datetime) -> None:
    await connection.execute(
        """
        insert into shared_rule (digest, rule, version, point, level, place, document, signer, since, until,
                                 published_at)
        values (%(digest)s, %(rule)s, %(version)s, %(point)s, %(level)s, %(place)s, %(document)s, %(signer)s,
                %(since)s, %(until)s, %(published_at)s)
        """,
        {
            **each.text.model_dump(),
            "signer": signer,
            "since": each.since or published_at,
            "until": each.until,
            "published_at": published_at,
        },
    )


async def join(migrate_url: str, hospital: str, network: str) -> None:
    """Let a hospital be of a network, whose rules then apply to it; '' for none. Raises NotFound."""
    async with _connected(migrate_url) as connection, connection.transaction():
        cursor = await connection.execute(
            "update shared_hospital set network = %s where code = %s", [network or None, hospital]
        )
        if cursor.rowcount != 1:
            raise NotFound("no such hospital")
        await connection.execute("update shared_rule_edition set edition = edition + 1 where name = 'rules'")


@asynccontextmanager
async def _connected(migrate_url: str) -> AsyncIterator[AsyncConnection]:
    try:
        async with await AsyncConnection.connect(migrate_url, autocommit=True) as connection:
            yield connection
    except OperationalError as down:
        raise Unavailable(f"the database does not answer: {down}", part="database") from down
