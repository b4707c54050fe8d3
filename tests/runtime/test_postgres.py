"""The embedded PostgreSQL over its own folder: secrets, crashes and folders it cannot use."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg import AsyncConnection, OperationalError

from domain.errors import Misconfigured
from runtime import ports
from runtime.postgres import EmbeddedPostgres
from runtime.unprivileged import account_for

pytestmark = pytest.mark.sockets


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own account can reach, too."""
    directory = Path(tempfile.mkdtemp(prefix="phis-postgres-"))
    directory.chmod(0o711)
    yield directory / "postgres"
    shutil.rmtree(directory)


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(folder, durable=False)
    yield embedded
    await embedded.stop()


async def ask(url: str, sql: str) -> object:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        row = await (await connection.execute(sql.encode())).fetchone()
        return row[0] if row else None


async def test_it_asks_for_a_password_keeps_its_folder_closed_and_comes_back_after_a_kill(
    server: EmbeddedPostgres,
) -> None:
    addresses = await server.start()
    assert await ask(addresses.superuser, "select current_setting('listen_addresses')") == "127.0.0.1"
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.directory / "socket").stat().st_mode) == 0o700
    assert stat.S_IMODE((server.directory / "secrets.json").stat().st_mode) == 0o600
    if os.geteuid() == 0:
        assert server.data.stat().st_uid != 0
    near = f"host={addresses.socket} port={addresses.port} user=postgres dbname=postgres"
    assert await ask(f"{near} password={addresses.superuser_password}", "select inet_server_addr()") is None
    with pytest.raises(OperationalError, match="password"):
        await ask(near, "select 1")
    assert all(f"host={quote(str(addresses.socket), safe='')}" in each for each in (addresses.app, addresses.system))
    with pytest.raises(OperationalError, match="password"):
        await ask(f"postgresql://postgres@{addresses.host}:{addresses.port}/postgres", "select 1")

    assert server.child
    os.kill(server.child.pid, signal.SIGKILL)
    await server.child.wait(10)
    again = await server.start()
    assert again == addresses


async def test_a_second_server_over_the_same_folder_is_refused(server: EmbeddedPostgres) -> None:
    await server.start()
    with pytest.raises(Misconfigured, match=f"in use by process {os.getpid()}"):
        await EmbeddedPostgres(server.directory, durable=False).start()


async def test_an_interrupted_first_start_leaves_nothing_half_made(server: EmbeddedPostgres) -> None:
    log = server.directory / "postgres.log"
    starting = asyncio.create_task(server.start())
    while not (log.exists() and log.stat().st_size):  # noqa: ASYNC110  (initdb sets no event)
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not server.data.exists()
    await server.start()


async def test_a_lock_file_whose_number_belongs_to_another_program_does_not_stop_it(server: EmbeddedPostgres) -> None:
    await server.start()
    await server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getppid()}\n{server.data}\n", encoding="utf-8")
    await server.start()


async def test_a_taken_port_is_named(folder: Path) -> None:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(Misconfigured, match=rf"port {port} is taken by .*pid {os.getpid()}"):
            await EmbeddedPostgres(folder, port=port, durable=False).start()


async def test_data_of_another_major_version_is_refused_and_left_alone(server: EmbeddedPostgres) -> None:
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("15\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match="made by PostgreSQL 15, this is 18"):
        await server.start()
    assert [file.name for file in server.data.iterdir()] == ["PG_VERSION"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
async def test_a_folder_out_of_reach_for_the_other_user_is_refused_and_not_opened(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    account = account_for(closed)
    assert account
    with pytest.raises(Misconfigured, match=f"runs as user {account.name}, who cannot reach .*--data-dir"):
        await EmbeddedPostgres(closed / "postgres", durable=False).start()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
