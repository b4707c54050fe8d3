"""The transaction of a call, undone when the caller's token has ended meanwhile: revocation holds at the next request.

What a token may is remembered for a few seconds (`api.fhir.callers`); whether it still stands is asked each time, by a
statement that travels with the first ones of the call and fails for a token that has ended: then PostgreSQL itself does
nothing of what follows. So it costs no round trip, and no server has to hear of anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.fhir.exchange import Call
from api.fhir.outcome import Refusal
from domain.errors import NotSignedIn, PhisError
from store import accounts
from store.database import Transaction
from store.pipeline import Pending


@asynccontextmanager
async def transaction_of(call: Call) -> AsyncIterator[Transaction]:
    """Raises NotSignedIn, whatever the call came to, for a token that has ended; then nothing has changed."""
    caller = call.asker.caller
    standing: Pending | None = None
    try:
        async with call.state.database.transaction(call.hospital) as tx:
            # A session was looked up a moment ago, as with each request; the command line has neither.
            if caller.csrf is None and caller.session:
                standing = await accounts.standing(tx, caller.session, call.real)
            try:
                yield tx
            except (PhisError, Refusal):
                # Neither a refusal nor that something is missing is told to somebody who may not ask.
                if standing is not None:
                    await standing.fetchone()
                raise
    except Exception:
        if standing is not None and standing.refused:
            raise NotSignedIn("the token has ended") from None
        raise
