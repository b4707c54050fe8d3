"""TCP ports of this machine: a free one, and who holds a taken one."""

from __future__ import annotations

import secrets
import socket

import psutil

LOOPBACK = "127.0.0.1"

# Below the range from which the kernel gives ports to outgoing connections: a client that keeps dialling a restarting
# server on a port inside that range can be given the very port, and then talks to itself.
_LOWEST, _HIGHEST = 20_000, 32_000


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on at this moment, drawn at random so that parallel runs seldom meet."""
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if is_free(port, host):
            return port


def holder(port: int) -> str:
    """Who listens on `port`, in words: `python3 (pid 123)`; another user's program cannot be named without rights."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "a program of another user"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return "a program of another user"


def answers(port: int, host: str = LOOPBACK, timeout: float = 0.5) -> bool:
    """Whether something accepts connections on `port`."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False
