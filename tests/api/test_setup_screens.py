"""Set-up pages: what is missing, tables and entries, and a table that is tried before it is taken."""

from __future__ import annotations

import httpx
import pytest

from domain.roles import Role
from domain.setup.kinds import Kind
from tests.api.conftest import Bearer, SignIn
from tests.desk import a_key

TABLE = "code,name_ko,name_en\n{code},{name},Cardiology\n"


@pytest.fixture
async def office(client: httpx.AsyncClient, bearer: Bearer) -> httpx.AsyncClient:
    """An administrator, who asks for pages in English."""
    client.headers.update(await bearer(Role.ADMINISTRATOR) | {"Accept": "text/html", "Accept-Language": "en"})
    return client


async def test_the_overview_names_what_is_missing_and_every_table(office: httpx.AsyncClient) -> None:
    page = await office.get("/setup")
    assert page.status_code == httpx.codes.OK
    assert all(f'href="/setup/{kind.value}"' in page.text for kind in Kind)
    assert "There is no department." in page.text
    assert (await office.get("/setup/people")).headers["location"] == "/admin/accounts"


async def test_a_table_is_tried_then_taken_and_its_entry_has_a_history(office: httpx.AsyncClient) -> None:
    table = TABLE.format(code="CARD", name="심장내과")
    fields = {"csv": table, "reason": "opening"}
    tried = await office.post("/setup/department", data=fields | {"key": a_key(), "act": "try"})
    assert (tried.status_code, "can be taken as it is. 1 new" in tried.text) == (200, True), tried.text
    assert "CARD</code>" not in tried.text
    taken = await office.post("/setup/department", data=fields | {"key": a_key(), "act": "take"})
    assert (taken.status_code, "The table is taken." in taken.text) == (200, True), taken.text
    listed = await office.get("/setup/department", params={"q": "심장"})
    assert "Cardiology" in listed.text
    entry = await office.get("/setup/department/CARD")
    assert all(said in entry.text for said in ("심장내과", "opening", "&#34;CARD&#34;,&#34;심장내과&#34;"))


async def test_a_wrong_row_is_named_and_nothing_is_lost(office: httpx.AsyncClient) -> None:
    table = TABLE.format(code="C RD", name="심장내과")
    fields = {"key": a_key(), "csv": table, "reason": "opening", "act": "take"}
    answer = await office.post("/setup/department", data=fields)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "Nothing was taken: 1 rows are wrong." in answer.text
    assert "C RD,심장내과" in answer.text


@pytest.mark.parametrize(
    ("wrong", "field"), [({"csv": ""}, "csv"), ({"since": "soon"}, "since"), ({"reason": ""}, "reason")]
)
async def test_what_is_wrong_stands_beside_its_field(
    office: httpx.AsyncClient, wrong: dict[str, str], field: str
) -> None:
    fields = {"key": a_key(), "csv": "code,name_ko,name_en\n", "reason": "opening", "act": "take"}
    answer = await office.post("/setup/department", data=fields | wrong)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert f'id="{field}-error"' in answer.text


async def test_whoever_may_only_look_sees_no_form(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in(Role.BED_MANAGER)
    page = await client.get("/setup/department")
    assert page.status_code == httpx.codes.OK
    assert "<textarea" not in page.text
    assert (await client.get("/setup/department/nothing")).status_code == httpx.codes.NOT_FOUND
