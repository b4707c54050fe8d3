"""The statements of a write: one for a single resource with its history and search rows, few for thousands.

Which search tables have rows is part of a statement's text: a table without any costs nothing. The texts repeat, so
the connection keeps them prepared.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from functools import cache

from store.fhir.marks import Change
from store.fhir.rows import TABLES, SearchTable


@cache
def create_one(filled: tuple[bool, ...], *, known_new: bool) -> bytes:
    """Keep a resource as version 1 with its rows. Returns nothing where the id exists; known new, that is an error."""
    conflict = "" if known_new else "on conflict do nothing"
    parts = [
        f"""
        with made as (
            insert into resource (hospital, type, id, version, last_updated, owner, key_id, body, marks)
            values (%(hospital)s, %(type)s, %(id)s, 1, %(now)s, %(owner)s, %(key_id)s, %(body)b, %(marks)b)
            {conflict} returning number, owner
        )
        """
    ]
    # Nothing has rows under a number that is new: only a change meets rows that stay.
    parts += [_insert(table, "made", conflict="") for table, some in zip(TABLES, filled, strict=True) if some]
    return (", ".join(parts) + " select number, owner from made").encode()


@cache
def change_one(changes: tuple[Change, ...], *, locked: bool) -> bytes:
    """Replace version `expected`, which goes to the history, and its rows by those that differ.

    locked: the transaction holds the resource already.
    """
    lock = "" if locked else "for update"
    parts = [
        f"""
        with seen as (
            select * from resource
            where hospital = %(hospital)s and key = %(key)s and version = %(expected)s
            {lock}
        ), kept as (
            insert into resource_history (hospital, type, id, version, last_updated, owner, key_id, body, deleted)
            select hospital, type, id, version, last_updated, owner, key_id, body, deleted from seen
        ), made as (
            update resource
            set version = seen.version + 1, last_updated = %(now)s, owner = coalesce(%(owner)s, seen.owner),
                key_id = %(key_id)s, body = %(body)b, deleted = %(deleted)s, marks = %(marks)b
            from seen
            where resource.hospital = %(hospital)s and resource.number = seen.number
            returning resource.number, resource.owner
        )
        """
    ]
    for table, change in zip(TABLES, changes, strict=True):
        if change in {Change.REMOVE, Change.COMPARE}:
            parts.append(_remove(table, some=change is Change.COMPARE))
        if change in {Change.INSERT, Change.COMPARE}:
            parts.append(_insert(table, "made", conflict="on conflict do nothing"))
    return (", ".join(parts) + " select number, owner from made").encode()


def _insert(table: SearchTable, source: str, *, conflict: str) -> str:
    return f"""
        new_{table.name} as (
            insert into {table.name} (hospital, {table.listed}, resource)
            select %(hospital)s, n.*, {source}.number from {source}, unnest({table.arrays()}) as n
            {conflict}
        )
        """


def _remove(table: SearchTable, *, some: bool) -> str:
    # Rows that stay are left alone: one statement cannot delete a row and insert its equal.
    same = " and ".join(f"n.{column} = old.{column}" for column in table.columns)
    staying = f"and not exists (select from unnest({table.arrays()}) as n ({table.listed}) where {same})"
    return f"""
        old_{table.name} as (
            delete from {table.name} old using made
            where old.hospital = %(hospital)s and old.resource = made.number {staying if some else ""}
        )
        """


NUMBERS = "select nextval('resource_number_seq') as number from generate_series(1, %s)"

CREATE_MANY = """
insert into resource (hospital, number, type, id, version, last_updated, owner, key_id, body)
select %(hospital)s, n.number, n.type, n.id, 1, %(now)s, n.owner, %(key_id)s, n.body
from unnest(%(numbers)s::int8[], %(types)s::text[], %(ids)s::text[], %(owners)s::text[], %(bodies)b::bytea[])
    as n (number, type, id, owner, body)
on conflict do nothing returning number
"""

KEEP_MANY = """
insert into resource_history (hospital, type, id, version, last_updated, owner, key_id, body, deleted)
select hospital, type, id, version, last_updated, owner, key_id, body, deleted from resource
where hospital = %(hospital)s and number = any(%(numbers)s::int8[])
"""

CHANGE_MANY = """
update resource r
set version = r.version + 1, last_updated = %(now)s, owner = coalesce(n.owner, r.owner), key_id = %(key_id)s,
    body = n.body, deleted = n.deleted
from unnest(%(numbers)s::int8[], %(owners)s::text[], %(deleted)s::bool[], %(bodies)b::bytea[])
    as n (number, owner, deleted, body)
where r.hospital = %(hospital)s and r.number = n.number
returning r.number, r.owner
"""


@cache
def insert_rows(table: SearchTable, *, again: bool = False) -> bytes:
    """Rows of many resources, whose numbers are known. again: some may be there."""
    text = f"""
        insert into {table.name} (hospital, {table.listed}, resource)
        select %(hospital)s, n.* from unnest({table.arrays()}, %(resources)s::int8[]) as n
        {"on conflict do nothing" if again else ""}
        """
    return text.encode()


@cache
def remove_rows(table: SearchTable) -> bytes:
    """All rows of many resources."""
    text = f"delete from {table.name} where hospital = %(hospital)s and resource = any(%(resources)s::int8[])"
    return text.encode()


@cache
def remove_others(table: SearchTable) -> bytes:
    """All rows of a resource but these."""
    same = " and ".join(f"n.{column} = old.{column}" for column in table.columns)
    text = f"""
        delete from {table.name} old
        where old.hospital = %(hospital)s and old.resource = %(resource)s
          and not exists (select from unnest({table.arrays()}) as n ({table.listed}) where {same})
        """
    return text.encode()
