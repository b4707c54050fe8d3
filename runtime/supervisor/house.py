"""The whole house: what starts after what, and in which order it is drained."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pydantic import SecretStr

from domain.errors import Misconfigured
from runtime import ports
from runtime.demo.admissions import admit
from runtime.demo.furnish import furnish
from runtime.demo.level import Demo
from runtime.demo.staff import account_names
from runtime.postgres import EmbeddedPostgres
from runtime.settings import Settings, environment_of
from runtime.shipping import ship_rules
from runtime.supervisor.leftovers import Register
from runtime.supervisor.parts import Postgres, Program, Temporal
from runtime.supervisor.place import Place
from runtime.supervisor.plan import Ports
from runtime.supervisor.watch import Watched
from runtime.temporal import connect, register_namespace_and_attributes
from runtime.temporal_server import TemporalServer
from store import bootstrap, schema
from store.sealing import KeyRing

log = structlog.get_logger(__name__)

_BEYOND_DRAIN = timedelta(seconds=5)


@dataclass(frozen=True)
class Ready:
    """What to tell the person who started it."""

    screens: str
    temporal_screens: str | None
    accounts: tuple[str, ...]
    password: str | None


class House:
    """PostgreSQL and Temporal unless addresses were given, the server and the worker.

    on_terminal: the programs then log to files instead of sharing our output.
    changed: called whenever a part changes its state.
    """

    def __init__(
        self,
        settings: Settings,
        place: Place,
        chosen: Ports,
        level: Demo,
        *,
        on_terminal: bool,
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._place = place
        self._ports = chosen
        self._demo = level
        self._register = Register(place.directory / "children.json")
        self._hurry = False
        self._postgres = None if settings.database_url else Postgres(EmbeddedPostgres(place.postgres, progress=_tell))
        self._temporal = None
        if not settings.temporal_address:
            server = TemporalServer(place.temporal, port=chosen.temporal, ui_port=chosen.temporal_screens)
            self._temporal = Temporal(server)

        def program(name: str, port: int, host: str, grace: timedelta) -> Watched:
            log_file = place.logs / f"{name}.log" if on_terminal else None
            part = Program(name, port, self._environment, host=_reachable(host), log=log_file, grace=grace)
            return Watched(part, self._register, changed)

        self._engines = [Watched(part, self._register, changed) for part in (self._postgres, self._temporal) if part]
        worker_grace = settings.worker_drain + _BEYOND_DRAIN
        self._server = program("server", chosen.server, settings.host, settings.server_drain + _BEYOND_DRAIN)
        self._worker = program("worker", chosen.worker, settings.worker_host, worker_grace)

    @property
    def parts(self) -> list[Watched]:
        return [*self._engines, self._server, self._worker]

    async def start(self) -> Ready:
        """Start everything and return when `/readyz` of all of it says so. Raises PhisError."""
        self._place.publish(None)  # a killed predecessor's addresses
        for name in await self._register.end_earlier():
            log.info("ended what an earlier run left", name=name)
        await _together(self._start_database(), self._start_temporal())
        await _together(self._server.start(), self._worker.start())
        accounts: tuple[str, ...] = ()
        password = None
        if self._demo is not Demo.NONE:
            accounts, password = account_names(), self._place.demo_password()
        if self._demo is Demo.FULL:
            await admit(self._settings, f"http://{_reachable(self._settings.host)}:{self._ports.server}")
        self._place.publish(self._environment())
        return Ready(self._screens, self._settings.temporal_screens, accounts, password)

    async def drain(self) -> None:
        """Stop everything: first who takes requests, then who works on them, then what they rest on."""
        self._place.publish(None)
        for watched in self.parts:
            await watched.unwatch()
        for watched in (self._server, self._worker, *reversed(self._engines)):
            await watched.stop(hurry=lambda: self._hurry)

    def hurry(self) -> None:
        """End what still runs at once; nothing acknowledged is lost by it."""
        self._hurry = True
        for watched in self.parts:
            if child := watched.part.child:
                child.kill()

    @property
    def _screens(self) -> str:
        return self._settings.public_url or f"http://{_reachable(self._settings.host)}:{self._ports.server}"

    async def _start_database(self) -> None:
        if self._postgres:
            await self._engines[0].start()
            addresses = self._postgres.addresses
            assert addresses  # noqa: S101  (it has started)
            self._settings = self._settings.model_copy(
                update={
                    "database_url": SecretStr(addresses.app),
                    "database_system_url": SecretStr(addresses.system),
                    "database_migrate_url": SecretStr(addresses.migrate),
                }
            )
            await bootstrap.bootstrap(addresses.superuser, addresses.database, addresses.passwords)
        migrate_url = self._settings.database_migrate_url.get_secret_value()
        if migrate_url:
            await schema.migrate(migrate_url)
            await ship_rules(migrate_url, now=datetime.now(UTC))
        else:
            await schema.check(self._settings.database_url.get_secret_value())
        if self._demo is not Demo.NONE:
            await furnish(self._settings, self._place.demo_password())

    async def _start_temporal(self) -> None:
        if self._temporal:
            await self._engines[-1].start()
            addresses = self._temporal.addresses
            assert addresses  # noqa: S101  (it has started)
            self._settings = self._settings.model_copy(
                update={"temporal_address": addresses.address, "temporal_screens": addresses.screens}
            )
        settings = self._settings
        client = await connect(
            settings.temporal_address,
            settings.temporal_namespace,
            KeyRing.parse(settings.keys.get_secret_value()),
            tls=settings.temporal_tls_config,
        )
        await register_namespace_and_attributes(client)

    def _environment(self) -> dict[str, str]:
        return environment_of(self._settings)


def resolve(settings: Settings, place: Place, chosen: Ports) -> Settings:
    """The settings that the programs run with: the given ones, and what this place adds. Raises Misconfigured."""
    if settings.database_url:
        settings.require("database_system_url")
    elif settings.database_system_url or settings.database_migrate_url:
        raise Misconfigured("PHIS_DATABASE_URL is missing beside the other two database addresses: give it, or none.")
    update: dict[str, object] = {"port": chosen.server, "worker_port": chosen.worker}
    if not settings.keys:
        update["keys"] = SecretStr(place.keys())
    if settings.audit_checkpoints is None:
        update["audit_checkpoints"] = place.audit
    return settings.model_copy(update=update)


async def _together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run them at once; the first failure cancels the others and is raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _reachable(host: str) -> str:
    """An address to reach a server that listens everywhere."""
    return ports.LOOPBACK if host in {"0.0.0.0", "::", ""} else host  # noqa: S104


def _tell(what: str) -> None:
    log.info(what, name="postgres")
