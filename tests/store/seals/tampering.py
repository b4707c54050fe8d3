"""Ways in which somebody with the whole database, but neither keys nor the second place, may change a sealed audit.

Every way picks a sealed row or link by chance, changes something of it for good, and says which running numbers of the
chain are concerned. `rehash` is what a careful attacker does besides: make every hash fit again that needs no key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

from store.seals.chain import Link
from store.seals.content import DIGEST
from store.seals.sealer import asked, links_from

Connection = AsyncConnection[DictRow]

COLUMNS = [
    "hospital",
    "xid",
    "id",
    "recorded_at",
    "action",
    "actor",
    "outcome",
    "entities",
    "patients",
    "detail",
    "address",
    "roles",
    "purpose",
    "on_behalf_of",
    "request",
    "found",
    "key_id",
    "sealed",
]


@dataclass(frozen=True)
class Tampered:
    """first, until: running numbers that a finding must touch.  exact: it must name `first` itself."""

    how: str
    first: int
    until: int
    exact: bool = True


@dataclass
class Trail:
    """A sealed audit in an attacker's hands."""

    connection: Connection
    hospital: str
    chance: Random
    links: list[Link]

    @classmethod
    async def of(cls, connection: Connection, hospital: str, chance: Random) -> Trail:
        return cls(connection, hospital, chance, await links_from(asked(connection), hospital, 1, 10_000))

    def any_link(self) -> Link:
        return self.chance.choice([link for link in self.links if link.ids])

    def any_row(self) -> tuple[Link, int]:
        """A link and the place of one of its rows."""
        link = self.any_link()
        return link, self.chance.randrange(len(link.ids))

    def everything(self) -> int:
        return self.links[-1].last

    async def run(self, statement: str, *params: object) -> None:
        await self.connection.execute(statement.encode(), params)

    async def row(self, id_: int) -> dict[str, Any]:
        cursor = await self.connection.execute(
            "select * from audit_event where hospital = %s and id = %s", [self.hospital, id_]
        )
        found = await cursor.fetchone()
        assert found is not None
        return found

    async def insert(self, row: dict[str, Any]) -> None:
        statement = sql.SQL("insert into audit_event ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row))
        )
        await self.connection.execute(statement, row)

    async def put(self, link: Link, *, at: int | None = None) -> None:
        """Write a link over the one with the number `at`, or its own."""
        names = [each.name for each in fields(Link)]
        assignments = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in names
        )
        values = {**vars(link), "at_hospital": self.hospital, "at_number": at or link.number}
        await self.connection.execute(
            sql.SQL("update audit_seal set {} where hospital = %(at_hospital)s and number = %(at_number)s").format(
                assignments
            ),
            values,
        )

    async def rehash(self, changed: Link) -> None:
        """Make the chain fit again from a link on, as far as it goes without a key."""
        await self.put(replace(changed, hash=(before := replace(changed, hash=changed.computed())).hash))
        for link in self.links[changed.number :]:
            anew = replace(link, previous=before.hash, first=before.last + 1)
            before = replace(anew, hash=anew.computed())
            await self.put(before)


async def edit(trail: Trail) -> Tampered:
    """Another value in one column of one row."""
    link, index = trail.any_row()
    column = trail.chance.choice(COLUMNS)
    id_ = link.ids[index]
    now = await trail.row(id_)
    anew: Any
    match now[column]:
        case list() as several:
            anew = [*several, "Patient/other"] if trail.chance.random() < 0.5 or not several else several[1:]
        case bytes() as some:
            flipped = bytearray(some)
            flipped[trail.chance.randrange(len(flipped))] ^= 1 << trail.chance.randrange(8)
            anew = bytes(flipped)
        case int() as number:
            anew = number + trail.chance.choice([-1, 1]) * (10_000_000 if column in {"xid", "id"} else 1)
        case None:
            anew = {"found": 1, "roles": ["nurse"], "sealed": b"x"}.get(column, "x")
        case str() as text:
            anew = trail.chance.choice(["", text + " ", text[:-1], "somebody else"])
        case at:
            anew = at.replace(microsecond=(at.microsecond + 1) % 1_000_000)
    if anew == now[column]:
        anew = "x"
    statement = f"update audit_event set {column} = %s where hospital = %s and id = %s"  # noqa: S608  (from a list)
    await trail.run(statement, anew, trail.hospital, id_)
    place = link.first + index
    if column == "xid" and anew < now["xid"] and link.number > 1:
        # It now stands before everything, in the first link, which does not know its id. A row of the first link
        # stays in it and is known by its id: then its own place is named.
        return Tampered("edit xid", 1, 1)
    if column == "id":
        return Tampered("edit id", max(link.first, place - 4), place, exact=False)  # it moved within its transaction
    return Tampered(f"edit {column}", place, place)


