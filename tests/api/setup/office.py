"""An administrator's hands on the hospital's set-up, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from domain.clock import HospitalClock
from domain.ids import Reference
from domain.roles import Role
from store import clocks, records
from tests.api.conftest import Bearer
from tests.desk import Desk, a_key

FEE = {
    "name_ko": "초진진찰료",
    "name_en": "First consultation",
    "category": "01",
    "price_kind": "won",
    "amount": "18000",
    "coverage": "covered",
}
HEAD = "code,name_ko,name_en,category,price_kind,amount,coverage,valid_from,valid_to"


class Office:
    """An administrator's hands on the hospital's set-up."""

    def __init__(self, client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> None:
        self.client, self.bearer, self.desk = client, bearer, desk

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        headers = await self.bearer(Role.NURSE)
        answer = await self.client.get(f"/commands/setup{path}", headers=headers, params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def post(
        self, path: str, body: dict[str, Any] | None = None, role: Role = Role.ADMINISTRATOR, *, key: str = ""
    ) -> httpx.Response:
        headers = await self.bearer(role) | {"Idempotency-Key": key or a_key()}
        return await self.client.post(f"/commands/setup{path}", headers=headers, json=body)

    async def put(self, kind: str, code: str, content: dict[str, Any], last: int = 0, **more: Any) -> httpx.Response:
        body = {"content": content, "last": last, "reason": "because it is so", **more}
        return await self.post(f"/entries/{kind}/{code}", body)

    async def done(self, kind: str, code: str, content: dict[str, Any], last: int = 0, **more: Any) -> dict[str, Any]:
        answer = await self.put(kind, code, content, last, **more)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def table(self, kind: str, csv: str, *, dry_run: bool = False, **more: Any) -> httpx.Response:
        return await self.post(f"/tables/{kind}", {"csv": csv, "dry_run": dry_run, "reason": "new year", **more})

    async def amount(self, code: str = "V", **query: str) -> str | None:
        found = await self.get("/entries/fee", **query)
        return {each["code"]: each["content"]["amount"] for each in found["entries"]}.get(code)

    async def resource(self, reference: str) -> dict[str, Any]:
        async with self.desk.state.database.transaction(self.desk.hospital) as tx:
            return (await records.read(tx, Reference(reference))).body

    async def wait_until(self, instant: datetime) -> None:
        """The hospital's clock shows an instant from now on; no process is open."""
        real = self.desk.state.now()
        async with self.desk.state.database.transaction(self.desk.hospital) as tx:
            await clocks.set_clock(tx, HospitalClock(epoch=instant, base=real))
