"""Who works on rules in tests: an analyst, an approver, an administrator, a clinician, each with a token."""

from __future__ import annotations

from typing import Any

import httpx

from activities.decisions import StoreDecisionActivities
from domain.decisions import Decision, DecisionPoint, DecisionRequest
from domain.ids import Reference, StepName
from domain.roles import Role
from rules.bundle import RuleBook
from rules.engine import RuleEngine
from rules.library import shipped
from runtime.worker import build_worker
from tests.api.conftest import Bearer
from tests.desk import Desk, a_key
from tests.rule_texts import raw
from tests.waiting import until

POINT = DecisionPoint.BED_ASSIGNMENT_DUE
NATIONAL = shipped()[POINT].digest


class People:
    """An analyst, a second one, an approver, an administrator, a physician, each with a token."""

    def __init__(self, client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> None:
        self.client, self.bearer, self.desk = client, bearer, desk

    async def get(self, path: str, role: Role = Role.ANALYST) -> dict[str, Any]:
        answer = await self.client.get(f"/commands/rules{path}", headers=await self.bearer(role))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def post(
        self, path: str, body: dict[str, Any] | None = None, role: Role = Role.ANALYST, *, label: str = ""
    ) -> httpx.Response:
        """One command, given again under its key while the house is too busy, as programs do."""
        headers = await self.bearer(role, label=label) | {"Idempotency-Key": a_key()}
        while True:
            answer = await self.client.post(f"/commands/rules{path}", headers=headers, json=body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer

    async def done(self, path: str, body: dict[str, Any] | None = None, role: Role = Role.ANALYST) -> dict[str, Any]:
        answer = await self.post(path, body, role)
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json())

    async def begun(self, **changes: Any) -> dict[str, Any]:
        document = raw(self.desk.hospital, **changes)
        return await self.done("/drafts", {"document": document, "reason": "our beds are near"})

    async def approved(self, **changes: Any) -> dict[str, Any]:
        draft = await self.begun(**changes)
        draft = await self.done(f"/drafts/{draft['draft']}/submit", {"revision": 1})
        return await self.done(f"/drafts/{draft['draft']}/approve", {"revision": 2}, Role.RULE_APPROVER)

    async def published(self, **changes: Any) -> dict[str, Any]:
        draft = await self.approved(**changes)
        return await self.done(f"/drafts/{draft['draft']}/publish", {"revision": 3}, Role.RULE_APPROVER)

    async def counted(self, report: str) -> dict[str, Any]:
        """A report when it has ended; a worker runs for as long."""
        state = self.desk.state
        assert state.temporal is not None

        async def ended() -> dict[str, Any] | None:
            found = await self.get(f"/reports/{report}")
            return None if found["state"] == "running" else found

        async with build_worker(state.temporal, state.database, task_queue=state.task_queue):
            return await until(ended)

    async def decided(self, number: int = 1, **facts: str) -> Decision:
        """A decision about a patient who was registered before."""
        asked = (await self.desk.request(a_key())).answer
        workflow_id = f"{self.desk.hospital}/admission/{asked['encounter']}"
        deciding = StoreDecisionActivities(self.desk.state.database, RuleEngine(), RuleBook(), self.desk.state.now)
        request = DecisionRequest(
            workflow_id=workflow_id,
            step=StepName(f"ask/{number}"),
            point=POINT,
            subject=Reference(asked["encounter"]),
            facts=facts,
            at=self.desk.state.now(),
        )
        return await deciding.decided(self.desk.hospital, request)
