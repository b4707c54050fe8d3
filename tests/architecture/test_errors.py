"""Errors are one tree: drawn where they are declared, told apart by code, rendered at every edge."""

from __future__ import annotations

import re

import pytest

from domain import errors
from domain.errors import PhisError


def declared(root: type[PhisError] = PhisError) -> list[type[PhisError]]:
    """The root and everything beneath it that `domain.errors` declares."""
    return [root, *(each for child in root.__subclasses__() for each in declared(child))]


def drawn(docstring: str) -> dict[str, str]:
    """Child → parent, as the tree in the docstring draws it; the root's parent is empty."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in docstring.splitlines():
        match = re.match(r"^    ((?:│   |    )*(?:[├└]── )?)([A-Z]\w*)(?:\s|$)", line)
        if match:
            depth = len(match.group(1)) // 4
            path = [*path[:depth], match.group(2)]
            parents[match.group(2)] = path[depth - 1] if depth else ""
    return parents


def test_the_tree_at_the_head_of_the_module_is_the_tree_of_the_classes() -> None:
    real = {kind.__name__: kind.__bases__[0].__name__ if kind is not PhisError else "" for kind in declared()}
    assert drawn(errors.__doc__ or "") == real


def test_every_error_is_told_apart_by_its_code() -> None:
    codes = [kind.code for kind in declared()]
    assert len(codes) == len(set(codes)), sorted(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def expected_status(kind: type[PhisError]) -> range:
    """A refusal is the asker's to mend, an outage passes, anything else is ours."""
    if issubclass(kind, errors.Refused):
        return range(400, 500)
    return range(503, 504) if issubclass(kind, errors.Unavailable) else range(500, 501)


@pytest.mark.parametrize("kind", declared(), ids=lambda kind: kind.code)
def test_every_error_has_a_status_and_a_sentence_over_http(kind: type[PhisError]) -> None:
    from api import problems

    korean, english = problems.render(kind(), "ko"), problems.render(kind(), "en")
    assert korean["status"] in expected_status(kind)
    assert korean["code"] == kind.code
    assert korean["title"] != english["title"]
    assert korean["advice"] != english["advice"]


def test_the_drawing_is_read_as_a_tree() -> None:
    text = "Errors.\n\n    A\n    ├── B        why\n    │   └── C    why\n    └── D        why\n\nText that is no tree."
    assert drawn(text) == {"A": "", "B": "A", "C": "B", "D": "A"}
