"""What a database administrator does once, for docker-compose.yml: the roles and the database of P-HIS.

libpq's variables (PGHOST, PGUSER …) name the server and its administrator; passwords come from the secret files. May be
run again at any time: it creates what is missing and sets the passwords to what the files say.
"""

import asyncio
import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from store.bootstrap import bootstrap

ADDRESSES = ("phis_database_url", "phis_database_system_url", "phis_database_migrate_url")


def main() -> None:
    secrets = Path(os.environ.get("PHIS_SECRETS_DIR", "/run/secrets"))
    addresses = [conninfo_to_dict((secrets / name).read_text(encoding="utf-8").strip()) for name in ADDRESSES]
    databases = {str(address["dbname"]) for address in addresses}
    if len(databases) != 1:
        raise SystemExit(f"The addresses name different databases: {', '.join(sorted(databases))}.")
    administrator = make_conninfo(
        password=(secrets / "postgres_password").read_text(encoding="utf-8").strip(), dbname="postgres"
    )
    passwords = {str(address["user"]): str(address["password"]) for address in addresses}
    asyncio.run(bootstrap(administrator, databases.pop(), passwords))


if __name__ == "__main__":
    main()
