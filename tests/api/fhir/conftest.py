"""A client of the FHIR interface with a token, and the records that tests write with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.fhir.exporting import Exporter
from domain.roles import Role
from store import accounts
from tests.api.fhir.exports import Run, keep
from tests.api.fhir.shop import FRUIT_SET, FRUIT_SYSTEM, KOREAN, TO_COLOUR
from tests.desk import Desk

Json = dict[str, Any]
Connect = Callable[..., Awaitable[httpx.AsyncClient]]
"""A client whose token has a scope and roles, in a hospital, at a hospital's address."""


Person = Callable[[Role], Awaitable[httpx.AsyncClient]]
"""A client that acts as a person with one role."""


def patient(**more: Any) -> Json:
    return {"resourceType": "Patient", "name": [{"family": "시험", "given": ["하나"]}], "gender": "female", **more}


def observation(subject: str, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": subject},
        **more,
    }


def issue_of(answer: httpx.Response) -> Json:
    """The first issue of an OperationOutcome."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome", body
    first: Json = body["issue"][0]
    return first


@pytest.fixture
async def connect(app: FastAPI, desk: Desk, now: datetime) -> AsyncIterator[Connect]:
    opened: list[httpx.AsyncClient] = []

    async def as_client(
        scope: str = "system/*.cruds", *roles: Role, hospital: str = "", at: str = "", label: str = "client"
    ) -> httpx.AsyncClient:
        home = hospital or desk.hospital
        async with desk.state.database.transaction(home) as tx:
            token = await accounts.issue_token(tx, label, roles, scope, now + timedelta(hours=1))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url=f"http://127.0.0.1/fhir/{at or home}",
            headers={"Authorization": f"Bearer {token}"},
        )
        opened.append(client)
        return client

    yield as_client
    for client in opened:
        await client.aclose()


@pytest.fixture
def person(connect: Connect, desk: Desk) -> Person:
    async def of(role: Role) -> httpx.AsyncClient:
        return await connect("", role, label=f"{role.value}@{desk.hospital}")

    return of


@pytest.fixture
async def fhir(connect: Connect) -> httpx.AsyncClient:
    """A client that may do everything."""
    return await connect()


@pytest.fixture
async def shop(fhir: httpx.AsyncClient) -> httpx.AsyncClient:
    """A hospital that keeps its own terminology."""
    for each in (FRUIT_SYSTEM, FRUIT_SET, TO_COLOUR, KOREAN):
        answer = await fhir.put(f"{each['resourceType']}/{each['id']}", json=each)
        assert answer.status_code == 201, answer.text
    return fhir


@pytest.fixture
async def two(fhir: httpx.AsyncClient) -> None:
    """Patients `old`, `new` and `else`, each with a number and an observation."""
    for id_, number in (("old", "1"), ("new", "2"), ("else", "3")):
        identifier = [{"system": "urn:example:mrn", "value": number}]
        assert (await fhir.put(f"Patient/{id_}", json=patient(id=id_, identifier=identifier))).status_code == 201
        await fhir.put(f"Observation/of-{id_}", json=observation(f"Patient/{id_}", id=f"of-{id_}"))


@pytest.fixture
def exporter(desk: Desk) -> Exporter:
    return Exporter(desk.state)


@pytest.fixture
def run(exporter: Exporter) -> Run:
    """Everything that is due is done."""

    async def until_nothing_is_due() -> None:
        while await exporter.turn():
            pass

    return until_nothing_is_due


@pytest.fixture
async def ward(fhir: httpx.AsyncClient) -> None:
    """Three patients with an observation each, a practitioner, and a group of the first two."""
    await keep(fhir, {"resourceType": "Practitioner", "id": "d1"})
    for id_ in ("p1", "p2", "p3"):
        await keep(fhir, patient(id=id_, birthDate=f"196{id_[1]}-01-01"))
        await keep(fhir, observation(f"Patient/{id_}", id=f"of-{id_}", performer=[{"reference": "Practitioner/d1"}]))
    members = [{"entity": {"reference": f"Patient/{id_}"}, "inactive": id_ == "p3"} for id_ in ("p1", "p2", "p3")]
    await keep(fhir, {"resourceType": "Group", "id": "g1", "type": "person", "actual": True, "member": members})
