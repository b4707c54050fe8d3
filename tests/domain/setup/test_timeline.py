"""Which version applies when: a price from tomorrow, a closure until Friday, an end, a change of mind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.setup.kinds import Kind
from domain.setup.timeline import State, Version, applying, turns, validity

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def version(number: int, since: datetime, price: int | None, *, until: datetime | None = None, **more: Any) -> Version:
    content = None if price is None else {"amount": price}
    return Version(
        kind=Kind.FEE, code="V", version=number, since=since, until=until, content=content, recorded_at=NOW, **more
    )


def price(versions: list[Version], at: datetime) -> int | None:
    found = applying(versions, at)
    return found.content["amount"] if found and found.content else None


def test_a_price_from_tomorrow_applies_from_tomorrow() -> None:
    prices = [version(1, NOW - DAY, 100), version(2, NOW + DAY, 120)]
    assert [price(prices, NOW + days * DAY) for days in (-2, -1, 0, 1)] == [None, 100, 100, 120]
    assert turns(prices, NOW) == [NOW + DAY]


def test_of_two_that_begin_together_the_later_correction_applies() -> None:
    assert price([version(1, NOW, 100), version(2, NOW, 90)], NOW) == 90


def test_a_correction_of_today_leaves_what_was_planned_for_tomorrow() -> None:
    prices = [version(1, NOW - DAY, 100), version(2, NOW + DAY, 120), version(3, NOW, 101)]
    assert [price(prices, NOW), price(prices, NOW + DAY)] == [101, 120]


def test_a_passing_change_gives_way_to_what_was_before() -> None:
    prices = [version(1, NOW - DAY, 100), version(2, NOW, 50, until=NOW + DAY)]
    assert [price(prices, NOW), price(prices, NOW + DAY)] == [50, 100]
    assert turns(prices, NOW - 2 * DAY) == [NOW - DAY, NOW, NOW + DAY]


def test_an_entry_ends_and_may_come_back() -> None:
    prices = [version(1, NOW - DAY, 100), version(2, NOW, None), version(3, NOW + DAY, 110)]
    assert [price(prices, NOW - DAY), price(prices, NOW), price(prices, NOW + DAY)] == [100, None, 110]


def test_what_waits_or_was_withdrawn_never_applies() -> None:
    prices = [version(1, NOW - DAY, 100), version(2, NOW, 1, state=State.PROPOSED)]
    prices.append(version(3, NOW, 2, state=State.WITHDRAWN))
    assert price(prices, NOW + DAY) == 100
    assert turns(prices, NOW - DAY) == []


def test_how_long_a_code_is_valid() -> None:
    assert validity([]) is None
    assert validity([version(1, NOW, 1)]) == ({"amount": 1}, NOW, None)
    assert validity([version(1, NOW, 1, until=NOW + DAY)]) == ({"amount": 1}, NOW, NOW + DAY)
    assert validity([version(1, NOW, 1), version(2, NOW + DAY, None)]) == ({"amount": 1}, NOW, NOW + DAY)
    renamed = [version(1, NOW, 1), version(2, NOW + DAY, 2, until=NOW + 2 * DAY)]
    assert validity(renamed) == ({"amount": 2}, NOW, None)
