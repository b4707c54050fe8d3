"""Who is asking, as every route sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.roles import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person or a client with a token.

    actor: the account's name, as ledger, audit and tasks keep it.  display: its name for people, by language.
    address: the peer's network address, for the audit.
    session: hash of the session's or token's secret, to ask again whether it still stands.
    small: whether the hospital is a clinic, where nobody is out of anybody's care.
    on_behalf_of: the account of a colleague who lent roles; some of `roles` are then that person's.
    request: what the client calls this request, for the audit.
    csrf: what forms of a browser session must repeat; None for a token, which no browser adds by itself.
    proved_at: when the person last gave a proof beyond the password that began the session; None for never.
    """

    hospital: str
    actor: str
    roles: frozenset[Role]
    display: dict[str, str]
    hospital_display: dict[str, str]
    address: str | None
    session: bytes
    csrf: str | None = None
    proved_at: datetime | None = None
    small: bool = False
    on_behalf_of: str | None = None
    request: str | None = None
