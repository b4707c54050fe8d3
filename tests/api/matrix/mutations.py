"""Checks taken out one at a time: each is a module's only line of one defence, and the test beside it must notice.

`test_mutations.py` runs every check twice: as it is, and with the defence gone, where the same check must fail.
Lock-out, limits of sessions and second factors have theirs in `tests/api/identity/controls.py`, revocation in
`tests/api/test_revocation.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from psycopg import AsyncConnection, sql

from api import deps
from api.fhir import exchange, reach, read
from domain.errors import NotFound
from domain.ids import Reference
from domain.roles import Role
from store import accounts, exports
from store.care import glass
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version, opened
from tests.api.matrix.routes import Case, Whose, Wrong, ask
from tests.api.matrix.world import AWAY, HERE, STAR, World, name_of
from tests.desk import a_key

Check = Callable[[World, str], Awaitable[None]]
"""The second argument is the address of the test's own database for its superuser."""


@dataclass(frozen=True)
class Mutation:
    """`gone` takes the defence out of `module`; database: out of the database instead, as its superuser."""

    module: str
    check: Check
    gone: Callable[[pytest.MonkeyPatch], None] = lambda _: None
    database: str = ""


async def _fhir(world: World, role: Role, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.tokens[role]}"}
    return await world.client.request(method, f"/fhir/{world.own.hospital}/{path}", headers=headers, **more)


async def _client(world: World, scope: str, label: str = "program") -> dict[str, str]:
    async with world.desk.state.database.transaction(world.own.hospital) as tx:
        until = world.desk.state.now() + timedelta(hours=1)
        return {"Authorization": f"Bearer {await accounts.issue_token(tx, label, [], scope, until)}"}


def _seen(world: World, kind: str, which: str) -> str:
    return f"{kind}/{world.own.id(kind, which)}"


async def roles_are_asked_for(world: World, _: str) -> None:
    case = Case(("POST", "/commands/admissions"), Role.HOUSEKEEPING, Whose.OWN, Wrong.NOTHING)
    assert (await ask(world, case, world.own)).status_code == 403


async def forms_carry_their_token(world: World, _: str) -> None:
    case = Case(("POST", "/patients/{patient_id}/purpose"), Role.PHYSICIAN, Whose.OWN, Wrong.NO_TOKEN)
    assert (await ask(world, case, world.own)).status_code == 403


async def other_sites_are_refused(world: World, _: str) -> None:
    case = Case(("POST", "/patients/{patient_id}/purpose"), Role.PHYSICIAN, Whose.OWN, Wrong.FOREIGN)
    assert (await ask(world, case, world.own)).status_code == 403


async def fields_are_known(world: World, _: str) -> None:
    case = Case(("POST", "/patients/{patient_id}/purpose"), Role.PHYSICIAN, Whose.OWN, Wrong.UNKNOWN)
    assert (await ask(world, case, world.own)).status_code == 422


async def statements_name_their_hospital(world: World, superuser: str) -> None:
    """Without row security the statements alone keep hospitals apart."""
    await _bare(superuser, "resource")
    there = f"Patient/{world.other.id('Patient', HERE)}"
    assert (await _fhir(world, Role.MEDICAL_RECORDS, "GET", there)).status_code == 404


async def rows_are_shown_to_their_hospital(world: World, _: str) -> None:
    """Without a hospital in the statement row security alone keeps them apart."""
    async with world.desk.state.database.transaction(world.own.hospital) as tx:
        row = await tx.one("select count(*) as n from resource where hospital <> %s", [world.own.hospital])
    assert row == {"n": 0}


async def scopes_limit_a_program(world: World, _: str) -> None:
    headers = await _client(world, "system/Observation.rs")
    address = f"/fhir/{world.own.hospital}/{_seen(world, 'Patient', HERE)}"
    assert (await world.client.get(address, headers=headers)).status_code == 403


async def the_condition_limits_a_search(world: World, _: str) -> None:
    answer = await _fhir(world, Role.NURSE, "GET", "Observation")
    assert answer.status_code == 200, answer.text
    assert f"{world.own.mark}-{AWAY.upper()}" not in answer.text
    assert f"{world.own.mark}-{HERE.upper()}" in answer.text


async def labels_ask_why(world: World, _: str) -> None:
    answer = await _fhir(world, Role.PHARMACIST, "GET", "Observation")
    assert f"{world.own.mark}-{STAR.upper()}" not in answer.text
    assert (await _fhir(world, Role.PHARMACIST, "GET", _seen(world, "Patient", STAR))).status_code == 404


