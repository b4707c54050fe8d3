"""Rosters, people, the calendar and calls over HTTP: entered on pages and by programs, seen by the next request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from domain.notices import NoticeKind
from domain.roles import Role
from domain.worklist import Priority
from store import accounts
from store.people import notices
from tests.api.conftest import PASSWORD, csrf_of
from tests.desk import Desk, a_key

Bearer = Callable[..., Awaitable[dict[str, str]]]
Json = dict[str, Any]


@pytest.fixture
async def staff(desk: Desk) -> str:
    """An administrator, a physician, a charge nurse; the hospital's code."""
    hashed = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(PASSWORD)
    async with desk.state.database.transaction(desk.hospital) as tx:
        for name, role in (("admin", Role.ADMINISTRATOR), ("kim", Role.PHYSICIAN), ("choi", Role.CHARGE_NURSE)):
            await accounts.create_account(
                tx,
                name=f"{name}@{desk.hospital}",
                display_ko=f"{name} 님",
                display_en=f"Dr {name}",
                roles=[role],
                password_hash=hashed,
            )
    return desk.hospital


class Browser:
    """A signed-in person; forms carry their token."""

    def __init__(self, client: httpx.AsyncClient, csrf: str) -> None:
        self.client = client
        self.csrf = csrf

    async def send(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data={"csrf": self.csrf, "key": a_key()} | fields)

    async def page(self, path: str) -> str:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture
def as_person(client: httpx.AsyncClient, desk: Desk, staff: str) -> Callable[[str], Awaitable[Browser]]:
    async def signed(name: str) -> Browser:
        client.cookies.clear()
        async with desk.state.database.transaction(staff) as tx:
            cookie = await accounts.start_session(tx, f"{name}@{staff}", desk.state.now(), proved=True)
        client.cookies.set("phis", cookie)
        client.headers["Accept-Language"] = "en"
        page = await client.get("/calls")
        return Browser(client, csrf_of(page.text))

    return signed


async def command(client: httpx.AsyncClient, headers: dict[str, str], path: str, body: Json) -> httpx.Response:
    return await client.post(path, json=body, headers=headers | {"Idempotency-Key": a_key()})


async def test_a_program_enters_a_duty_and_the_next_request_finds_it(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, staff: str, now: datetime
) -> None:
    asks = await bearer(Role.ADMINISTRATOR)
    body = {
        "position": "attending",
        "place": desk.ward,
        "account": f"kim@{staff}",
        "since": (now - timedelta(hours=1)).isoformat(),
        "until": (now + timedelta(hours=1)).isoformat(),
    }
    made = await command(client, asks, "/commands/duties", body)
    assert made.status_code == 201, made.text
    where = {"position": "resident-on-call", "place": desk.ward}
    found = (await client.get("/commands/on-duty", params=where, headers=asks)).json()
    assert (found["position"], found["vacant"]) == ("attending", ["resident-on-call"])
    assert [each["account"] for each in found["people"]] == [f"kim@{staff}"]
    ended = await client.post(
        f"/commands/duties/{made.json()['duty']}/end", headers=asks | {"Idempotency-Key": a_key()}
    )
    assert ended.status_code == 200
    found = (await client.get("/commands/on-duty", params=where, headers=asks)).json()
    assert found["people"] == []


async def test_a_week_shows_its_gap_in_words_until_somebody_is_entered(
    as_person: Callable[[str], Awaitable[Browser]], desk: Desk, staff: str
) -> None:
    choi = await as_person("choi")
    here = {"place": desk.ward, "week": "2026-11-23"}
    need = here | {"position": "resident-on-call", "days": "all", "starts": "18:00", "ends": "08:00"}
    assert (await choi.send("/rosters/needs", **need)).status_code == 303
    week = f"/rosters?place={desk.ward}&week=2026-11-30"
    page = await choi.page(week)
    assert "7 gaps this week" in page
    assert "18:00–08:00: nobody. Calls go to the attending physician." in page
    duty = here | {"position": "resident-on-call", "account": f"kim@{staff}", "since_day": "2026-12-01"}
    assert (await choi.send("/rosters", **duty, starts="18:00", ends="08:00")).status_code == 303
    page = await choi.page(week)
    assert "6 gaps this week" in page
    assert "Dr kim" in page
    assert "Dr kim" in (await choi.page(f"/rosters?place={desk.ward}&week=2026-12-01"))


