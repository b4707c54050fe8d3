"""The rules of this release, kept in the database: what decided is known after the next release, too."""

from __future__ import annotations

from datetime import datetime

import structlog

from rules.library import shipped
from rules.texts import text_of
from store.rules import shared
from store.rules.shared import SharedText

log = structlog.get_logger(__name__)

SIGNER = "phis"


async def ship_rules(migrate_url: str, *, now: datetime) -> int:
    """Keep the shipped rules that the database does not hold yet; returns how many.

    A release that changed a text without a new version is told in the log; the text that was kept stands.
    """
    texts = [
        SharedText(text=text_of(rule), since=rule.effective.since, until=rule.effective.until)
        for rule in shipped().values()
    ]
    kept, other = await shared.put(migrate_url, texts, signer=SIGNER, now=now, skip_others=True)
    if other:
        log.warning("shipped rules differ from kept ones of the same version", count=len(other), rule=",".join(other))
    return kept
