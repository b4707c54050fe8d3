"""Checking passwords without letting a burst of sign-ins starve the server, or an answer's time name an account."""

from __future__ import annotations

import asyncio
import secrets

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

# Argon2id wants 64 MiB and tens of milliseconds of one core by design: more than this at once and work in the
# wards waits for people who sign in.
_AT_ONCE = 2


class Passwords:
    """Argon2id through pwdlib."""

    def __init__(self) -> None:
        self._hasher = PasswordHash((Argon2Hasher(),))
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether `password` is the one behind `hashed`. None, for no such account, takes as long and is False."""
        async with self._gate:
            return await asyncio.to_thread(self._verify, password, hashed)

    def _verify(self, password: str, hashed: str | None) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash(secrets.token_urlsafe())
        if hashed is None:
            self._hasher.verify(password, self._nobody)
            return False
        try:
            return self._hasher.verify(password, hashed)
        except UnknownHashError:
            return False
