"""Whoever changes a sealed audit with the whole database in hand is found, and the place is named.

The seed is printed and may be given again: TAMPER_SEED=… in the environment.
"""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from store.database import Database
from store.sealing import KeyRing
from store.seals import chain, verifying
from store.seals.checkpoints import Folder
from store.seals.verifying import Finding, verify
from tests.store.seals.tampering import WAYS, Tampered, Trail
from tests.store.seals.trail import attacker, folder, seal, sealer, write
from tests.store.values import Urls

ROWS = 60
SAMPLE = 60
ALL = 1000


@pytest.fixture
async def place(database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path) -> Folder:
    """The second place of an audit of a few links, sealed, with a short tail."""
    kept = folder(tmp_path)
    await write(database, hospital, ROWS)
    await seal(database, hospital, sealer(urls, keys, kept, batch=7))
    await write(database, hospital, 3, seed=2)
    return kept


@pytest.fixture
async def hand(urls: Urls) -> AsyncIterator[AsyncConnection[DictRow]]:
    async with attacker(urls) as connection:
        yield connection


def _named(findings: list[Finding], done: Tampered) -> bool:
    """Whether the first finding is about the place that was tampered with."""
    if not findings:
        return False
    first = findings[0]
    if done.exact:
        return first.position == done.first
    return first.position <= done.until and first.until >= done.first


@dataclass(frozen=True)
class _AsLeft:
    """What an attacker's open transaction has done: a thousand of them need not be written down."""

    hand: AsyncConnection[DictRow]
    hospital: str

    async def all(self, sql: Any, params: Any = None) -> list[DictRow]:
        return await (await self.hand.execute(sql, params)).fetchall()


async def _tamper(
    count: int, seed: int, keys: KeyRing, hospital: str, place: Folder | None, *, hand: AsyncConnection[DictRow]
) -> tuple[Counter[str], list[str]]:
    """Tamper `count` times, each time with an untouched audit. Returns the ways taken, and what was not found."""
    chance = Random(seed)  # noqa: S311
    ways: Counter[str] = Counter()
    escaped = []
    now = datetime.now(UTC)

    @asynccontextmanager
    async def as_left(_: str) -> AsyncIterator[_AsLeft]:
        yield _AsLeft(hand, hospital)

    for number in range(count):
        await hand.execute("begin")
        trail = await Trail.of(hand, hospital, chance)
        done = await WAYS[number % len(WAYS)](trail)
        ways[done.how] += 1
        verdict = await verify(as_left, keys, hospital, place, now)
        if not _named(verdict.findings, done):
            escaped.append(f"{number} {done}: {verdict.findings[:2]}")
        await hand.execute("rollback")
    return ways, escaped


def _seed() -> int:
    return int(os.environ.get("TAMPER_SEED", "0")) or SystemRandom().randrange(1, 10**9)


async def test_an_untouched_audit_is_sound_and_its_tail_is_told(
    database: Database, keys: KeyRing, hospital: str, place: Folder
) -> None:
    verdict = await verify(database.transaction, keys, hospital, place, datetime.now(UTC))
    assert (verdict.findings, verdict.rows, verdict.tail) == ([], ROWS, 3)


async def test_a_sample_of_tamperings_is_found_at_its_place(
    keys: KeyRing, hospital: str, place: Folder, hand: AsyncConnection[DictRow]
) -> None:
    seed = _seed()
    print(f"TAMPER_SEED={seed}")  # noqa: T201
    ways, escaped = await _tamper(SAMPLE, seed, keys, hospital, place, hand=hand)
    assert escaped == [], f"TAMPER_SEED={seed}"
    assert ways.total() == SAMPLE


