"""What was taken away is gone at the next request: tokens, roles, accounts, sessions, streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from api.fhir import standing
from api.ui.routes import events
from domain.roles import Role
from store import accounts, clients, outbox, sessions
from store.database import Transaction
from tests.api.conftest import Bearer, SignIn
from tests.desk import Desk, caller
from tests.store.values import settled

End = Callable[[Transaction, str], Awaitable[None]]


async def _role(tx: Transaction, name: str) -> None:
    await accounts.change_roles(tx, name, [Role.HOUSEKEEPING])


async def _closed(tx: Transaction, name: str) -> None:
    await accounts.disable(tx, name)


async def _token(tx: Transaction, name: str) -> None:
    await accounts.end_tokens(tx, name)


ADDRESSES = ("Patient", "Patient/nobody", "Patient/nobody/_history", "_history")
BUNDLE = {"resourceType": "Bundle", "type": "batch", "entry": []}


@pytest.mark.parametrize("end", [_role, _closed, _token], ids=["role", "account", "token"])
async def test_a_token_that_ended_opens_nothing_however_lately_it_was_asked(
    client: httpx.AsyncClient, accounts_made: str, bearer: Bearer, desk: Desk, end: End
) -> None:
    base, headers = f"/fhir/{desk.hospital}", await bearer(Role.MEDICAL_RECORDS)
    assert (await client.get(f"{base}/Patient", headers=headers)).status_code == 200
    async with desk.state.database.transaction(desk.hospital) as tx:
        await end(tx, f"medical-records@{desk.hospital}")
    for address in ADDRESSES:
        assert (await client.get(f"{base}/{address}", headers=headers)).status_code == 401, address
    made = {"resourceType": "Patient", "name": [{"family": "late"}]}
    assert (await client.post(f"{base}/Patient", headers=headers, json=made)).status_code == 401
    for bundle in (BUNDLE, BUNDLE | {"type": "transaction"}, _making(made, "batch"), _making(made, "transaction")):
        answer = await client.post(base, headers=headers, json=bundle)
        assert answer.status_code == 401, answer.text
    assert (await client.get("/commands/worklist", headers=headers)).status_code == 401
    asking = await bearer(Role.MEDICAL_RECORDS)
    assert (await client.get(f"{base}/Patient?_summary=count", headers=asking)).json()["total"] == 0


def _making(resource: dict[str, object], kind: str) -> dict[str, object]:
    return BUNDLE | {"type": kind, "entry": [{"request": {"method": "POST", "url": "Patient"}, "resource": resource}]}


async def test_a_client_that_was_closed_is_not_answered(client: httpx.AsyncClient, desk: Desk) -> None:
    now, name = desk.state.now(), f"{desk.hospital}.loader"
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.register(
            tx, id_=name, display="x", keys={"keys": []}, keys_url=None, scope="system/*.rs", token_seconds=300, now=now
        )
        secret = await accounts.issue_token(tx, name, [], "system/*.rs", now.replace(year=now.year + 1))
    headers = {"Authorization": f"Bearer {secret}"}
    address = f"/fhir/{desk.hospital}/Patient"
    assert (await client.get(address, headers=headers)).status_code == 200
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.disable(tx, name)
    assert (await client.get(address, headers=headers)).status_code == 401


async def test_teeth_without_the_question_a_token_lives_on_for_seconds(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, headers = f"/fhir/{desk.hospital}/Patient", await bearer(Role.MEDICAL_RECORDS)
    assert (await client.get(address, headers=headers)).status_code == 200
    async with desk.state.database.transaction(desk.hospital) as tx:
        await accounts.end_tokens(tx, f"medical-records@{desk.hospital}")

    async def stands(tx: Transaction, *_: object) -> object:
        return await tx.connection.execute("select 1 as one")

    monkeypatch.setattr(standing.accounts, "standing", stands)
    assert (await client.get(address, headers=headers)).status_code == 200


@pytest.mark.parametrize("end", [_role, _closed], ids=["role", "account"])
async def test_a_session_ends_with_its_roles_on_screens_and_over_fhir(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, end: End
) -> None:
    await sign_in(Role.PHYSICIAN)
    address = f"/fhir/{desk.hospital}/Patient"
    assert (await client.get(address)).status_code == 200
    async with desk.state.database.transaction(desk.hospital) as tx:
        await end(tx, f"physician@{desk.hospital}")
    assert (await client.get(address)).status_code == 401
    assert (await client.get("/worklist", headers={"Accept": "application/json"})).status_code == 401


async def test_a_stream_ends_when_its_session_is_ended(
    client: httpx.AsyncClient, sign_in: SignIn, app: FastAPI, desk: Desk
) -> None:
    """What ends a session is announced like any change; the stream looks and stops, and tells nobody why."""
    await sign_in(Role.PHYSICIAN)
    name = f"physician@{desk.hospital}"
    secret = client.cookies["phis"]
    async with desk.state.database.transaction(desk.hospital) as tx:
        session = await accounts.session(tx, accounts.secret_hash(secret), desk.state.now())
        before = await outbox.position(tx)
    who = caller(desk.hospital, Role.PHYSICIAN)
    told = events.stream(desk.state, replace(who, csrf=session.csrf, session=accounts.secret_hash(secret)))
    assert (await anext(told)).startswith("retry:")
    desk.state.events.publish(desk.hospital, sessions.TOPIC)  # somebody else's session
    desk.state.events.publish(desk.hospital, "worklist")
    assert "worklist" in await anext(told)
    async with desk.state.database.transaction(desk.hospital) as tx:
        await accounts.disable(tx, name)
    await settled(desk.state.database, desk.hospital)
    async with desk.state.database.transaction(desk.hospital) as tx:
        assert [each.topic for each in await outbox.changes_since(tx, before, [sessions.TOPIC])] == [sessions.TOPIC]
    desk.state.events.publish(desk.hospital, sessions.TOPIC)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(told), 10)
