"""A record that is not open by itself: the doors on screens, the reviewers' queue, and acting for a colleague."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote

import httpx
import pytest

from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec
from store import accounts, audit, records, worklist
from store.care import glass
from tests.api.conftest import Bearer, SignIn, csrf_of
from tests.desk import Desk, a_key

WORDS = "무의식 상태로 응급실에 도착했습니다."


async def proven(client: httpx.AsyncClient, sign_in: SignIn, password: str) -> str:
    """A physician who has just proved again to be there, as an emergency asks; returns the forms' token."""
    csrf = await sign_in(Role.PHYSICIAN)
    answer = await client.post("/step-up", data={"csrf": csrf, "proof": password, "next": "/"})
    assert answer.status_code == 303, answer.text
    return csrf


async def somebody_elses(desk: Desk) -> tuple[str, str]:
    """A stay that another physician asked for: its address, its patient."""
    answer = (await desk.request(a_key())).answer
    async with desk.state.database.transaction(desk.hospital) as tx:
        stored = await records.read(tx, Reference(answer["encounter"]))
        body = {name: value for name, value in stored.body.items() if name != "participant"}
        await records.update(tx, body, if_match=stored.version, now=desk.state.now())
    return f"/stays/{answer['encounter'][10:]}", answer["patient"]


async def test_a_stay_out_of_care_leads_to_the_door_and_opens_behind_it(
    client: httpx.AsyncClient, sign_in: SignIn, accounts_made: str, desk: Desk
) -> None:
    await sign_in(Role.PHYSICIAN)
    stay, patient = await somebody_elses(desk)
    sent = await client.get(stay, headers={"Accept": "text/html"})
    assert sent.status_code == 303
    door = sent.headers["location"]
    assert unquote(door).endswith(f"/patients/{patient[8:]}/glass?next={stay}")
    first = await client.get(door, headers={"Accept": "text/html"})
    assert first.headers["location"].startswith("/step-up?next=")
    await proven(client, sign_in, accounts_made)
    page = (await client.get(door)).text
    assert "한 시간 동안 기록 열기" in page
    form = {"csrf": csrf_of(page), "key": a_key(), "reason": "emergency", "words": WORDS, "next": stay}
    opened = await client.post(f"/{patient.replace('Patient', 'patients')}/glass", data=form)
    assert (opened.status_code, opened.headers["location"]) == (303, stay)
    assert (await client.get(stay, headers={"Accept": "text/html"})).status_code == 200


async def a_task(desk: Desk, patient: str) -> str:
    """A task of the bed managers, as an admission opens it."""
    now, ref = desk.state.now(), Reference.to("Task", a_key())
    spec = TaskSpec(
        ref=ref,
        kind=TaskKind.ASSIGN_BED,
        focus=Reference("ServiceRequest/any"),
        patient=Reference(patient),
        ward=desk.ward,
        candidates=(Role.BED_MANAGER,),
        priority=Priority.ROUTINE,
        due_at=now + timedelta(hours=1),
    )
    async with desk.state.database.transaction(desk.hospital) as tx:
        await worklist.open_task(tx, spec, workflow_id=f"{desk.hospital}/admission/Encounter/any", now=now)
    return f"/worklist/{ref.id}"


