"""Screens without a browser: what they show to whom, and what they write down."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from temporalio.client import Client

from api.accesses import Shown
from domain.roles import Role
from runtime.worker import build_worker
from store import audit
from store.worklist import Task
from tests.api.conftest import SignIn
from tests.desk import Desk, a_key
from tests.waiting import until

KOREAN = {"Accept": "text/html"}


async def task_asked(desk: Desk, client: Client, task_queue: str, *, name: str = "김시험") -> Task:
    """An open task, and no worker any more."""
    encounter = (await desk.request(a_key(), name=name)).answer["encounter"]

    async def found() -> Task | None:
        return await desk.task_of(encounter)

    async with build_worker(client, desk.state.database, task_queue=task_queue):
        return await until(found)


async def test_a_name_is_text_and_never_markup(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    await task_asked(desk, temporal_client, task_queue, name="<script>alert(1)</script>")
    await sign_in(Role.BED_MANAGER)
    page = (await client.get("/worklist")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


async def test_the_filters_show_what_they_say(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    task = await task_asked(desk, temporal_client, task_queue)
    csrf = await sign_in(Role.BED_MANAGER)
    assert "김시험" in (await client.get("/worklist?show=free")).text
    assert "맡은 일이 없습니다" in (await client.get("/worklist?show=mine")).text
    form = {"csrf": csrf, "revision": str(task.revision), "show": "mine"}
    taken = await client.post(f"/worklist/{task.id}/claim", data=form)
    assert taken.headers["Location"] == "/worklist?show=mine&said=claimed"
    assert "김시험" in (await client.get("/worklist?show=mine")).text
    assert "모두 누군가 맡고 있습니다" in (await client.get("/worklist?show=free")).text
    assert (await client.get("/worklist?show=nonsense")).status_code == 422


async def test_a_list_that_refreshes_itself_is_noted_once(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    await task_asked(desk, temporal_client, task_queue)
    await sign_in(Role.BED_MANAGER)
    for _ in range(3):
        await client.get("/worklist", headers={"HX-Request": "true"})
    async with desk.state.database.transaction(desk.hospital) as tx:
        noted = [line.detail for line in await audit.read(tx) if line.actor.startswith("bed-manager")]
    # Once for the page that was opened at signing in, once for the first refresh; the others show nobody new.
    assert noted.count("worklist") == 2


def test_a_patient_who_is_new_to_a_session_is_noted(desk: Desk) -> None:
    shown, at = Shown(), desk.state.now()
    assert shown.anew(b"a", ["Patient/1", "Patient/2"], at)
    assert not shown.anew(b"a", ["Patient/2"], at)
    assert shown.anew(b"a", ["Patient/3"], at)
    assert shown.anew(b"b", ["Patient/3"], at)
    assert shown.anew(b"a", ["Patient/3"], at + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("role", "status"), [(Role.WARD_MANAGER, 200), (Role.PHYSICIAN, 200), (Role.HOUSEKEEPING, 403)]
)
async def test_a_task_is_shown_to_those_it_concerns(
    client: httpx.AsyncClient,
    sign_in: SignIn,
    desk: Desk,
    temporal_client: Client,
    task_queue: str,
    *,
    role: Role,
    status: int,
) -> None:
    task = await task_asked(desk, temporal_client, task_queue)
    await sign_in(role)
    assert (await client.get(f"/worklist/{task.id}", headers=KOREAN)).status_code == status
    async with desk.state.database.transaction(desk.hospital) as tx:
        last = (await audit.read(tx, 1))[0]
    assert last.outcome == ("allowed" if status == 200 else "denied")


async def test_a_task_of_other_roles_cannot_be_taken(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    task = await task_asked(desk, temporal_client, task_queue)
    csrf = await sign_in(Role.PHYSICIAN)
    form = {"csrf": csrf, "revision": str(task.revision)}
    assert (await client.post(f"/worklist/{task.id}/claim", data=form, headers=KOREAN)).status_code == 403


async def test_a_bed_that_was_just_taken_is_said_beside_the_beds(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    first = await task_asked(desk, temporal_client, task_queue, name="김시험")
    second = await task_asked(desk, temporal_client, task_queue, name="이시험")
    csrf = await sign_in(Role.BED_MANAGER)
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        for task in (first, second):
            form = {"csrf": csrf, "revision": str(task.revision), "show": "detail"}
            await client.post(f"/worklist/{task.id}/claim", data=form)
        order = {"csrf": csrf, "revision": str(first.revision + 1), "bed": desk.beds[0]}
        done = await client.post(f"/worklist/{first.id}/complete", data=order | {"key": a_key()})
        late = await client.post(f"/worklist/{second.id}/complete", data=order | {"key": a_key()}, headers=KOREAN)
    assert done.headers["Location"] == f"/worklist/{first.id}?said=bed-assigned"
    assert late.status_code == 409
    assert "방금 다른 환자에게 배정된 병상입니다. 다른 병상을 골라 주세요." in late.text
    assert 'name="bed" value="' + desk.beds[0] not in late.text
    assert 'name="bed" value="' + desk.beds[1] in late.text


async def test_without_a_bed_chosen_the_form_says_so(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    task = await task_asked(desk, temporal_client, task_queue)
    csrf = await sign_in(Role.BED_MANAGER)
    await client.post(f"/worklist/{task.id}/claim", data={"csrf": csrf, "revision": str(task.revision)})
    form = {"csrf": csrf, "revision": str(task.revision + 1), "key": a_key()}
    answer = await client.post(f"/worklist/{task.id}/complete", data=form)
    assert answer.status_code == 422
    assert "먼저 병상을 골라 주세요." in answer.text


async def test_an_order_that_nobody_answers_is_kept_and_its_page_says_so(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    task = await task_asked(desk, temporal_client, task_queue)
    csrf, key = await sign_in(Role.BED_MANAGER), a_key()
    await client.post(f"/worklist/{task.id}/claim", data={"csrf": csrf, "revision": str(task.revision)})
    form = {"csrf": csrf, "revision": str(task.revision + 1), "key": key, "bed": desk.beds[0]}
    kept = await client.post(f"/worklist/{task.id}/complete", data=form)
    assert kept.headers["Location"] == f"/kept/{key}"
    assert "접수되었고, 저절로 이어집니다" in (await client.get(f"/kept/{key}")).text

    async def page() -> str | None:
        text = (await client.get(f"/kept/{key}")).text
        return text if "요청하신 일이 이루어졌습니다." in text else None

    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        await desk.state.dispatcher.resend_once(older_than=timedelta())
        await until(page)


async def test_the_language_is_kept_in_the_browser(client: httpx.AsyncClient) -> None:
    assert '<html lang="ko">' in (await client.get("/signin")).text
    chosen = await client.post("/language", data={"language": "en", "next": "/signin?next=/worklist"})
    assert chosen.headers["Location"] == "/signin?next=/worklist"
    assert '<html lang="en">' in (await client.get("/signin")).text


async def test_a_stay_tells_why_it_waits(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    task = await task_asked(desk, temporal_client, task_queue)
    await sign_in(Role.WARD_MANAGER, "en")
    number = task.workflow_id.rpartition("/")[2]
    page = (await client.get(f"/stays/{number}")).text
    assert "Why waiting" in page
    assert "nobody has taken it; asked: bed manager" in page
    assert "If no bed is assigned by then, the ward supervisor is asked as well." in page
    assert "/cancel" not in page  # a ward manager does not withdraw requests
