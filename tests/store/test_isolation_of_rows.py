"""A row of each table that came after the first house stays in its hospital (engine room, 9)."""

from __future__ import annotations

import pytest
from psycopg import AsyncConnection, sql

from store.database import Database
from tests.store.values import Urls

PEOPLE = (
    "absence",
    "business_week",
    "contact",
    "credential",
    "duty",
    "duty_above",
    "duty_need",
    "holiday",
    "notice",
    "notice_event",
    "patient_merge",
    "patient_number",
    "setup_alarm",
    "worklist_filter",
    "worklist_snooze",
)


MASTER_DATA = ("master_edition", "master_entry", "master_pack", "master_policy", "master_turn")

_NAMED = {"basis": "own", "state": "proposed"}
"""Columns that take certain words only."""


@pytest.mark.parametrize("table", [*PEOPLE, *MASTER_DATA])
async def test_a_row_of_people_or_master_data_stays_in_its_hospital(
    database: Database, urls: Urls, hospital: str, other_hospital: str, table: str
) -> None:
    """A row of each table, made by who may do everything: its hospital sees it, the other and nobody do not."""
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        columns = await (
            await connection.execute(
                """
                select attname, format_type(atttypid, null) from pg_attribute
                where attrelid = %s::regclass and attnum > 0 and not attisdropped and attnotnull and attidentity = ''
                order by attnum
                """,
                [table],
            )
        ).fetchall()
        values = {
            "text": hospital,
            "character varying": "x",
            "uuid": "00000000-0000-0000-0000-000000000001", "integer": 1, "bigint": 1, "bytea": b"x",
            "timestamp with time zone": "2026-11-24T00:00Z", "date": "2026-11-24", "jsonb": "{}",
            "time without time zone": "08:00", "boolean": True, "text[]": [],
        }  # fmt: skip
        await connection.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
                sql.SQL(", ").join(sql.Placeholder() for _ in columns),
            ),
            [_NAMED.get(str(name), values[kind]) if table in MASTER_DATA else values[kind] for name, kind in columns],
        )
    seen = {}
    for code in (hospital, other_hospital, ""):
        async with database.transaction(code) as tx:
            seen[code] = await tx.one(sql.SQL("select 1 from {} limit 1").format(sql.Identifier(table))) is not None
    assert seen == {hospital: True, other_hospital: False, "": False}