async def test_a_task_of_others_shows_nobody_who_is_not_in_care(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    _, patient = await somebody_elses(desk)
    task, json = await a_task(desk, patient), {"Accept": "application/json"}
    assert (await client.get(task, headers=await bearer(Role.BED_MANAGER) | json)).status_code == 200
    assert (await client.get(task, headers=await bearer(Role.AUDITOR) | json)).status_code == 403
    other = await client.get(task, headers=await bearer(Role.PHYSICIAN) | json)
    assert (other.status_code, other.json()["code"]) == (403, "out-of-reach")
    assert "김시험" not in other.text


async def test_a_list_does_not_name_a_sensitive_patient_before_a_purpose_is_stated(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    _, patient = await somebody_elses(desk)
    async with desk.state.database.transaction(desk.hospital) as tx:
        stored = await records.read(tx, Reference(patient))
        label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "CEL"}
        await records.update(
            tx, dict(stored.body) | {"meta": {"security": [label]}}, if_match=stored.version, now=desk.state.now()
        )
    task, manager = await a_task(desk, patient), await bearer(Role.BED_MANAGER)
    shown = (await client.get("/worklist", headers=manager)).text
    assert "민감 기록" in shown or "Sensitive record" in shown
    assert "김시험" not in shown
    asked = await client.get(task, headers=manager | {"Accept": "application/json"})
    assert (asked.status_code, asked.json()["params"]["why"]) == (403, "purpose")
    body = {"patient": patient, "purpose": "HOPERAT"}
    await client.post("/commands/purposes", json=body, headers=manager | {"Idempotency-Key": a_key()})
    assert "김시험" in (await client.get("/worklist", headers=manager)).text
    assert (await client.get(task, headers=manager)).status_code == 200


@pytest.mark.parametrize(
    ("typed", "said"), [({"words": WORDS}, "사유를 고르세요."), ({"reason": "emergency", "words": "짧음"}, "열 글자")]
)
async def test_the_door_says_beside_the_field_what_is_missing(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, accounts_made: str, *, typed: dict[str, str], said: str
) -> None:
    csrf = await proven(client, sign_in, accounts_made)
    _, patient = await somebody_elses(desk)
    address = f"/patients/{patient[8:]}/glass"
    answer = await client.post(address, data={"csrf": csrf, "key": a_key(), "next": "/"} | typed)
    assert answer.status_code == 422
    assert said in answer.text


async def test_a_door_leads_back_into_the_house_only(
    client: httpx.AsyncClient, sign_in: SignIn, accounts_made: str, desk: Desk
) -> None:
    csrf = await proven(client, sign_in, accounts_made)
    _, patient = await somebody_elses(desk)
    form = {"csrf": csrf, "key": a_key(), "reason": "covering", "words": WORDS, "next": "https://evil.example/"}
    assert (await client.post(f"/patients/{patient[8:]}/glass", data=form)).headers["location"] == "/"


async def test_who_may_not_break_the_glass_hears_that_the_patient_is_not_in_care(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    stay, patient = await somebody_elses(desk)
    address = f"/commands{stay}/journal"
    answer = await client.get(address, headers=await bearer(Role.PHYSICIAN))
    assert (answer.status_code, answer.json()["code"], answer.json()["params"]["why"]) == (403, "out-of-reach", "care")
    body = {"patient": patient, "reason": "emergency", "words": WORDS}
    headers = await bearer(Role.CASHIER) | {"Idempotency-Key": a_key()}
    assert (await client.post("/commands/break-glass", json=body, headers=headers)).status_code == 403


async def test_every_use_is_reviewed_once_and_by_somebody_else(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    _, patient = await somebody_elses(desk)
    doctor = await bearer(Role.PHYSICIAN, Role.MEDICAL_RECORDS)
    body = {"patient": patient, "reason": "emergency", "words": WORDS}
    made = await client.post("/commands/break-glass", json=body, headers=doctor | {"Idempotency-Key": a_key()})
    assert made.status_code == 201, made.text
    use = made.json()["use"]
    address, verdict = f"/commands/break-glass/{use}/review", {"verdict": "justified", "remark": "맞음"}

    async def reviewed(headers: dict[str, str]) -> httpx.Response:
        return await client.post(address, json=verdict, headers=headers | {"Idempotency-Key": a_key()})

    assert (await reviewed(doctor)).status_code == 403
    auditor = await bearer(Role.AUDITOR)
    waiting = (await client.get("/commands/break-glass?reviewed=false", headers=auditor)).json()["uses"]
    assert [(each["id"], each["words"]) for each in waiting] == [(use, WORDS)]
    assert (await reviewed(auditor)).status_code == 200
    assert (await reviewed(auditor)).json()["code"] == "already-done"
    assert (await client.get("/commands/break-glass?reviewed=false", headers=auditor)).json()["uses"] == []
    async with desk.state.database.transaction(desk.hospital) as tx:
        details = [line.detail for line in await audit.read(tx)]
    assert {"break-glass", "review-break-glass"} <= set(details)


async def test_what_a_person_wrote_is_sealed(client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> None:
    _, patient = await somebody_elses(desk)
    body = {"patient": patient, "reason": "emergency", "words": WORDS}
    headers = await bearer(Role.PHYSICIAN) | {"Idempotency-Key": a_key()}
    await client.post("/commands/break-glass", json=body, headers=headers)
    async with desk.state.database.transaction(desk.hospital) as tx:
        row = await tx.one("select words from broken_glass where hospital = %s", [desk.hospital])
        (use,) = await glass.listed(tx)
    assert row is not None
    assert WORDS.encode() not in row["words"]
    assert use.words == WORDS


async def test_only_roles_that_one_holds_are_given_to_a_colleague(
    client: httpx.AsyncClient, accounts_made: str, bearer: Bearer, desk: Desk
) -> None:
    doctor = await bearer(Role.PHYSICIAN)
    until = (desk.state.now() + timedelta(hours=8)).isoformat()

    async def give(taker: str, *roles: str) -> httpx.Response:
        body = {"taker": f"{taker}@{desk.hospital}", "roles": roles, "until": until}
        return await client.post("/commands/delegations", json=body, headers=doctor | {"Idempotency-Key": a_key()})

    for wrong in (
        await give("housekeeping", "auditor"),
        await give("physician", "physician"),
        await give("nobody", "physician"),
    ):
        assert wrong.status_code == 422
    given = await give("bed-manager", "physician")
    assert given.status_code == 201, given.text
    taker = await bearer(Role.BED_MANAGER)
    listed = (await client.get("/commands/delegations", headers=taker)).json()["delegations"]
    assert [(each["giver"], each["roles"]) for each in listed] == [(f"physician@{desk.hospital}", ["physician"])]
    address = f"/commands/delegations/{given.json()['id']}/end"
    assert (await client.post(address, headers=taker | {"Idempotency-Key": a_key()})).status_code == 200
    assert (await client.get("/commands/delegations", headers=taker)).json()["delegations"] == []
    async with desk.state.database.transaction(desk.hospital) as tx:
        assert (await accounts.account(tx, f"bed-manager@{desk.hospital}")).roles == {Role.BED_MANAGER}


async def test_a_colleagues_roles_hold_while_they_are_lent_and_the_session_acts_on_them(
    client: httpx.AsyncClient, sign_in: SignIn, accounts_made: str, bearer: Bearer, desk: Desk
) -> None:
    until = (desk.state.now() + timedelta(hours=8)).isoformat()
    body = {"taker": f"housekeeping@{desk.hospital}", "roles": ["physician"], "until": until}
    doctor = await bearer(Role.PHYSICIAN)
    given = await client.post("/commands/delegations", json=body, headers=doctor | {"Idempotency-Key": a_key()})
    encounter = (await desk.request(a_key())).answer["encounter"]
    stay = f"/stays/{encounter[10:]}"
    csrf = await sign_in(Role.HOUSEKEEPING)
    assert (await client.get(stay)).status_code == 403
    page = (await client.get("/account/delegations")).text
    assert "이 동료 업무 대행" in page
    form = {"csrf": csrf, "key": a_key(), "for": f"physician@{desk.hospital}"}
    assert (await client.post("/account/acting", data=form)).status_code == 303
    assert (await client.get(stay, headers={"Accept": "text/html"})).status_code == 200
    async with desk.state.database.transaction(desk.hospital) as tx:
        last = next(line for line in await audit.read(tx) if line.detail == "stay")
    assert (last.actor, last.on_behalf_of) == (f"housekeeping@{desk.hospital}", f"physician@{desk.hospital}")
    address = f"/commands/delegations/{given.json()['id']}/end"
    assert (await client.post(address, headers=doctor | {"Idempotency-Key": a_key()})).status_code == 200
    assert (await client.get(stay)).status_code == 403


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"role": "housekeeping", "until": "2099-01-01T10:00"}, "동료를 고르세요."), ({"until": ""}, "앞으로 올 날짜")],
)
async def test_the_form_that_lends_roles_says_what_is_missing(
    client: httpx.AsyncClient, sign_in: SignIn, typed: dict[str, str], said: str
) -> None:
    csrf = await sign_in(Role.HOUSEKEEPING)
    answer = await client.post("/account/delegations", data={"csrf": csrf, "key": a_key()} | typed)
    assert answer.status_code == 422
    assert said in answer.text
