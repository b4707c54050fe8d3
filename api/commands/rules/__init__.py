"""Rules as JSON commands: written, checked, reviewed, published, switched off, asked, compared with the past."""

from __future__ import annotations

from fastapi import APIRouter

from api.commands.rules import asking, drafts, impact, overriding, publishing, settling

router = APIRouter()
for part in (drafts, publishing, settling, impact, overriding, asking):
    router.include_router(part.router)
