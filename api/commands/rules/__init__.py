"""Rules as JSON commands: written, checked, reviewed, published, switched off, asked, compared with the past."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request

from api.commands.rules import asking, drafts, impact, overriding, publishing, settling
from domain.errors import Invalid
from rules.json_texts import NotJson, parsed


async def refuse_what_reads_two_ways(request: Request) -> None:
    """Raises Invalid for a body in which a name stands twice in one object, or a number is beyond what is kept.

    Of two outcomes with one name, or two logics, the last would count and the first might have been reviewed.
    """
    body = await request.body()
    try:
        await asyncio.to_thread(parsed, body or b"null")
    except NotJson as broken:
        raise Invalid(str(broken), field="/") from None


router = APIRouter(dependencies=[Depends(refuse_what_reads_two_ways)])
for part in (drafts, publishing, settling, impact, overriding, asking):
    router.include_router(part.router)