async def test_last_week_is_copied_once_and_what_is_there_stays(
    as_person: Callable[[str], Awaitable[Browser]], desk: Desk, staff: str
) -> None:
    choi = await as_person("choi")
    duty = {"position": "attending", "account": f"kim@{staff}", "place": desk.ward, "week": ""}
    for day in ("2026-12-01", "2026-12-03"):
        sent = await choi.send("/rosters", **duty, since_day=day, starts="08:00", ends="18:00")
        assert sent.status_code == 303, sent.text
    for _ in range(2):
        assert (await choi.send("/rosters/copy", place=desk.ward, week="2026-12-07")).status_code == 303
    lines = (await choi.page(f"/rosters.csv?place={desk.ward}&week=2026-12-07")).splitlines()
    assert len(lines) == 3
    assert f'"attending","{desk.ward}","kim@{staff}","2026-12-07T23:00:00+00:00"' in lines[1]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"account": "choi"}, "Choose somebody who may hold this position"),
        ({"position": ""}, "Choose a position."),
        ({"since_day": "yesterday"}, "Give a day."),
        ({"starts": "25:00"}, "Give a time."),
    ],
)
async def test_what_is_wrong_with_a_duty_stands_beside_its_field(
    as_person: Callable[[str], Awaitable[Browser]], desk: Desk, staff: str, fields: dict[str, str], sentence: str
) -> None:
    choi = await as_person("choi")
    right = {"position": "attending", "account": "kim", "since_day": "2026-12-01", "starts": "08:00", "ends": "18:00"}
    sent = right | fields
    sent["account"] = f"{sent['account']}@{staff}"
    answer = await choi.send("/rosters", place=desk.ward, week="", **sent)
    assert answer.status_code == 422
    assert sentence in answer.text


async def test_a_licence_that_has_ended_is_shown_and_takes_the_right_away(
    as_person: Callable[[str], Awaitable[Browser]], client: httpx.AsyncClient, staff: str
) -> None:
    kim = await as_person("kim")
    assert (await kim.client.get("/admissions/new")).status_code == 200
    before = dict(client.cookies)
    admin = await as_person("admin")
    old = {"kind": "physician", "number": "12345", "last": "2026-01-31"}
    sent = await admin.send(f"/people/kim@{staff}/licences", **old)
    assert sent.status_code == 303, sent.text
    page = await admin.page(f"/people/kim@{staff}")
    assert "has ended" in page
    assert "May not act as: physician" in page
    assert "May not act as: physician" in (await admin.page("/people"))
    client.cookies.clear()
    client.cookies.update(before)
    assert (await client.get("/admissions/new")).status_code == 403  # the session of before, at its next request
    admin = await as_person("admin")
    assert (await admin.send(f"/people/kim@{staff}/licences", remove="0")).status_code == 303
    client.cookies.clear()
    client.cookies.update(before)
    assert (await client.get("/admissions/new")).status_code == 200


async def test_an_absence_names_its_substitute(
    as_person: Callable[[str], Awaitable[Browser]], staff: str, now: datetime
) -> None:
    choi = await as_person("choi")
    since, until = (now + timedelta(hours=9)).isoformat()[:16], (now + timedelta(days=2)).isoformat()[:16]
    away = {"reason": "sick", "since": since, "until": until, "substitute": f"admin@{staff}"}
    assert (await choi.send(f"/people/kim@{staff}/absences", **away)).status_code == 303
    admin = await as_person("admin")
    page = await admin.page(f"/people/kim@{staff}")
    assert "Dr admin stands in" in page


async def test_the_calendar_counts_a_day_at_once(as_person: Callable[[str], Awaitable[Browser]]) -> None:
    admin = await as_person("admin")
    page = await admin.page("/calendar?year=2027")
    assert "Seollal" in page
    assert "공휴일에 관한 규정" in page
    assert "are not known yet" in (await admin.page("/calendar?year=2031"))
    day = {"day": "2027-05-06", "ko": "개원기념일", "en": "Foundation day", "closed": "yes"}
    assert (await admin.send("/calendar", **day)).status_code == 303
    assert "Foundation day" in (await admin.page("/calendar?year=2027"))
    again = await admin.send("/calendar", **day)
    assert again.status_code == 422
    assert "This day has an entry of yours" in again.text
    assert (await admin.send("/calendar/week", weekday="6")).status_code == 303
    assert "Business days: Saturday." in (await admin.page("/calendar"))


