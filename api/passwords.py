"""Checking passwords without letting a burst of sign-ins starve the server, or an answer's time name an account."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from domain.errors import Unavailable

# Argon2id wants 64 MiB and tens of milliseconds of one core by design: more than this at once and work in the
# wards waits for people who sign in.
_AT_ONCE = 2

# Who would wait longer than this many hashes take is told to come back: a queue without end is memory without end.
_WAITING = 40

_T = TypeVar("_T")


class Passwords:
    """Argon2id through pwdlib, off the event loop, a few at once. Raises Unavailable when too many wait."""

    def __init__(self) -> None:
        self._hasher = PasswordHash((Argon2Hasher(),))
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._here = 0
        self._nobody: str | None = None

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether `password` is the one behind `hashed`. None, for no such account, takes as long and is False."""
        return await self._gated(lambda: self._verify(_normal(password), hashed))

    async def hash(self, password: str) -> str:
        return await self._gated(lambda: self._hasher.hash(_normal(password)))

    async def _gated(self, work: Callable[[], _T]) -> _T:
        if self._here >= _AT_ONCE + _WAITING:
            raise Unavailable("too many people sign in at once", part="sign-in")
        self._here += 1
        try:
            async with self._gate:
                return await asyncio.to_thread(work)
        finally:
            self._here -= 1

    def _verify(self, password: str, hashed: str | None) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash(secrets.token_urlsafe())
        try:
            return self._hasher.verify(password, hashed or self._nobody) and bool(hashed)
        except UnknownHashError:
            self._hasher.verify(password, self._nobody)
            return False


def _normal(password: str) -> str:
    """One spelling for what looks the same: systems compose Hangul differently (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
