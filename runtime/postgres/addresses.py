"""Where an embedded PostgreSQL listens and with which passwords its roles sign in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

DATABASE = "phis"
ROLES = ("phis_migrate", "phis_app", "phis_system")
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Addresses:
    """Where a server listens, and the passwords of its roles. `passwords` is what `store.bootstrap` is handed.

    socket: the folder of its socket, where it has one. The application's two roles go through it, which costs both
    sides less than TCP.
    """

    host: str
    port: int
    superuser_password: str
    passwords: Mapping[str, str]
    database: str = DATABASE
    socket: Path | None = None

    @property
    def superuser(self) -> str:
        """The administrator's URL of the maintenance database `postgres`."""
        return self._url(SUPERUSER, self.superuser_password, "postgres")

    @property
    def migrate(self) -> str:
        return self.url("phis_migrate")

    @property
    def app(self) -> str:
        return self._nearest("phis_app")

    @property
    def system(self) -> str:
        return self._nearest("phis_system")

    def url(self, role: str, database: str | None = None) -> str:
        return self._url(role, self.passwords[role], database or self.database)

    def superuser_of(self, database: str) -> str:
        return self._url(SUPERUSER, self.superuser_password, database)

    def _nearest(self, role: str) -> str:
        if self.socket is None:
            return self.url(role)
        password, folder = quote(self.passwords[role], safe=""), quote(str(self.socket), safe="")
        return f"postgresql://{role}:{password}@/{self.database}?host={folder}&port={self.port}"

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@{self.host}:{self.port}/{database}"