async def test_a_call_is_acknowledged_by_whom_it_went_to_and_numbers_stay_hidden(
    as_person: Callable[[str], Awaitable[Browser]], client: httpx.AsyncClient, desk: Desk, staff: str, now: datetime
) -> None:
    async with desk.state.database.transaction(staff) as tx:
        (call,) = await notices.send(
            tx, source="p", step="s", to=[f"kim@{staff}"], kind=NoticeKind.BED_OVERDUE, urgency=Priority.STAT,
            params={"place": desk.ward, "due": now.isoformat()}, now=now, real=now,
        )  # fmt: skip
    choi = await as_person("choi")
    assert (await choi.send(f"/calls/{call}/acknowledge")).status_code == 404
    kim = await as_person("kim")
    assert "Ward 7: a bed should have been assigned" in (await kim.page("/calls"))
    assert (await kim.send(f"/calls/{call}/acknowledge")).status_code == 303
    assert "acknowledged" in (await kim.page("/calls"))
    number = {"kind": "sms", "address": "010-1234-5678", "rank": "1", "quiet_from": "22:00", "quiet_until": "07:00"}
    assert (await kim.send("/calls/contacts", **number)).status_code == 303
    page = await kim.page("/calls")
    assert "…78" in page
    assert "1234" not in page
    assert "Quiet 22:00–07:00: only emergencies" in page
    wrong = await kim.send("/calls/contacts", **(number | {"address": "call me"}))
    assert wrong.status_code == 422
    assert "A number has 3 to 15 digits." in wrong.text


def table(desk: Desk, *rows: tuple[str, str, str]) -> str:
    """position, account, first hour of the first of December 2026; each lasts eight hours."""
    lines = [
        f"{position},{desk.ward},{account},2026-12-01T{hour}:00:00+09:00,2026-12-01T{int(hour) + 8:02}:00:00+09:00"
        for position, account, hour in rows
    ]
    return "\n".join(["position,place,account,since,until", *lines])


async def entered(client: httpx.AsyncClient, headers: dict[str, str], desk: Desk) -> int:
    found = await client.get(f"/rosters.csv?place={desk.ward}&week=2026-12-01", headers=headers)
    return len(found.text.splitlines()) - 1


async def test_a_table_is_tried_first_and_then_entered_whole(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, staff: str
) -> None:
    asks = await bearer(Role.ADMINISTRATOR)
    text = table(desk, ("attending", f"kim@{staff}", "08"), ("ward-supervisor", f"choi@{staff}", "08"))
    tried = await command(client, asks, "/commands/duties/import", {"csv": text})
    assert tried.json() == {"rows": 2, "entered": 0, "wrong": []}
    assert await entered(client, asks, desk) == 0
    done = await command(client, asks, "/commands/duties/import", {"csv": text, "dry_run": False})
    assert (done.status_code, done.json()["entered"]) == (200, 2)
    assert await entered(client, asks, desk) == 2
    again = (await client.get(f"/rosters.csv?place={desk.ward}&week=2026-12-01", headers=asks)).text
    out = await command(client, asks, "/commands/duties/import", {"csv": again})
    assert [each["row"] for each in out.json()["wrong"]] == [2, 3]  # what goes out comes in: both are there already


async def test_one_bad_row_enters_nothing_and_every_bad_row_is_told(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, staff: str
) -> None:
    asks = await bearer(Role.ADMINISTRATOR)
    text = table(
        desk,
        ("attending", f"kim@{staff}", "08"),
        ("attending", f"choi@{staff}", "08"),
        ("king", f"kim@{staff}", "08"),
        ("attending", f"kim@{staff}", "09"),
    )
    done = await command(client, asks, "/commands/duties/import", {"csv": text, "dry_run": False})
    assert done.status_code == 422
    wrong = done.json()["wrong"]
    assert [(each["row"], each["field"]) for each in wrong] == [(3, "account"), (4, "position"), (5, "")]
    assert await entered(client, asks, desk) == 0


@pytest.mark.parametrize("text", ["position,account", "a\x00b", "position,place,account,since,until,more"])
async def test_a_table_with_other_columns_is_refused(
    client: httpx.AsyncClient, bearer: Bearer, staff: str, text: str
) -> None:
    asks = await bearer(Role.ADMINISTRATOR)
    assert (await command(client, asks, "/commands/duties/import", {"csv": text})).status_code == 422
