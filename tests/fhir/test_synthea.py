"""Synthea's patients load whole over HTTP, and every resource reads back as it was sent, to the last digit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.app import create_app
from store import accounts
from tests import synthea
from tests.desk import Desk

pytestmark = pytest.mark.skipif(not synthea.here(), reason=synthea.REASON)

_JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture
async def fhir(desk: Desk, now: datetime) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.state.database.transaction(desk.hospital) as tx:
        token = await accounts.issue_token(tx, "synthea", [], "system/*.cruds", now + timedelta(hours=8))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(desk.state), raise_app_exceptions=False),
        base_url=f"http://127.0.0.1/fhir/{desk.hospital}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=120,
    ) as client:
        yield client


async def test_two_patients_load_and_read_back(fhir: httpx.AsyncClient) -> None:
    assert await _loaded(fhir, [*synthea.places(), *synthea.patients(2)]) > 300


@pytest.mark.long
async def test_all_patients_load_and_read_back(fhir: httpx.AsyncClient) -> None:
    assert await _loaded(fhir, [*synthea.places(), *synthea.patients()]) == 48_676


async def _loaded(fhir: httpx.AsyncClient, bundles: Iterable[bytes]) -> int:
    """How many resources were kept, each read back and compared."""
    count = 0
    for text in bundles:
        answer = await fhir.post("", content=text, headers=_JSON)
        assert answer.status_code == httpx.codes.OK, answer.text[:2000]
        sent = [(entry["fullUrl"], entry["resource"]) for entry in _parsed(text)["entry"]]
        kept = [_reference(entry["response"]) for entry in answer.json()["entry"]]
        assert len(kept) == len(sent)
        known = {full_url: reference for (full_url, _), reference in zip(sent, kept, strict=True)}
        for (_, resource), reference in zip(sent, kept, strict=True):
            read = await fhir.get(f"/{reference}")
            assert read.status_code == httpx.codes.OK, read.text[:2000]
            expected = _rewritten(resource, known) | {"id": reference.partition("/")[2]}
            assert _said(_parsed(read.content)) == _said(expected)
        count += len(kept)
    return count


def _reference(response: dict[str, str]) -> str:
    assert response["status"].startswith("201"), response
    return "/".join(response["location"].split("/")[-4:-2])


def _rewritten(node: Any, known: dict[str, str]) -> Any:
    """References to entries of the Bundle as references to what was kept."""
    if isinstance(node, dict):
        return {
            name: known.get(value, value) if name == "reference" else _rewritten(value, known)
            for name, value in node.items()
        }
    return [_rewritten(each, known) for each in node] if isinstance(node, list) else node


def _said(resource: dict[str, Any]) -> dict[str, Any]:
    """Without meta, and numbers as their digits: 72.50 is not 72.5."""
    return {name: _digits(value) for name, value in resource.items() if name != "meta"}


def _digits(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _digits(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_digits(each) for each in node]
    return f"number {node}" if isinstance(node, Decimal) else node


def _parsed(text: bytes) -> dict[str, Any]:
    # Whole numbers too: 1 and 1.0 are equal in Python and are not the same result.
    parsed: dict[str, Any] = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return parsed
