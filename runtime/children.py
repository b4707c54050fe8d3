"""Child processes that cannot outlive us: the kernel signals them when the process that started them dies.

They are started from the main thread: the kernel watches the thread that forked, not the process.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1
_POLL = 0.05
_LONGEST_LOG = 16 << 20
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The user of the operating system that a child runs under."""

    uid: int
    gid: int
    name: str


class Child:
    """A started program, its log file and the way it is stopped."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path | None) -> None:
        self.name = name
        self.log = log
        self.started = time.monotonic()
        self._process = process

    @classmethod
    def start(  # one start, many ways to be started
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        account: Account | None = None,
        on_parent_death: signal.Signals = signal.SIGKILL,
        directory: Path | None = None,
    ) -> Child:
        """Start `command`, its output appended to `log` (or shared with ours), as `account` if one is given.

        A session of its own keeps Ctrl-C on the terminal from reaching it before its supervisor has decided the order.
        """
        output = _opened(log) if log else None
        try:
            process = subprocess.Popen(  # noqa: S603  (commands are built here, never from requests)
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=None if env is None else dict(env),
                cwd=directory,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,
                preexec_fn=_die_with_parent(on_parent_death),  # noqa: PLW1509  (one system call, looked up before)
            )
        finally:
            if output:
                output.close()
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._process.poll()

    async def wait(self, within: float | None = None) -> int:
        """Wait for its end and return the exit code. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while (code := self.exit_code()) is None:  # noqa: ASYNC110  (the kernel sets no event of ours)
                await asyncio.sleep(_POLL)
        return code

    async def stop(self, ask: signal.Signals = signal.SIGTERM, grace: float = 10) -> int:
        """Ask it to end; after `grace` seconds end it. Returns the exit code, also when it had ended already."""
        try:
            if self.exit_code() is None:
                self._process.send_signal(ask)
            return await self.wait(grace)
        except TimeoutError:
            self._process.kill()
            return await self.wait()

    def kill(self) -> None:
        """End it at once."""
        if self.exit_code() is None:
            self._process.kill()

    def tail(self, lines: int = 5) -> str:
        """The end of its log, for an error message."""
        if not self.log or not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def _opened(log: Path) -> BinaryIO:
    """A log that only we can read; one that has grown long makes room, and its predecessor stays beside it."""
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _die_with_parent(signal_: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec: after its change of user, which would clear the request again."""
    if _LIBC is None:
        return None
    prctl, getppid, kill, parent = _LIBC.prctl, os.getppid, os._exit, os.getpid()

    def request() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal_), 0, 0, 0)
        if getppid() != parent:  # it died between our fork and the request
            kill(1)

    return request
