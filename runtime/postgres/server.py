"""One embedded PostgreSQL server: its start, its readiness and its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from psycopg.pq import PGconn, Ping

from domain.errors import Misconfigured
from runtime import ports
from runtime.children import Account, Child
from runtime.directory import Ownership, kept_secrets, make_directory
from runtime.postgres.addresses import ROLES, SUPERUSER, Addresses
from runtime.postgres.configuration import has_socket, options
from runtime.postgres.first_start import initialise
from runtime.postgres.leftovers import end_leftovers
from runtime.postgres.programs import environment, programs
from runtime.unprivileged import account_for, can_reach

MAJOR = "18"
_STARTING = 30.0  # seconds until the server must at least refuse connections; recovery may take as long as it needs

Stop = Literal["smart", "fast", "immediate"]
_STOP_SIGNALS: Mapping[Stop, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}


class EmbeddedPostgres:
    """One PostgreSQL server over `directory`, which holds `data/`, `socket/`, `secrets.json` and `postgres.log`.

    port: 0 takes a free one, the same for every start of this object.
    durable: False only where the data is thrown away anyway: a power cut would then corrupt it.
    progress: told, in words, what a start is waiting for.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        durable: bool = True,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "data"
        self.log = self.directory / "postgres.log"
        self._socket = self.directory / "socket"
        self.child: Child | None = None
        self._wanted_port = port
        self._port = port
        self._durable = durable
        self._progress = progress or (lambda _: None)
        self._ownership: Ownership | None = None

    async def start(self) -> Addresses:
        """Start the server and wait until it takes connections, crash recovery included. Raises Misconfigured."""
        try:
            account = self._prepare()
            secrets = kept_secrets(self.directory / "secrets.json", [SUPERUSER, *ROLES])
            await end_leftovers(self.data, self._progress)
            if not self.data.exists():
                self._progress("PostgreSQL is made ready for its first start")
                await initialise(self.directory, account, secrets[SUPERUSER], durable=self._durable, log=self.log)
            await self._run(account)
        except BaseException:  # also Ctrl-C: nothing half started stays behind
            await self.stop("immediate")
            raise
        roles = {role: secrets[role] for role in ROLES}
        socket = self._socket if has_socket(self._socket) else None
        return Addresses(ports.LOOPBACK, self._port, secrets[SUPERUSER], roles, socket=socket)

    def start_blocking(self) -> Addresses:
        """`start` where no event loop runs. Call it from the main thread: the server dies with the calling thread."""
        return asyncio.run(self.start())

    async def stop(self, mode: Stop = "fast") -> None:
        """Stop the server: `fast` ends sessions and flushes, `immediate` leaves the rest to the next start."""
        if self.child:
            await self.child.stop(_STOP_SIGNALS[mode], grace=30)
            self.child = None
        if self._ownership:
            self._ownership.give_back()
            self._ownership = None

    def stop_blocking(self, mode: Stop = "fast") -> None:
        asyncio.run(self.stop(mode))

    def _prepare(self) -> Account | None:
        account = account_for(self.data)
        if account and not can_reach(self.directory, account):
            message = (
                f"As root, PostgreSQL runs as user {account.name}, who cannot reach {self.directory}: "
                f"give a --data-dir that everybody may pass through, such as {Path('/var/lib/phis/data')}, "
                "or start P-HIS as an ordinary user."
            )
            raise Misconfigured(message)
        make_directory(self.directory, 0o711 if account else 0o700)
        self._ownership = self._ownership or Ownership(self.directory).take()
        version = self.data / "PG_VERSION"
        if self.data.exists() and (found := version.read_text().strip() if version.exists() else "?") != MAJOR:
            message = (
                f"{self.data} was made by PostgreSQL {found}, this is {MAJOR}: dump it with the old version and load "
                "it into a new data folder, or point PHIS_DATABASE_URL at the old server."
            )
            raise Misconfigured(message)
        return account

    async def _run(self, account: Account | None) -> None:
        for _ in range(20):
            self._port = self._port or ports.free_port()
            if self._wanted_port and not ports.is_free(self._port):
                taken = f"port {self._port} is taken by {ports.holder(self._port)}"
                raise Misconfigured(f"PostgreSQL cannot start: {taken}. Stop that program or choose another port.")
            settings = options(self._port, self._socket_directory(account), durable=self._durable)
            self.child = Child.start(
                "postgres",
                [programs(account) / "postgres", "-D", self.data, *settings],
                log=self.log,
                env=environment(),
                account=account,
                on_parent_death=signal.SIGINT,  # a fast, clean stop: the next start then needs no recovery
            )
            if await self._ready(self.child):
                return
            complaint = self.child.tail(4)
            if "Address already in use" in complaint:
                self._port = self._wanted_port
            elif "pre-existing shared memory block" in complaint or "lock file" in complaint:
                await asyncio.sleep(0.25)  # the last processes of a killed server are still leaving
            else:
                raise Misconfigured(f"PostgreSQL does not start, see {self.log}: {complaint}")
        raise Misconfigured(f"PostgreSQL does not start, see {self.log}.")

    def _socket_directory(self, account: Account | None) -> Path:
        make_directory(self._socket)
        if account:
            os.chown(self._socket, account.uid, account.gid)
        return self._socket

    async def _ready(self, child: Child) -> bool:
        """Wait until it takes connections; False when it ended instead."""
        conninfo = f"host={ports.LOOPBACK} port={self._port} connect_timeout=2".encode()
        waited, told = 0.0, ""
        while child.exit_code() is None:
            answer = PGconn.ping(conninfo)
            if answer == Ping.OK:
                return True
            if answer == Ping.REJECT:
                waited = 0.0
                last = child.tail(1).partition("LOG:")[2].strip()
                if last and last != told:
                    self._progress(f"PostgreSQL recovers: {last}")
                    told = last
            elif waited > _STARTING:
                raise Misconfigured(f"PostgreSQL does not answer, see {self.log}: {child.tail(2)}")
            await asyncio.sleep(0.02)
            waited += 0.02
        return False