async def delete(trail: Trail) -> Tampered:
    link, index = trail.any_row()
    await trail.run("delete from audit_event where hospital = %s and id = %s", trail.hospital, link.ids[index])
    return Tampered("delete", link.first + index, link.first + index)


async def insert(trail: Trail) -> Tampered:
    """An access that never was, among the transactions that are sealed."""
    link, index = trail.any_row()
    row = await trail.row(link.ids[index])
    row |= {"id": trail.chance.choice([-1, 1]) * trail.chance.randint(10**8, 10**9), "actor": "invented"}
    await trail.insert(row)
    # It stands before or after the rows of its transaction.
    return Tampered("insert", max(link.first, link.first + index - 4), link.last + 1, exact=False)


async def insert_below(trail: Trail) -> Tampered:
    """Under a transaction number that no transaction ever had."""
    link, index = trail.any_row()
    row = await trail.row(link.ids[index])
    await trail.insert(row | {"id": trail.chance.randint(10**8, 10**9), "xid": -trail.chance.randint(1, 10**9)})
    return Tampered("insert below", 1, 1)


async def insert_beyond(trail: Trail) -> Tampered:
    """Under a transaction number that is far ahead, where no sealer comes by."""
    link, index = trail.any_row()
    row = await trail.row(link.ids[index])
    await trail.insert(row | {"id": 10**9, "xid": trail.chance.randint(10**15, 10**17)})
    return Tampered("insert beyond", trail.everything() + 1, trail.everything() + 1)


async def twin(trail: Trail) -> Tampered:
    """A second row with the same numbers and another time."""
    link, index = trail.any_row()
    row = await trail.row(link.ids[index])
    await trail.insert(row | {"recorded_at": row["recorded_at"].replace(year=2027)})
    return Tampered("twin", link.first + index, link.first + index + 1, exact=False)


async def swap(trail: Trail) -> Tampered:
    """What two rows say, exchanged; their numbers stay."""
    (one, i), (two, j) = trail.any_row(), trail.any_row()
    while (one.number, i) == (two.number, j):
        two, j = trail.any_row()
    first, second = await trail.row(one.ids[i]), await trail.row(two.ids[j])
    numbers = {"xid", "id", "hospital"}
    for mine, other in ((first, second), (second, first)):
        await trail.run("delete from audit_event where hospital = %s and id = %s", trail.hospital, mine["id"])
        await trail.insert({name: (mine if name in numbers else other)[name] for name in mine})
    place = min(one.first + i, two.first + j)
    return Tampered("swap", place, place)


async def truncate(trail: Trail) -> Tampered:
    """All rows, or those of all links from one on, with the links."""
    if trail.chance.random() < 0.3:
        await trail.run("truncate audit_event")
        return Tampered("truncate rows", 1, 1)
    link = trail.any_link()
    if trail.chance.random() < 0.5:
        await trail.run("delete from audit_event where hospital = %s and xid >= %s", trail.hospital, link.from_xid)
    await trail.run("delete from audit_seal where hospital = %s and number >= %s", trail.hospital, link.number)
    return Tampered("truncate links", link.first, link.first)


async def wipe(trail: Trail) -> Tampered:
    """Everything, as if there had never been an audit."""
    await trail.run("truncate audit_event, audit_seal")
    return Tampered("wipe", 1, 1)


