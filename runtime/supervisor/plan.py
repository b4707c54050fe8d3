"""What `phis up` was asked for, and the ports that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from domain.errors import Misconfigured
from runtime import ports
from runtime.demo.level import Demo
from runtime.settings import Settings

_TEMPORAL_PORT = 7233
_SCREENS_ABOVE = 1000  # Temporal's own screens listen that far above its port: 8233


@dataclass(frozen=True)
class Wish:
    """The options of `phis up`; None where nothing was said."""

    data_dir: Path | None = None
    port: int | None = None
    temporal_port: int | None = None
    demo: Demo = Demo.SMALL
    ephemeral: bool = False


@dataclass(frozen=True)
class Ports:
    """Where everything will listen; all were free when looked at."""

    server: int
    worker: int
    temporal: int
    temporal_screens: int


def choose_ports(wish: Wish, settings: Settings) -> Ports:
    """Raises Misconfigured naming the program that holds a port."""
    server = wish.port or (ports.free_port() if _anything_goes(wish, settings, "port") else settings.port)
    _refuse_taken(server, settings.host, "--port")
    worker = settings.worker_port
    if "worker_port" in settings.model_fields_set:
        _refuse_taken(worker, settings.worker_host, "PHIS_WORKER_PORT")
    elif wish.ephemeral or not ports.is_free(worker):
        worker = ports.free_port()  # nobody was promised this one
    if settings.temporal_address:
        return Ports(server, worker, 0, 0)
    if wish.ephemeral and not wish.temporal_port:
        return Ports(server, worker, ports.free_port(), ports.free_port())
    temporal = wish.temporal_port or _TEMPORAL_PORT
    for port in (temporal, temporal + _SCREENS_ABOVE):
        _refuse_taken(port, ports.LOOPBACK, "--temporal-port")
        if port == server:
            raise Misconfigured(
                f"Port {port} is meant for the screens and for Temporal, which takes {temporal} and"
                f" {temporal + _SCREENS_ABOVE}: choose another with --port or --temporal-port."
            )
        if port == worker:
            worker = ports.free_port()
    return Ports(server, worker, temporal, temporal + _SCREENS_ABOVE)


def _anything_goes(wish: Wish, settings: Settings, name: str) -> bool:
    return wish.ephemeral and name not in settings.model_fields_set


def _refuse_taken(port: int, host: str, option: str) -> None:
    if not ports.is_free(port, host):
        message = f"Port {port} is taken by {ports.holder(port)}: stop that program, or choose another with {option}."
        raise Misconfigured(message)
