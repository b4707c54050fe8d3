"""`phis account` and `phis client`: from an empty hospital to people and programs, and nobody is given a password."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from domain.errors import Conflict, Misconfigured, NotFound, NotSignedIn
from domain.roles import Role
from runtime.cli.commands import app
from store import accounts, audit, clients, second_factors, sign_ins
from store.audit import AuditLine
from store.database import Database
from store.sealing import KeyRing
from tests.conftest import Urls
from tests.runtime.test_demo import settings as settings_of

Phis = Callable[..., Result]
KEY = ECKey.generate_key("P-384", {"kid": "ec"}, private=True)


@pytest.fixture
def phis(urls: Urls, keys: KeyRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Phis:
    """Runs a command against the test's database; raises what it refuses with."""
    given = settings_of(urls, keys)
    monkeypatch.chdir(tmp_path)
    for name in ("database_url", "database_system_url", "keys"):
        monkeypatch.setenv(f"PHIS_{name.upper()}", getattr(given, name).get_secret_value())

    def run(*arguments: str) -> Result:
        told = CliRunner().invoke(app, arguments)
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise told.exception
        assert told.exit_code == 0, told.output
        return told

    return run


async def run(phis: Phis, *arguments: str) -> str:
    """The last line that a command prints."""
    told = await asyncio.to_thread(phis, *arguments)
    return (told.stdout.splitlines() or [""])[-1]


async def noted(database: Database, hospital: str) -> list[AuditLine]:
    async with database.transaction(hospital) as tx:
        return [line for line in reversed(await audit.read(tx)) if line.actor == "command-line"]


async def test_the_first_administrator_gets_a_link_and_no_password(
    phis: Phis, database: Database, hospital: str
) -> None:
    link = await run(phis, "account", "create", "--hospital", hospital, "--role", "administrator", "--name", "kim")
    secret = link.rpartition("/setup/")[2]
    assert link.startswith("http://127.0.0.1:8000/setup/")
    async with database.transaction(hospital) as tx:
        made = await accounts.account(tx, f"kim@{hospital}")
        now = (await audit.read(tx, 1))[0].recorded_at
        assert await sign_ins.account_of_link(tx, accounts.secret_hash(secret), now) == made.name
    assert (made.roles, made.password_hash, made.disabled) == (frozenset({Role.ADMINISTRATOR}), "", False)
    with pytest.raises(Conflict):
        await run(phis, "account", "create", "--hospital", hospital, "--role", "nurse", "--name", "kim")
    shown = (await asyncio.to_thread(phis, "account", "list", "--hospital", hospital)).stdout
    assert "no password yet" in shown


async def test_a_reset_opens_nothing_but_its_new_link(phis: Phis, database: Database, hospital: str) -> None:
    first = await run(phis, "account", "create", "--hospital", hospital, "--role", "nurse", "--name", "kim")
    name = f"kim@{hospital}"
    async with database.transaction(hospital) as tx:
        now = (await audit.read(tx, 1))[0].recorded_at
        await second_factors.offer(tx, name, "A" * 32, now)
        await second_factors.accept(tx, name, 1, now)
        session = accounts.secret_hash(await accounts.start_session(tx, name, now))
    why = ("--hospital", hospital, "--reason", "telephone lost")
    second = await run(phis, "account", "reset", "kim", *why, "--second-factor")
    assert second != first
    async with database.transaction(hospital) as tx:
        assert not await second_factors.confirmed(tx, name)
        with pytest.raises(NotSignedIn):
            await accounts.session(tx, session, now)
        with pytest.raises(NotSignedIn):
            await sign_ins.account_of_link(tx, accounts.secret_hash(first.rpartition("/")[2]), now)
    details = [line.detail for line in await noted(database, hospital)]
    assert details == [f"account/created:{name}", f"second-factor/reset:{name}", f"account/reset:{name}"]


async def test_closing_opening_and_other_roles(phis: Phis, database: Database, hospital: str) -> None:
    await run(phis, "account", "create", "--hospital", hospital, "--role", "nurse", "--name", "kim")
    why = ("--hospital", hospital, "--reason", "left the house")
    name = f"kim@{hospital}"
    await run(phis, "account", "disable", "kim", *why)
    async with database.transaction(hospital) as tx:
        assert (await accounts.account(tx, name)).disabled
    await run(phis, "account", "enable", name, *why)
    await run(phis, "account", "roles", "kim", *why, "--role", "physician", "--role", "auditor")
    await run(phis, "account", "external", "kim", *why, "--name", "1234")
    async with database.transaction(hospital) as tx:
        changed = await accounts.account_of_external(tx, "1234")
    assert (changed.name, changed.roles, changed.disabled) == (name, {Role.PHYSICIAN, Role.AUDITOR}, False)


async def test_what_cannot_be_is_a_sentence(phis: Phis, hospital: str) -> None:
    with pytest.raises(Misconfigured, match="There is no hospital nowhere"):
        await run(phis, "account", "list", "--hospital", "nowhere")
    with pytest.raises(Misconfigured, match="small letters"):
        await run(phis, "account", "create", "--hospital", hospital, "--role", "nurse", "--name", "Kim@elsewhere")
    with pytest.raises(NotFound):
        await run(phis, "account", "disable", "nobody", "--hospital", hospital, "--reason", "x")
    await run(phis, "account", "create", "--hospital", hospital, "--role", "nurse", "--name", "kim")
    with pytest.raises(Misconfigured, match="--reason is empty"):
        await run(phis, "account", "disable", "kim", "--hospital", hospital, "--reason", " ")


async def test_a_program_is_registered_with_public_keys_only(
    phis: Phis, database: Database, hospital: str, tmp_path: Path
) -> None:
    public, private = tmp_path / "public.json", tmp_path / "private.json"
    public.write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    private.write_text(json.dumps({"keys": [KEY.as_dict(private=True)]}))
    scope = ("--hospital", hospital, "--scope", "system/Observation.rs")
    with pytest.raises(Misconfigured, match="public half"):
        await run(phis, "client", "register", "loader", *scope, "--keys", str(private))
    with pytest.raises(Misconfigured, match="PHIS_OUTGOING_HOSTS"):
        await run(phis, "client", "register", "loader", *scope, "--keys-url", "https://elsewhere.example/keys")
    with pytest.raises(Misconfigured, match="system scopes"):
        await run(
            phis, "client", "register", "loader", "--hospital", hospital, "--scope", "user/*.rs", "--keys", str(public)
        )
    with pytest.raises(Misconfigured, match="an hour at most"):
        await run(phis, "client", "register", "loader", *scope, "--keys", str(public), "--lasts", "2h")
    id_ = await run(phis, "client", "register", "loader", *scope, "--keys", str(public))
    assert id_ == f"{hospital}.loader"
    await run(phis, "client", "rotate", "loader", "--hospital", hospital, "--keys", str(public))
    await run(phis, "client", "disable", id_, "--hospital", hospital)
    async with database.transaction(hospital) as tx:
        made = await clients.client(tx, id_)
    assert (made.disabled, made.token_seconds, made.scope) == (True, 300, "system/Observation.rs")
    assert "closed" in (await asyncio.to_thread(phis, "client", "list", "--hospital", hospital)).stdout
