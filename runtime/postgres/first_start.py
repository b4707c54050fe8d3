"""Making the data folder of a first start."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from domain.errors import Misconfigured
from runtime.children import Account, Child
from runtime.postgres.addresses import SUPERUSER
from runtime.postgres.programs import environment, programs


async def initialise(directory: Path, account: Account | None, password: str, *, durable: bool, log: Path) -> None:
    """Make the data folder beside its place and move it in when it is complete: an interrupted try leaves none."""
    draft, data = directory / "data.new", directory / "data"
    shutil.rmtree(draft, ignore_errors=True)
    password_file = directory / ".first-password"
    password_file.unlink(missing_ok=True)
    try:
        draft.mkdir(mode=0o700)
        with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
        for made in (draft, password_file):
            if account:
                os.chown(made, account.uid, account.gid)
        command: list[str | Path] = [
            programs(account) / "initdb",
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if durable else ["--no-sync"]),
        ]
        child = Child.start("initdb", command, log=log, env=environment(), account=account)
        try:
            code = await child.wait()
        except BaseException:
            await child.stop(signal.SIGKILL)
            raise
        if code != 0:
            raise Misconfigured(f"PostgreSQL could not make its data folder {data}: {child.tail(2)}")
        draft.rename(data)
    except OSError as refused:
        raise Misconfigured(f"{directory} cannot be written: {refused.strerror}.") from None
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
