"""Which texts of patients' records stand readable in the search tables: what the decision names, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from rules.resource_groups import ABOUT_PATIENTS, UNLINKED
from store.search.places import parameters

ADR = Path(__file__).parents[3] / "docs" / "adr" / "0028-what-is-readable-at-rest.md"
NAMED = re.compile(r"`([A-Z][A-Za-z]+(?:\.\w+)+)`")


def readable() -> set[str]:
    return {
        f"{kind}.{'.'.join(step.name for step in place.steps)}"
        for kind in ABOUT_PATIENTS | UNLINKED
        for parameter in parameters(kind).values()
        for place in (*parameter.places, *(each for one in parameter.composites for part in one.parts for each in part))
        if place.kind == "string"
    }


def listed(text: str) -> set[str]:
    return set(NAMED.findall(text.partition("is exactly this:")[2].partition("Every other note")[0]))


def test_the_list_of_readable_texts_is_whole() -> None:
    assert listed(ADR.read_text(encoding="utf-8")) == readable()


def test_a_text_that_nobody_listed_would_be_noticed() -> None:
    assert listed(ADR.read_text(encoding="utf-8").replace("`Person.name`, ", "")) != readable()
