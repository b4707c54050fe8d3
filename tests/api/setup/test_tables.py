"""Tables of a hospital's set-up: tried, taken whole, and written so that they come back the same."""

from __future__ import annotations

from domain.roles import Role
from tests.api.setup.office import FEE, HEAD, Office


async def test_a_table_is_tried_first_and_changes_nothing(office: Office) -> None:
    csv = (
        f"{HEAD}\nV,초진,First,01,won,18000,covered,,\nW,,Second,01,won,1.5,covered,,\nX,재진,Third,99,won,1,covered,,"
    )
    tried = (await office.table("fee", csv, dry_run=True)).json()
    assert (tried["new"], tried["changed"], tried["taken"], tried["errors_found"]) == (1, 0, False, 2)
    assert [(each["row"], each["code"], each["field"]) for each in tried["errors"]] == [
        (3, "W", "name_ko"),
        (4, "X", "category"),
    ]
    refused = await office.table("fee", csv)
    assert refused.status_code == 422
    assert refused.json()["code"] == "invalid-rows"
    assert (await office.get("/entries/fee"))["entries"] == []


async def test_a_table_is_taken_whole_and_says_what_it_changed(office: Office) -> None:
    csv = f"{HEAD}\nV,초진,First,01,won,18000,covered,,\nW,재진,Second,01,won,13000,covered,,"
    assert (await office.table("fee", csv)).json()["new"] == 2
    again = (await office.table("fee", csv)).json()
    assert (again["new"], again["changed"], again["same"], again["taken"]) == (0, 0, 2, False)
    changed = (await office.table("fee", csv.replace("13000", "14000"), since="2099-01-01")).json()
    assert (changed["changed"], changed["same"], changed["taken"]) == (1, 1, True)
    assert await office.amount("W") == "13000"
    assert await office.amount("W", at="2099-01-02T00:00:00Z") == "14000"


async def test_a_table_that_goes_out_comes_in_unchanged(office: Office) -> None:
    await office.done("fee", "V", FEE | {"name_ko": "=cmd|'/c calc'!A1", "name_en": "+1"})
    headers = await office.bearer(Role.ADMINISTRATOR)
    answer = await office.client.get("/commands/setup/tables/fee", headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "\"'=cmd" in answer.text
    taken = (await office.table("fee", answer.text)).json()
    assert (taken["same"], taken["errors_found"]) == (1, 0)


async def test_a_changed_row_with_a_day_of_the_past_asks_whether_the_past_shall_change(office: Office) -> None:
    csv = f"{HEAD}\nV,초진,First,01,won,18000,covered,2026-01-01,"
    tried = (await office.table("fee", csv, dry_run=True)).json()
    assert [(each["field"], "back-dated" in each["reason"]) for each in tried["errors"]] == [("valid_from", True)]
    assert (await office.table("fee", csv, back_dated=True)).status_code == 200


async def test_what_is_no_table_is_refused(office: Office) -> None:
    answer = await office.table("fee", "a,a\n1,2")
    assert answer.status_code == 422
    tried = (await office.table("fee", "code,price\nV,1", dry_run=True)).json()
    assert {"price", "amount", "name_ko"} <= {each["field"] for each in tried["errors"]}