@pytest.mark.parametrize(
    ("link", "wrong", "position"), [(0, "row-changed", 3), (0, "row-changed", 7), (1, "row-inserted", 1)]
)
async def test_a_row_moved_before_all_others_is_named_by_its_own_place_if_its_link_still_holds_it(
    keys: KeyRing,
    hospital: str,
    place: Folder,
    hand: AsyncConnection[DictRow],
    database: Database,
    *,
    link: int,
    wrong: str,
    position: int,
) -> None:
    links = (await Trail.of(hand, hospital, Random(1))).links  # noqa: S311
    id_ = links[link].ids[position - 1 if link == 0 else 2]
    await hand.execute("update audit_event set xid = -9 where hospital = %s and id = %s", [hospital, id_])
    first = (await verify(database.transaction, keys, hospital, place, datetime.now(UTC))).findings[0]
    assert (first.what.value, first.position, first.row) == (wrong, position, id_)


@pytest.mark.long
async def test_a_thousand_tamperings_are_found_at_their_places(
    keys: KeyRing, hospital: str, place: Folder, hand: AsyncConnection[DictRow]
) -> None:
    seed = _seed()
    ways, escaped = await _tamper(ALL, seed, keys, hospital, place, hand=hand)
    print(f"TAMPER_SEED={seed}: {ALL} tamperings, {len(escaped)} not found")  # noqa: T201
    for how, times in sorted(ways.items()):
        print(f"{times:5} {how}")  # noqa: T201
    assert escaped == [], f"TAMPER_SEED={seed}"


def _right_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying.hmac, "compare_digest", lambda _one, _two: True)


def _right_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "verified", lambda *_: True)


def _right_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying._Check, "_look_at_line", lambda *_: None)


def _nothing_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying._Check, "end", lambda _: None)


def _no_invented_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: object) -> list[int]:
        return []

    monkeypatch.setattr(verifying, "_impossible", none)


@pytest.mark.parametrize(
    ("off", "escapes"),
    [
        ([_right_digest], "edit"),
        ([_right_signature, _right_lines], "rewrite"),
        ([_nothing_beyond], "wipe"),
        ([_no_invented_rows], "insert beyond"),
    ],
)
async def test_with_a_check_switched_off_something_escapes(
    keys: KeyRing,
    hospital: str,
    place: Folder,
    hand: AsyncConnection[DictRow],
    *,
    monkeypatch: pytest.MonkeyPatch,
    off: list[Callable[[pytest.MonkeyPatch], None]],
    escapes: str,
) -> None:
    for each in off:
        each(monkeypatch)
    _, escaped = await _tamper(2 * len(WAYS), 7, keys, hospital, place, hand=hand)
    assert any(f"how='{escapes}" in each for each in escaped)


async def test_without_the_second_place_a_cut_is_not_seen_and_that_is_told(
    keys: KeyRing, database: Database, hospital: str, place: Folder, hand: AsyncConnection[DictRow]
) -> None:
    await hand.execute("truncate audit_event, audit_seal")
    blind = await verify(database.transaction, keys, hospital, None, datetime.now(UTC))
    assert (blind.sound, blind.compared) == (True, False)
    assert not (await verify(database.transaction, keys, hospital, place, datetime.now(UTC))).sound


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda lines: [*lines[:2], lines[2].replace('"hash":"', '"hash":"A', 1)[:-3] + "\n", *lines[3:]], "missing"),
        (lambda lines: [*lines[:2], _another_hash(lines[2]), *lines[3:]], "forged"),
        (lambda lines: [*lines[:2], *lines[3:]], "missing"),
        (lambda lines: [*lines, lines[0].replace('"number":1,', '"number":9999,')], "forged"),
        (lambda lines: [lines[1], *lines[1:]], "missing"),
    ],
)
async def test_a_forged_or_lost_line_of_the_second_place_is_found(
    database: Database,
    keys: KeyRing,
    hospital: str,
    place: Folder,
    *,
    change: Callable[[list[str]], list[str]],
    wrong: str,
) -> None:
    (file,) = place.directory.iterdir()
    file.write_text("".join(change(file.read_text().splitlines(keepends=True))))
    verdict = await verify(database.transaction, keys, hospital, place, datetime.now(UTC))
    assert f"checkpoint-{wrong}" in {each.what.value for each in verdict.findings}


def _another_hash(line: str) -> str:
    said = json.loads(line)
    said["hash"] = base64.b64encode(bytes(32)).decode()
    return json.dumps(said) + "\n"
