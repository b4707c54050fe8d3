"""How an embedded PostgreSQL is configured: given with each start, so that no edited file says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from runtime import ports

_LONGEST_SOCKET_PATH = 80  # the kernel takes 107 bytes, `/.s.PGSQL.12345.lock` included

_SERVER = {
    "listen_addresses": ports.LOOPBACK,
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    # one machine, many parts: the whole product idles within 700 MB
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "io_workers": "2",
    "max_wal_size": "1GB",
    # the log may be read by people who may not read records: no statements, no values of refused rows
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_startup_progress_interval": "1s",
    "log_checkpoints": "off",
}
_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "1h",
}


def has_socket(directory: Path) -> bool:
    """Whether there is a socket: not where the folder's name is too long for one."""
    return len(os.fsencode(directory)) < _LONGEST_SOCKET_PATH


def options(port: int, socket_directory: Path, *, durable: bool) -> list[str]:
    """The settings as arguments."""
    settings = _SERVER | {
        "port": str(port),
        "unix_socket_directories": str(socket_directory) if has_socket(socket_directory) else "",
        "unix_socket_permissions": "0700",
    }
    if not durable:
        settings |= _FORGETFUL
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
