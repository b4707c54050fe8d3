"""Versions of entries as programs see them, and instants as people write them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints

from api.commands.shapes import WrittenOut
from domain.setup.kinds import CODE
from domain.setup.rows import midnight
from domain.setup.timeline import Version

Words = Annotated[str, StringConstraints(min_length=3, max_length=2000)]
Code = Annotated[str, StringConstraints(pattern=rf"^{CODE.pattern}$")]
When = Annotated[AwareDatetime | date, Field(union_mode="left_to_right"), WrittenOut]
"""An instant, or a day, which begins at midnight in Korea."""


def instant(when: datetime | date | None) -> datetime | None:
    return when if when is None or isinstance(when, datetime) else midnight(when)


def version_json(version: Version) -> dict[str, Any]:
    return version.model_dump(mode="json", exclude={"kind", "code"})


def entry_json(version: Version) -> dict[str, Any]:
    """An entry as it applies: what it says, and of which version that is."""
    told = version_json(version)
    return {"kind": version.kind.value, "code": version.code, **told}
