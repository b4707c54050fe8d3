"""Search rows travel as PostgreSQL's array literals: every sign must arrive as it is."""

from __future__ import annotations

import pytest

from store.database import Database
from store.fhir.rows import array

TEXTS = [
    'a "quoted" name',
    "back\\slash",
    "\\",
    '"',
    "",
    "NULL",
    "null",
    "{a,b}",
    "a,b",
    " spaces ",
    "한글 이름",
    "a\tb\nc",
]


@pytest.mark.parametrize("texts", [TEXTS, TEXTS[:1], []])
async def test_texts_arrive_as_they_are(database: Database, hospital: str, texts: list[str]) -> None:
    async with database.transaction(hospital) as tx:
        rows = await tx.all("select text from unnest(%s::text[]) as text", [array("text", texts)])
    assert [row["text"] for row in rows] == texts


async def test_numbers_arrive_as_they_are(database: Database, hospital: str) -> None:
    async with database.transaction(hospital) as tx:
        rows = await tx.all("select n from unnest(%s::int8[]) as n", [array("int8", [-(2**63), 0, 2**63 - 1])])
    assert [row["n"] for row in rows] == [-(2**63), 0, 2**63 - 1]
