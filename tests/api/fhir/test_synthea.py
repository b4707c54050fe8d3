"""Synthea's patients load as transactions, and every resource reads back as it was sent.

Apart from `meta`, the ids that the server gives, and the references that follow them.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.fhir.conftest import Json

ARCHIVE = Path(__file__).parents[4] / "shared" / "data" / "fhir" / "synthea-160-patients.tar.xz"
FIRST = ("hospital", "practitioner")

pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="Synthea's bundles are not on this machine")


def bundles() -> list[bytes]:
    """Hospitals and practitioners first, because the patients refer to them; then the smaller patients first."""
    found: list[tuple[bool, int, bytes]] = []
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                name = Path(member.name).name
                found.append((not name.startswith(FIRST), 0 if name.startswith(FIRST) else member.size, content.read()))
    return [content for _, _, content in sorted(found, key=lambda one: one[:2])]


def exact(text: bytes) -> Json:
    parsed: Json = json.loads(text, parse_float=Decimal)
    return parsed


def differences(sent: Any, kept: Any, ids: dict[str, str], where: str) -> Iterator[str]:
    """Where what was kept is not what was sent, but for references that were resolved."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        for name in sent.keys() | kept.keys():
            yield from differences(sent.get(name), kept.get(name), ids, f"{where}.{name}")
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for index, (one, other) in enumerate(zip(sent, kept, strict=True)):
            yield from differences(one, other, ids, f"{where}[{index}]")
    elif isinstance(sent, str) and (sent in ids or (where.endswith(".reference") and "?" in sent)):
        if kept != ids.get(sent, kept):
            yield where
    elif str(sent) != str(kept):  # decimals with their digits
        yield where


async def load(fhir: httpx.AsyncClient, content: bytes) -> int:
    answer = await fhir.post("", content=content, headers={"Content-Type": "application/fhir+json"}, timeout=120)
    assert answer.status_code == 200, answer.text[:500]
    sent = exact(content)["entry"]
    made = ["/".join(one["response"]["location"].split("/")[-4:-2]) for one in answer.json()["entry"]]
    ids = {entry["fullUrl"]: reference for entry, reference in zip(sent, made, strict=True)}
    for entry, reference in zip(sent, made, strict=True):
        kept = exact((await fhir.get(reference)).content)
        for own in ("id", "meta"):
            kept.pop(own)
            entry["resource"].pop(own, None)
        assert list(differences(entry["resource"], kept, ids, reference)) == []
    return len(made)


async def test_a_few_of_synthetic_patients_read_back_as_they_were_sent(fhir: httpx.AsyncClient) -> None:
    assert sum([await load(fhir, content) for content in bundles()[:8]]) > 500


@pytest.mark.long
async def test_all_of_synthetic_patients_read_back_as_they_were_sent(fhir: httpx.AsyncClient) -> None:
    assert sum([await load(fhir, content) for content in bundles()]) == 48_676
