"""The narrowest effective rule applies, and everybody else is told why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from rules.document import Effective, Level, Scope
from rules.resolution import Lost, Place, Published, parent_changed, parent_of, resolve

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HERE = Place(nation="KR", network="river", hospital="hanbit", department="hanbit/icu")
PLACES = {"national": "", "network": "river", "hospital": "hanbit", "department": "hanbit/icu"}


def rule(level: str, *, version: str = "1.0.0", place: str | None = None, **more: Any) -> Published:
    scope = Scope(level=Level(level), place=PLACES[level] if place is None else place)
    since, until = more.pop("since", None), more.pop("until", None)
    return Published(
        "critical-value",
        f"of-{level}",
        version,
        f"{level}-{scope.place}-{version}",
        scope,
        Effective(since=since, until=until),
        more.pop("published_at", T0),
        **more,
    )


def test_the_narrowest_applies_and_the_wider_ones_lost_to_it() -> None:
    rules = [rule(level) for level in PLACES]
    for order in permutations(rules):
        found = resolve("critical-value", HERE, T0 + DAY, order)
        assert found.chosen == rules[3]
        assert [(loser.published, loser.why, loser.to) for loser in found.lost] == [
            (one, Lost.WIDER, rules[3]) for one in reversed(rules[:3])
        ]


@pytest.mark.parametrize(
    ("narrow", "why"),
    [
        (rule("hospital", place="other"), Lost.ELSEWHERE),
        (rule("department", place="other/icu"), Lost.ELSEWHERE),
        (rule("network", place="sea"), Lost.ELSEWHERE),
        (rule("national", place="JP"), Lost.ELSEWHERE),
        (rule("hospital", published_at=T0 + 2 * DAY), Lost.NOT_PUBLISHED),
        (rule("hospital", since=T0 + DAY + timedelta(microseconds=1)), Lost.NOT_YET),
        (rule("hospital", until=T0 + DAY), Lost.ENDED),
        (rule("hospital", disabled=(Effective(since=T0, until=T0 + 2 * DAY),)), Lost.DISABLED),
    ],
)
def test_what_does_not_apply_says_why(narrow: Published, why: Lost) -> None:
    found = resolve("critical-value", HERE, T0 + DAY, [narrow, rule("national")])
    assert found.chosen == rule("national")
    assert [(loser.published, loser.why, loser.to) for loser in found.lost] == [(narrow, why, None)]


def test_a_rule_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    only = rule("hospital", since=T0 + DAY, until=T0 + 2 * DAY)
    asked = [T0 + DAY - timedelta(microseconds=1), T0 + DAY, T0 + 2 * DAY - timedelta(microseconds=1), T0 + 2 * DAY]
    assert [resolve("critical-value", HERE, moment, [only]).chosen == only for moment in asked] == [
        False,
        True,
        True,
        False,
    ]


def test_an_emergency_stop_ends_by_itself() -> None:
    stopped = rule("hospital", disabled=(Effective(since=T0 + DAY, until=T0 + 2 * DAY),))
    chosen = [resolve("critical-value", HERE, T0 + n * DAY, [stopped, rule("national")]).chosen for n in range(3)]
    assert chosen == [stopped, rule("national"), stopped]


def test_of_one_scope_the_one_that_became_effective_last_applies() -> None:
    first = rule("hospital", version="2.0.0")
    later = rule("hospital", version="1.9.0", since=T0 + DAY)
    found = resolve("critical-value", HERE, T0 + DAY, [first, later])
    assert (found.chosen, found.lost[0].why) == (later, Lost.SUPERSEDED)
    ninth, tenth = rule("hospital", version="1.9.0"), rule("hospital", version="1.10.0")
    assert resolve("critical-value", HERE, T0, [tenth, ninth]).chosen == tenth


def test_a_nation_s_own_rule_stands_before_everybody_s() -> None:
    own, general = rule("national", place="KR"), rule("national", since=T0 + DAY)
    assert resolve("critical-value", HERE, T0 + DAY, [general, own]).chosen == own


def test_another_decision_has_other_rules_and_none_is_no_rule() -> None:
    assert resolve("bed-match", HERE, T0, [rule("hospital")]).chosen is None
    nothing = resolve("critical-value", HERE, T0 - DAY, [rule("hospital")])
    assert (nothing.chosen, nothing.lost[0].why) == (None, Lost.NOT_PUBLISHED)


def test_an_override_is_told_when_its_parent_changes_and_only_then() -> None:
    old, new = rule("national"), rule("national", version="1.1.0", since=T0 + DAY)
    override = rule("hospital", parent=old.digest)
    everything = [old, new, override]
    assert parent_of(override, HERE, T0, everything) == old
    assert parent_changed(HERE, T0, everything, [override]) == ()
    (changed,) = parent_changed(HERE, T0 + DAY, everything, [override])
    assert (changed.written_against, changed.now) == (old.digest, new)
    assert parent_changed(HERE, T0 + DAY, [override], [override])[0].now is None
    assert parent_changed(HERE, T0 + DAY, everything, [rule("hospital")]) == ()