async def a_leak_is_held_back(world: World, _: str) -> None:
    """With the condition taken out of the query."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "in_reach", _everything)
        assert (await _fhir(world, Role.NURSE, "GET", "Observation")).status_code == 403


async def what_is_written_is_looked_at(world: World, _: str) -> None:
    """By the condition, before the second net has to."""
    before = reach.LEAKS._value.get()
    body = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    body |= {"subject": {"reference": _seen(world, "Patient", AWAY)}}
    assert (await _fhir(world, Role.NURSE, "POST", "Observation", json=body)).status_code == 403
    assert reach.LEAKS._value.get() == before


async def some_elements_are_veiled(world: World, _: str) -> None:
    answer = await _fhir(world, Role.CASHIER, "GET", _seen(world, "Patient", HERE))
    assert answer.status_code == 200
    assert "telecom" not in answer.json()


async def a_glass_is_whole_after_an_hour(world: World, _: str) -> None:
    now, hospital = world.desk.state.now(), world.own.hospital
    async with world.desk.state.database.transaction(hospital) as tx:
        await glass.break_glass(
            tx, uuid4(), actor=name_of(Role.NURSE, hospital), patient=Reference(_seen(world, "Patient", AWAY)),
            reason="emergency", words="no pulse at all", now=now - timedelta(minutes=61),
        )  # fmt: skip
    assert (await _fhir(world, Role.NURSE, "GET", _seen(world, "Patient", AWAY))).status_code == 404


async def an_emergency_needs_a_fresh_proof(world: World, _: str) -> None:
    async with world.desk.state.database.transaction(world.own.hospital) as tx:
        now = world.desk.state.now()
        secret = await accounts.start_session(tx, name_of(Role.PHYSICIAN, world.own.hospital), now)
        csrf = (await accounts.session(tx, accounts.secret_hash(secret), now)).csrf
    headers = {"Cookie": f"phis={secret}", "X-CSRF-Token": csrf, "Idempotency-Key": a_key()}
    body = {"patient": _seen(world, "Patient", HERE), "reason": "other", "words": "ten signs and more"}
    assert (await world.client.post("/commands/break-glass", json=body, headers=headers)).status_code == 401


async def an_export_is_its_askers(world: World, _: str) -> None:
    asked = f"/fhir/{world.own.hospital}/$export"
    prefer = {"Prefer": "respond-async"}
    mine, others = await _client(world, "system/*.rs", "one"), await _client(world, "system/*.rs", "two")
    where = (await world.client.get(asked, headers=mine | prefer)).headers["Content-Location"]
    assert (await world.client.get(where, headers=mine)).status_code == 202
    assert (await world.client.get(where, headers=others)).status_code == 404


async def operations_look_at_whom_they_name(world: World, _: str) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "source-patient", "valueReference": {"reference": _seen(world, "Patient", STAR)}},
            {"name": "target-patient", "valueReference": {"reference": _seen(world, "Patient", HERE)}},
            {"name": "preview", "valueBoolean": True},
        ],
    }
    answer = await _fhir(world, Role.MEDICAL_RECORDS, "POST", "Patient/$merge", json=body)
    assert answer.status_code == 422, answer.text


async def _bare(superuser: str, table: str) -> None:
    async with await AsyncConnection.connect(superuser, autocommit=True) as connection:
        for word in (sql.SQL("no force"), sql.SQL("disable")):
            statement = sql.SQL("alter table {} {} row level security").format(sql.Identifier(table), word)
            await connection.execute(statement)


def _everything(*_: object) -> Callable[[str, str], None]:
    return lambda _type, _alias: None


async def _nothing(*_: object, **__: object) -> None:
    return None


def _off(module: object, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(module, name, value)


async def _read_anywhere(tx: Transaction, ref: Reference) -> Version:
    row = await tx.one(
        "select type, id, version, last_updated, owner, deleted, key_id, body from resource"
        " where type = %s and id = %s",
        [ref.resource_type, ref.id],
    )
    if row is None:
        raise NotFound("no such resource", reference=ref)
    return opened(tx, row)


_get = exports.get


async def _anybodys_job(tx: Transaction, id_: UUID, *, actor: str, now: Any) -> Any:
    row = await tx.one("select actor from export_job where hospital = %s and id = %s", [tx.hospital, id_])
    return await _get(tx, id_, actor=row["actor"] if row else actor, now=now)


MUTATIONS = [
    Mutation("api.deps: roles", roles_are_asked_for, _off(deps, "may", lambda *_: True)),
    Mutation("api.deps: form token", forms_carry_their_token, _off(deps, "_refuse_forgery", _nothing)),
    Mutation("api.deps: origin", other_sites_are_refused, _off(deps, "refuse_other_origins", lambda *_: None)),
    Mutation("api.strict: unknown fields", fields_are_known, _off(deps, "refuse_unknown_fields", _nothing)),
    Mutation("store.fhir.reading: hospital", statements_name_their_hospital, _off(reading, "read", _read_anywhere)),
    Mutation("store.migrations: row security", rows_are_shown_to_their_hospital, database="resource"),
    Mutation("rules.scopes: scopes", scopes_limit_a_program, _off(exchange.Call, "require", lambda *_: None)),
    Mutation("store.care.scope: reach", the_condition_limits_a_search, _off(reach, "in_reach", _everything)),
    Mutation("store.care.scope: labels", labels_ask_why, _off(reach, "not_sensitive", _everything)),
    Mutation(
        "api.fhir.reach: second net",
        a_leak_is_held_back,
        lambda m: m.setattr("api.fhir.auditing.hold_back", _nothing),
    ),
    Mutation(
        "api.fhir.writes: writes",
        what_is_written_is_looked_at,
        lambda m: m.setattr("api.fhir.writes.refuse_written", _nothing),
    ),
    Mutation("api.fhir.veil: elements", some_elements_are_veiled, _off(read, "veiled", lambda _call, version: version)),
    Mutation("store.care.glass: an hour", a_glass_is_whole_after_an_hour, _off(glass, "LASTS", timedelta(days=9))),
    Mutation(
        "api.deps: fresh proof",
        an_emergency_needs_a_fresh_proof,
        _off(deps, "refuse_without_fresh_proof", lambda *_: None),
    ),
    Mutation("store.exports: asker", an_export_is_its_askers, _off(exports, "get", _anybodys_job)),
    Mutation(
        "api.fhir.persons: operations",
        operations_look_at_whom_they_name,
        lambda m: m.setattr("api.fhir.persons.refuse_unseen", _nothing),
    ),
]
