"""Names for what records carry as codes: people by account, places by reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Names:
    """people: by account name.  places: by Location reference. What is not there is shown as its code."""

    people: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def person(self, account: str) -> str:
        return self.people.get(account, account)

    def place(self, reference: str) -> str:
        return self.places.get(reference, reference)

    @property
    def all(self) -> dict[str, str]:
        return {**self.people, **self.places}
