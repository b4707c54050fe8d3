"""Looks at the installed files at start and every hour, and says so loudly when they are not what was signed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog
from prometheus_client import Gauge

from domain.errors import FilesChanged
from domain.manifest import Files, ManifestState
from runtime.manifest import NAME, root, verified
from runtime.settings import Settings

log = structlog.get_logger(__name__)

CHANGED = Gauge("phis_files_changed", "Installed files that are not as they were signed; -1 where nothing is signed.")

_EVERY = 3600  # seconds


class Watch:
    """What was found last. now: real time."""

    def __init__(self, settings: Settings, now: Callable[[], datetime], where: Path | None = None) -> None:
        self._where = where or root()
        self._manifest = settings.manifest or self._where / NAME
        self._key = settings.manifest_key
        self._refuses = settings.tamper == "refuse"
        self._now = now
        self.state = ManifestState()

    async def look(self) -> ManifestState:
        """Look now. Raises Misconfigured for a key that is none."""
        found = await asyncio.to_thread(verified, self._where, self._manifest, self._key, now=self._now())
        self.state = replace(found, refuses_writes=self._refuses and found.files is Files.CHANGED)
        match found.files:
            case Files.CHANGED:
                CHANGED.set(len(found.changed))
                log.error(
                    "installed files are not as they were signed",
                    count=len(found.changed),
                    path="; ".join(found.changed[:5]),
                    status="writes are refused" if self.state.refuses_writes else "warned only",
                )
            case Files.UNSIGNED:
                CHANGED.set(-1)
                checkout = (self._where / ".git").exists()
                hint = "a checkout of developers" if checkout else "sign with phis manifest sign, set PHIS_MANIFEST_KEY"
                log.info("installed files are not signed", hint=hint)
            case _:
                CHANGED.set(0)
        return self.state

    def refuse(self) -> None:
        """Raises FilesChanged where changed files may not write."""
        if self.state.refuses_writes:
            raise FilesChanged("installed files are not as they were signed")

    async def keep_looking(self, *, raises: bool = False) -> None:
        """Every hour, for ever. raises: FilesChanged, once changed files may not write any more."""
        while True:
            await asyncio.sleep(_EVERY)
            await self.look()
            if raises:
                self.refuse()
