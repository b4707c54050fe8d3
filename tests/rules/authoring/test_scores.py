"""What is written in Python is what stands in the library, to the letter."""

from __future__ import annotations

from typing import Any

import pytest

from domain.decisions import DecisionPoint
from rules.authoring.scores import WRITTEN
from rules.authoring.writing import emitted, fact, when
from rules.library import shipped


@pytest.mark.parametrize("point", WRITTEN)
def test_what_is_emitted_is_the_shipped_rule(point: DecisionPoint) -> None:
    assert WRITTEN[point]() == shipped()[point].logic


def test_negation_is_spelled_as_jsonlogic_spells_it() -> None:
    assert emitted(~fact("on")) == {"!": [{"var": "on"}]}
    nested: Any = emitted(when((~(fact("on") & ~fact("off")), "yes"), otherwise="no"))
    assert nested == {"if": [{"!": [{"and": [{"var": "on"}, {"!": [{"var": "off"}]}]}]}, "yes", "no"]}
