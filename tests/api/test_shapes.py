"""An instant is written out: a bare number would be taken for seconds since 1970."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.commands.shapes import Instant

INSTANT = TypeAdapter(Instant)


@pytest.mark.parametrize("given", ["30", "2026", " 1e9 ", "-1.5", 30, 1.5, "", "2026-11-24", "2026-11-24T10:00:00"])
def test_what_names_no_moment_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(given)


@pytest.mark.parametrize("given", ["2026-11-24T10:00:00+09:00", "2026-11-24T01:00:00Z"])
def test_a_moment_with_its_offset_is_taken(given: str) -> None:
    assert INSTANT.validate_python(given).isoformat()[:10] == "2026-11-24"
