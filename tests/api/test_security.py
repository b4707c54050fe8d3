"""The security page: what deserves a look is there, for administrators and auditors, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from api.app import create_app
from api.commands.security import Seen
from api.ui.views.security import security_view
from api.ui.words import Language, words
from domain.ids import Reference
from domain.manifest import AdvisoryState, Files, ManifestState
from domain.roles import Role
from store import attempts, audit, data_keys, watching
from store.attempts import Place
from store.audit import AuditAction
from store.watching import BURST, MANY, watched
from tests.api.conftest import Bearer
from tests.desk import Desk


async def accesses(desk: Desk, actor: str, count: int, **more: object) -> None:
    """So many, each of a patient of its own."""
    async with desk.state.database.transaction(desk.hospital) as tx:
        for number in range(count):
            given = {"action": AuditAction.READ, "patients": [Reference.to("Patient", f"p{number}")]} | more
            await audit.record(tx, actor=actor, at=desk.state.now(), **given)  # type: ignore[arg-type]


async def test_administrators_and_auditors_see_it_and_nobody_else(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    for role in Role:
        answer = await client.get("/commands/security", headers=await bearer(role))
        allowed = role in {Role.ADMINISTRATOR, Role.AUDITOR}
        assert answer.status_code == (200 if allowed else 403), role
    async with desk.state.database.transaction(desk.hospital) as tx:
        assert "see-security" in {line.detail for line in await audit.read(tx) if line.outcome == "allowed"}


async def test_nothing_has_happened_and_that_is_said(client: httpx.AsyncClient, bearer: Bearer) -> None:
    body = (await client.get("/commands/security", headers=await bearer(Role.AUDITOR))).json()
    for name in ("locked_out", "bursts", "mass_reading", "break_glass", "exports", "keys"):
        assert body[name] == [], name
    assert body["files"]["files"] == "unknown"
    assert (body["advisories"], body["cut_off"]) == (None, False)


@pytest.mark.parametrize("more", [-1, 0])
async def test_bursts_and_mass_reading_begin_at_their_thresholds(desk: Desk, more: int) -> None:
    await accesses(desk, "eager@h", MANY + more)
    await accesses(desk, "refused@h", BURST + more, outcome="denied", patients=[])
    found = await watched(desk.state.database, desk.hospital, desk.state.now() + timedelta(seconds=1))
    assert [(each.actor, each.patients) for each in found.many] == ([("eager@h", MANY)] if more == 0 else [])
    assert [(each.actor, each.most) for each in found.bursts] == ([("refused@h", BURST)] if more == 0 else [])


async def test_refusals_far_apart_are_no_burst_and_an_hour_is_an_hour(desk: Desk) -> None:
    now = desk.state.now().replace(minute=30, second=0, microsecond=0)
    async with desk.state.database.transaction(desk.hospital) as tx:
        for number in range(BURST):
            at = now - timedelta(minutes=11 * number)
            await audit.record(tx, action=AuditAction.READ, actor="slow@h", outcome="denied", at=at)
        for number in range(MANY):
            at, one = now - timedelta(minutes=60 * (number % 2)), Reference.to("Patient", f"p{number}")
            await audit.record(tx, action=AuditAction.READ, actor="day@h", at=at, patients=[one])
    found = await watched(desk.state.database, desk.hospital, now + timedelta(hours=1))
    assert (found.bursts, found.many) == ([], [])


async def test_lock_outs_emergencies_exports_and_keys_are_shown(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    now = desk.state.now()
    async with desk.state.database.transaction(desk.hospital) as tx:
        for _ in range(attempts.FREE):
            await attempts.begin(tx, Place("kim", "10.0.0.9", "10.0.0.9"), now, known=f"kim@{desk.hospital}")
        for action in (AuditAction.BREAK_GLASS, AuditAction.EXPORT):
            patient = Reference("Patient/p1")
            await audit.record(
                tx, action=action, actor=f"kim@{desk.hospital}", at=now, patients=[patient], reason="심정지로 이송"
            )
    async with desk.state.database.system() as system:
        key = await data_keys.announce(system, desk.hospital)
    body = (await client.get("/commands/security", headers=await bearer(Role.ADMINISTRATOR))).json()
    assert [each["account"] for each in body["locked_out"]] == [f"kim@{desk.hospital}"]
    for name in ("break_glass", "exports"):
        assert [(each["patients"], each["reason"]) for each in body[name]] == [(1, "심정지로 이송")]
    assert key.id in {each["id"] for each in body["keys"]}
    assert "wrapped" not in str(body)
    assert body["audit"]["tail"] >= 2


async def test_another_hospitals_events_are_not_there(desk: Desk, other_hospital: str) -> None:
    await accesses(desk, "eager@h", MANY)
    found = await watched(desk.state.database, other_hospital, desk.state.now())
    assert list(found.many) == []


async def test_figures_of_very_many_accesses_are_of_the_latest_and_say_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOKED_AT", 10)
    await accesses(desk, "eager@h", MANY)
    found = await watched(desk.state.database, desk.hospital, desk.state.now() + timedelta(seconds=1))
    assert found.cut_off
    assert list(found.many) == []


@pytest.mark.parametrize("language", Language)
async def test_the_page_says_how_each_protection_stands(desk: Desk, language: Language) -> None:
    now = desk.state.now()
    found = await watched(desk.state.database, desk.hospital, now)

    def tones(files: Files, advisories: AdvisoryState | None) -> list[str]:
        state = ManifestState(files, ("changed rules/access.py",), now, "k", now, refuses_writes=True)
        return [each.tone for each in security_view(words(language), Seen(now, found, state, advisories), {}).standings]

    fresh = AdvisoryState(now.date(), timedelta(days=3), stale=False, known=20, unmended=())
    assert tones(Files.INTACT, fresh) == ["done", "done", "soon", "done"]
    old = AdvisoryState(now.date(), timedelta(days=300), stale=True, known=20, unmended=())
    assert tones(Files.UNSIGNED, old)[::3] == ["soon", "soon"]
    open_ = AdvisoryState(
        now.date(), timedelta(days=3), stale=False, known=20, unmended=(("authlib", "1.6.0", "GHSA"),)
    )
    assert tones(Files.CHANGED, open_)[::3] == ["late", "late"]
    assert len(tones(Files.UNKNOWN, None)) == 3


@pytest.mark.parametrize("refuses", [True, False])
async def test_writes_are_refused_on_every_surface_and_reading_goes_on(
    desk: Desk, bearer: Bearer, *, refuses: bool
) -> None:

    state = ManifestState(Files.CHANGED, ("changed rules/access.py",), desk.state.now(), "k", desk.state.now(), refuses)
    app = create_app(replace(desk.state, manifest=lambda: state))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = await bearer(Role.MEDICAL_RECORDS)
    patient = {"resourceType": "Patient", "id": "p1"}
    fhir = f"/fhir/{desk.hospital}"
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}],
    }
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        answers = [
            await client.put(f"{fhir}/Patient/p1", json=patient),
            await client.post(f"{fhir}/Patient", json={"resourceType": "Patient"}),
            await client.post(fhir, json=bundle),
            await client.patch(f"{fhir}/Patient/p1", json=[{"op": "add", "path": "/active", "value": True}]),
            await client.delete(f"{fhir}/Patient/p1"),
            await client.post("/commands/purposes", json={}, headers={"Idempotency-Key": "k"}),
        ]
        codes = [answer.status_code for answer in answers]
        assert (503 in codes) == refuses, [answer.text for answer in answers]
        if refuses:
            assert set(codes) == {503}
            assert answers[-1].json()["code"] == "files-changed"
        assert (await client.get(f"{fhir}/Patient")).status_code == 200
        assert (await client.post(f"{fhir}/Patient/_search")).status_code == 200
