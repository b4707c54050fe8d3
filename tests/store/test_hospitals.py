"""The list of hospitals: set-up writes it, everybody reads it."""

from __future__ import annotations

import psycopg
import pytest

from domain.errors import Invalid, NotFound, Unavailable
from store import hospitals
from store.database import Database
from tests.store.values import Urls


async def test_a_hospital_is_entered_and_renamed(database: Database, urls: Urls) -> None:
    for name_ko in ("한빛병원", "한빛대학교병원"):
        entered = await hospitals.create(
            urls.migrate, code="hanbit", name_ko=name_ko, name_en="Hanbit University Hospital", kind="tertiary"
        )
    async with database.system() as system:
        assert await hospitals.get(system, "hanbit") == entered
        assert [each.name_ko for each in await hospitals.all_of_them(system)] == ["한빛대학교병원"]
        with pytest.raises(NotFound):
            await hospitals.get(system, "saebom")


async def test_the_application_cannot_enter_a_hospital(database: Database, hospital: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(hospital) as tx:
            await tx.execute("insert into shared_hospital values ('evil', '', '', '')")


@pytest.mark.parametrize("code", ["", "H", "han/bit", "Hanbit", "1st", "a" * 32])
async def test_a_code_that_cannot_lead_an_id_is_refused(urls: Urls, code: str) -> None:
    with pytest.raises(Invalid):
        await hospitals.create(urls.migrate, code=code, name_ko="", name_en="", kind="clinic")


async def test_without_a_database_nothing_is_entered(unreachable: str) -> None:
    with pytest.raises(Unavailable):
        await hospitals.create(unreachable, code="hanbit", name_ko="", name_en="", kind="clinic")
