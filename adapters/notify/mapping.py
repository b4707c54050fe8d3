"""What is said to a gateway and what it says, as JSON. docs/operations/people.md describes the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.notices import ChannelKind, GatewayState

REASONS = frozenset({"wrong-number", "switched-off", "refused", "expired"})
"""Why a message failed; anything else is `failed`."""


@dataclass(frozen=True)
class Letter:
    """A message on its way. to: a number.  text: what the person reads, without anybody's name."""

    hospital: str
    kind: ChannelKind
    to: str
    text: str
    stat: bool


@dataclass(frozen=True)
class Told:
    """What a gateway says of a message. reason: of a failure."""

    state: GatewayState
    reason: str = ""


def body(letter: Letter) -> dict[str, Any]:
    return {
        "hospital": letter.hospital,
        "kind": letter.kind.value,
        "to": letter.to,
        "text": letter.text,
        "stat": letter.stat,
    }


def told(answer: object) -> Told:
    """Read an answer. What cannot be understood is unknown: the message is sent again under its id."""
    if not isinstance(answer, Mapping) or answer.get("state") not in set(GatewayState):
        return Told(GatewayState.UNKNOWN)
    state = GatewayState(answer["state"])
    reason = str(answer.get("reason", ""))
    if state is GatewayState.FAILED:
        return Told(state, reason if reason in REASONS else "failed")
    return Told(state)
