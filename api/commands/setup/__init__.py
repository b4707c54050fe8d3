"""A hospital's set-up as JSON commands: entries with their versions, tables in and out, gaps, who looks twice."""

from __future__ import annotations

from fastapi import APIRouter

from api.commands.setup import changing, looking, settling, standing, tables

router = APIRouter()
for part in (looking, changing, tables, settling, standing):
    router.include_router(part.router)