async def lose_link(trail: Trail) -> Tampered:
    link = trail.any_link()
    await trail.run("delete from audit_seal where hospital = %s and number = %s", trail.hospital, link.number)
    return Tampered("lose link", link.first, link.first)


async def edit_link(trail: Trail) -> Tampered:
    """Something of a link, with or without its hash made to fit again."""
    link = trail.any_link()
    index = trail.chance.randrange(len(link.ids))
    name = trail.chance.choice(
        ["previous", "digests", "ids", "top", "first", "sealed_at", "signature", "hash", "key_id"]
    )
    flipped = bytearray(getattr(link, name)) if isinstance(getattr(link, name), bytes) else bytearray()
    if flipped:
        flipped[trail.chance.randrange(len(flipped))] ^= 1 << trail.chance.randrange(8)
    changes: dict[str, Any] = {
        "ids": [*link.ids[:index], link.ids[index] + 10**9, *link.ids[index + 1 :]],
        "top": link.top + 1,
        "first": link.first + 1,
        "sealed_at": link.sealed_at.replace(microsecond=(link.sealed_at.microsecond + 1) % 1_000_000),
        "key_id": "other",
    }
    anew = replace(link, **{name: changes.get(name, bytes(flipped))})
    if name not in {"hash", "signature"} and trail.chance.random() < 0.6:
        await trail.rehash(anew)
        return Tampered(f"rehash link {name}", link.first, link.last, exact=False)
    await trail.put(anew)
    return Tampered(f"edit link {name}", link.first, link.last, exact=False)


async def swap_links(trail: Trail) -> Tampered:
    one, two = trail.chance.sample(trail.links, 2)
    await trail.put(replace(one, number=-1), at=one.number)
    await trail.put(replace(two, number=one.number), at=two.number)
    await trail.put(replace(one, number=two.number), at=-1)
    first = min(one, two, key=lambda link: link.number)
    return Tampered("swap links", first.first, first.last, exact=False)


async def rewrite(trail: Trail) -> Tampered:
    """A row gone from rows, link and chain, every hash made to fit again: all that can be done without a key."""
    link, index = trail.any_row()
    await trail.run("delete from audit_event where hospital = %s and id = %s", trail.hospital, link.ids[index])
    ids = [*link.ids[:index], *link.ids[index + 1 :]]
    digests = link.digests[: index * DIGEST] + link.digests[(index + 1) * DIGEST :]
    await trail.rehash(replace(link, ids=ids, digests=digests))
    return Tampered("rewrite", link.first, link.last, exact=False)


async def rewrite_row(trail: Trail) -> Tampered:
    """A row that says something else, with a digest as good as one can make it."""
    link, index = trail.any_row()
    id_ = link.ids[index]
    await trail.run(
        "update audit_event set actor = 'somebody else' where hospital = %s and id = %s", trail.hospital, id_
    )
    digest = trail.chance.randbytes(DIGEST)
    digests = link.digests[: index * DIGEST] + digest + link.digests[(index + 1) * DIGEST :]
    await trail.rehash(replace(link, digests=digests))
    return Tampered("rewrite row", link.first + index, link.first + index)


async def replay(trail: Trail) -> Tampered:
    """A real link again, under the next number, after the rest was cut off."""
    link = trail.any_link()
    await trail.run("delete from audit_seal where hospital = %s and number >= %s", trail.hospital, link.number)
    other = trail.chance.choice(trail.links[: link.number - 1] or trail.links)
    names = [each.name for each in fields(Link)]
    statement = sql.SQL("insert into audit_seal ({}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(map(sql.Placeholder, names))
    )
    if other.number < link.number:
        await trail.connection.execute(statement, vars(replace(other, number=link.number)))
    return Tampered("replay", link.first, link.last, exact=False)


WAYS: tuple[Callable[[Trail], Awaitable[Tampered]], ...] = (
    edit,
    edit,
    edit,
    delete,
    delete,
    insert,
    insert_below,
    insert_beyond,
    twin,
    swap,
    truncate,
    wipe,
    lose_link,
    edit_link,
    edit_link,
    swap_links,
    rewrite,
    rewrite_row,
    replay,
)
