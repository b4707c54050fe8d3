"""A rule's life over HTTP: an analyst writes it, an approver lets it apply, a physician asks why it decided so."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.commands.rules import books
from domain.roles import Role
from rules.document import load
from rules.engine import RuleEngine
from rules.texts import text_of
from store import accounts, audit, sessions
from store.rules import notices, shared
from store.rules.shared import SharedText
from tests.api.rules.people import NATIONAL, POINT, People
from tests.desk import Desk, a_key
from tests.rule_texts import raw
from tests.store.values import Urls


async def test_a_rule_goes_from_draft_to_decision_and_its_decision_is_explained(people: People) -> None:
    published = await people.published(minutes=5)
    found = await people.get(f"/points/{POINT}")
    assert found["chosen"]["digest"] == published["digest"]
    assert [(loser["digest"], loser["why"], loser["to"]) for loser in found["lost"]] == [
        (NATIONAL, "wider", published["digest"])
    ]
    decided = await people.decided(priority="stat")
    assert (decided.values["minutes"], decided.digest) == (5, published["digest"])
    why = await people.get(f"/decisions/{decided.trace}", Role.BED_MANAGER)
    assert why["decision"]["digest"] == published["digest"]
    for language in ("ko", "en"):
        told = why["explanation"][language]
        assert told["answer"]
        assert told["reads"]
        assert told["why"]
    version = await people.get(f"/versions/{published['digest']}")
    assert [change["pointer"] for change in version["difference_to_parent"]] != []
    assert version["used"]["facts"] == {"priority": list(RuleEngine().registry.supplied_by("priority"))}
    assert len(version["used"]["open_cases"]) == 1
    history = await people.get(f"/{POINT}/history")
    assert [event["action"] for event in history["events"]] == ["publish", "approve", "submit", "begin"]
    async with people.desk.state.database.transaction(people.desk.hospital) as tx:
        details = {line.detail for line in await audit.read(tx)}
    assert {f"publish-rule/{POINT}", f"approve-rule/{POINT}", f"explain-decision/{POINT}"} <= details


async def test_nobody_approves_their_own_and_no_analyst_publishes(people: People) -> None:
    draft = await people.begun()
    path = f"/drafts/{draft['draft']}"
    await people.done(f"{path}/submit", {"revision": 1})
    assert (await people.post(f"{path}/approve", {"revision": 2})).status_code == 403
    own = f"analyst@{people.desk.hospital}"  # the author, with the approver's role as well
    answer = await people.post(f"{path}/approve", {"revision": 2}, Role.RULE_APPROVER, label=own)
    assert answer.status_code == 403
    assert (await people.post(f"{path}/publish", {"revision": 2}, Role.RULE_APPROVER)).status_code == 409
    assert (await people.post(f"{path}/publish", {"revision": 2})).status_code == 403


async def test_a_person_who_publishes_has_just_proved_to_be_there(
    people: People, client: httpx.AsyncClient, desk: Desk, password_hash: str
) -> None:
    async with desk.state.database.transaction(desk.hospital) as tx:
        await accounts.create_account(
            tx,
            name=f"rule-approver@{desk.hospital}",
            display_ko="승인자",
            display_en="Approver",
            roles=[Role.RULE_APPROVER],
            password_hash=password_hash,
        )
        secret = await accounts.start_session(tx, f"rule-approver@{desk.hospital}", desk.state.now())
        secret_hash = accounts.secret_hash(secret)
        csrf = (await accounts.session(tx, secret_hash, desk.state.now())).csrf
    draft = await people.approved()
    client.cookies.set("phis", secret)
    headers = {"X-CSRF-Token": csrf, "Idempotency-Key": a_key()}
    path = f"/commands/rules/drafts/{draft['draft']}/publish"
    asked = await client.post(path, headers=headers, json={"revision": 3})
    assert (asked.status_code, asked.json()["code"]) == (401, "step-up-required")
    async with desk.state.database.transaction(desk.hospital) as tx:
        await sessions.proved(tx, secret_hash, desk.state.now())
    assert (await client.post(path, headers=headers, json={"revision": 3})).status_code == 201


async def test_who_saves_second_hears_who_was_first_and_what_differs(people: People) -> None:
    draft = await people.begun()
    hospital = people.desk.hospital

    async def save(number: int) -> httpx.Response:
        body = {"document": raw(hospital, minutes=number), "reason": "nearer", "revision": 1}
        return await people.post(f"/drafts/{draft['draft']}", body, label=f"analyst-{number}@{hospital}")

    answers = await asyncio.gather(*(save(number) for number in range(1, 21)))
    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, 19)
    winner = won[0].json()["saved_by"]
    for answer in lost:
        problem = answer.json()
        assert (problem["code"], problem["params"]["by"]) == ("stale-revision", winner)
        (change,) = json.loads(problem["params"]["difference"])
        assert change["pointer"] == "/outcomes/within-15-minutes/values/minutes"
        assert change["before"] == int(winner.partition("-")[2].partition("@")[0])
        assert change["after"] != change["before"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"logic": {"if": [{"==": [{"var": "priorty"}, "stat"]}, "within-15-minutes", "within-30-minutes"]}}, "/logic"),
        ({"scope": {"level": "national"}}, "/scope"),
        ({"scope": {"level": "hospital", "place": "elsewhere"}}, "/scope"),
        ({"outcomes": {}}, "/"),
        ({"profile": "jl-loose/1"}, "/profile"),
    ],
)
async def test_a_document_that_cannot_be_is_refused_with_its_place(
    people: People, change: dict[str, Any], field: str
) -> None:
    document = raw(people.desk.hospital) | change
    answer = await people.post("/drafts", {"document": document, "reason": "a try"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["params"]["field"].startswith(field)
    told = (await people.post("/check", {"document": document})).json()
    assert told["saves"] is (field == "/scope")


@pytest.mark.parametrize(
    ("doubled", "told"),
    [
        ('"fallback": "within-15-minutes", "fallback"', "the name fallback stands twice"),
        ('"review_by": 1e400, "fallback"', "1e400 is too large"),
        ('"review_by": NaN, "fallback"', "NaN is no JSON number"),
    ],
)
async def test_a_document_that_reads_two_ways_is_refused(people: People, doubled: str, told: str) -> None:
    text = json.dumps({"document": raw(people.desk.hospital), "reason": "a try"}).replace('"fallback"', doubled, 1)
    headers = await people.bearer(Role.ANALYST) | {"Idempotency-Key": a_key(), "Content-Type": "application/json"}
    for path in ("/drafts", "/check"):
        answer = await people.client.post(f"/commands/rules{path}", headers=headers, content=text)
        assert answer.status_code == 422, answer.text
        assert told in answer.text


async def test_what_its_tests_do_not_show_is_not_submitted(people: People) -> None:
    document = raw(people.desk.hospital)
    document["tests"] = [
        test | {"outcome": "within-15-minutes"} if not test.get("indeterminate") else test for test in document["tests"]
    ]
    draft = await people.done("/drafts", {"document": document, "reason": "a try"})
    read = await people.get(f"/drafts/{draft['draft']}")
    assert read["proof"]["passed"] is False
    assert "test-fails" in {found["code"] for found in read["findings"]}
    answer = await people.post(f"/drafts/{draft['draft']}/submit", {"revision": 1})
    assert (answer.status_code, answer.json()["params"]["field"]) == (422, "/tests")


async def test_an_emergency_and_a_way_back(people: People) -> None:
    first = await people.published(minutes=5)
    second = await people.published(minutes=1, version="2.1.0")
    until = (people.desk.state.now() + timedelta(hours=2)).isoformat()
    off = await people.done(
        f"/versions/{second['digest']}/disable", {"reason": "pages the whole house", "until": until}, Role.ADMINISTRATOR
    )
    assert (await people.get(f"/points/{POINT}"))["chosen"]["digest"] == first["digest"]
    assert [each["id"] for each in (await people.get(""))["disabled"]] == [off["disablement"]]
    await people.done(f"/disablements/{off['disablement']}/lift", None, Role.ADMINISTRATOR)
    assert (await people.get(f"/points/{POINT}"))["chosen"]["digest"] == second["digest"]
    back = await people.done(f"/versions/{first['digest']}/roll-back", {"reason": "one minute is too short"})
    assert (back["version"], back["state"]) == ("2.1.1", "in-review")
    path = f"/drafts/{back['draft']}"
    await people.done(f"{path}/approve", {"revision": 2}, Role.RULE_APPROVER)
    await people.done(f"{path}/publish", {"revision": 3}, Role.RULE_APPROVER)
    assert (await people.decided(priority="stat")).values["minutes"] == 5
    ended = await people.done(f"/versions/{second['digest']}/retire", {"reason": "gone"}, Role.RULE_APPROVER)
    assert ended["rule"] == POINT


async def test_a_report_says_what_a_draft_would_have_changed_and_is_signed_by_others(people: People) -> None:
    policy = {"branch_coverage": 0.8, "row_coverage": 0.8, "impact_signed": True, "longest_disablement": 24}
    await people.done("/policy", policy, Role.ADMINISTRATOR)
    await people.decided(priority="stat")
    await people.decided(priority="stat")
    await people.decided(priority="routine")
    await people.decided()
    draft = await people.approved(minutes=5)
    refused = await people.post(f"/drafts/{draft['draft']}/publish", {"revision": 3}, Role.RULE_APPROVER)
    assert refused.status_code == 422
    report = (await people.done(f"/drafts/{draft['draft']}/impact", {}))["report"]  # nobody counts yet
    early = await people.post(f"/reports/{report}/sign", {"remark": "fine"}, Role.RULE_APPROVER)
    assert early.status_code == 409
    found = await people.counted(report)
    assert (found["state"], found["cases"], found["expected"], found["changed"]) == ("done", 4, 4, 2)
    (listed,) = (await people.get(f"/drafts/{draft['draft']}"))["reports"]
    assert (listed["report"], listed["state"], listed["cases"], listed["signed_by"]) == (report, "done", 4, None)
    assert found["outcomes"]["within-15-minutes"] == {"within-15-minutes": 2}
    assert found["outcomes"]["indeterminate"] == {"indeterminate": 1}
    assert found["missing"] == {"priority": 1}
    assert found["wards"] == {"": {"cases": 4, "changed": 2}}
    (samples,) = found["samples"].values()
    assert len(samples) == 2
    await people.done(f"/reports/{report}/sign", {"remark": "two minutes' walk"}, Role.RULE_APPROVER)
    await people.done(f"/drafts/{draft['draft']}/publish", {"revision": 3}, Role.RULE_APPROVER)


async def test_an_analyst_stops_a_report_and_it_stays_as_far_as_it_came(people: People) -> None:
    await people.decided(priority="stat")
    draft = await people.begun(minutes=5)
    report = (await people.done(f"/drafts/{draft['draft']}/impact", {}))["report"]
    assert (await people.post(f"/reports/{report}/cancel", {})).status_code == 422
    assert (await people.post(f"/reports/{report}/cancel", {"reason": "no"}, Role.NURSE)).status_code == 403
    stopped = await people.done(f"/reports/{report}/cancel", {"reason": "the wrong draft"})
    assert stopped == {"report": report, "state": "cancelled", "cases": 0}
    again = await people.post(f"/reports/{report}/cancel", {"reason": "the wrong draft"})
    assert (again.status_code, again.json()["params"]["status"]) == (409, "cancelled")
    found = await people.counted(report)  # the process hears of it and ends
    assert (found["state"], found["cancelled_by"], found["remark"]) == (
        "cancelled",
        f"analyst@{people.desk.hospital}",
        "the wrong draft",
    )
    signed = await people.post(f"/reports/{report}/sign", {"remark": "fine"}, Role.RULE_APPROVER)
    assert signed.status_code == 409
    history = (await people.get(f"/{POINT}/history"))["events"]
    assert [event["action"] for event in history] == ["cancel-impact", "begin"]


async def test_a_clinician_decides_otherwise_once_with_a_reason_that_is_counted(people: People) -> None:
    decided = await people.decided(priority="stat")
    await people.decided(priority="stat")
    body = {"outcome": "at-once", "code": "clinical-judgement", "words": "환자 상태가 급격히 나빠짐"}
    path = f"/decisions/{decided.trace}/override"
    assert (await people.post(path, body)).status_code == 403
    await people.done(path, body, Role.BED_MANAGER)
    assert (await people.post(path, body, Role.BED_MANAGER)).status_code == 409
    now = people.desk.state.now()
    period = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    query = str(httpx.QueryParams(period))
    rate = await people.get(f"/points/{POINT}/overrides?{query}")
    (version,) = rate["versions"]
    assert (version["decisions"], version["overrides"], version["rate"]) == (2, 1, 0.5)
    assert rate["codes"] == {"clinical-judgement": 1}
    why = await people.get(f"/decisions/{decided.trace}", Role.BED_MANAGER)
    assert why["override"]["words"] == body["words"]


async def test_who_wrote_an_override_hears_of_another_rule_above_it(people: People, urls: Urls) -> None:
    own = await people.published(minutes=5)
    assert (await people.get("/notices"))["notices"] == []
    now, hospital = people.desk.state.now(), people.desk.hospital

    async def comes(version: str, since: datetime) -> str:
        """A national rule in a pack, past every command of this hospital."""
        rule = load(raw(hospital, version=version, scope={"level": "national", "place": ""}))
        text = SharedText(text=text_of(rule), since=since, until=None)
        await shared.put(urls.migrate, [text], signer="the nation", now=now)
        return rule.digest

    second = await comes("8.0.0", now)
    for _ in range(2):  # told once, however often one looks
        (told,) = (await people.get("/notices"))["notices"]
        assert (told["override"], told["written_against"], told["now"]) == (own["digest"], NATIONAL, second)
        assert told["owner"] == f"analyst@{hospital}"
    await people.done(f"/notices/{told['id']}/seen")
    third = await comes("9.0.0", now + timedelta(days=1))
    assert (await people.get("/notices"))["notices"] == []  # it does not apply yet
    async with people.desk.state.database.transaction(hospital) as tx:
        await books.tell_owners(tx, now + timedelta(days=2))
        assert [notice.now for notice in await notices.waiting(tx)] == [third]


async def test_approvers_of_a_place_and_notices(people: People) -> None:
    hospital = people.desk.hospital
    chief = {"place": hospital, "accounts": [f"chief@{hospital}"]}
    await people.done("/approvers", chief, Role.ADMINISTRATOR)
    elsewhere = await people.post("/approvers", {"place": "other", "accounts": []}, Role.ADMINISTRATOR)
    assert elsewhere.status_code == 422
    draft = await people.begun()
    await people.done(f"/drafts/{draft['draft']}/submit", {"revision": 1})
    path = f"/drafts/{draft['draft']}/approve"
    assert (await people.post(path, {"revision": 2}, Role.RULE_APPROVER)).status_code == 403
    answer = await people.post(path, {"revision": 2}, Role.RULE_APPROVER, label=f"chief@{hospital}")
    assert answer.status_code == 200
    assert (await people.get("/notices"))["notices"] == []
    returned = await people.done(
        f"/drafts/{draft['draft']}/return", {"revision": 3, "reason": "no"}, Role.RULE_APPROVER
    )
    assert returned["state"] == "draft"
    assert (await people.done(f"/drafts/{draft['draft']}/drop", {"revision": 4}))["state"] == "dropped"
    assert (await people.get("/drafts"))["drafts"] == []
    assert (await people.get("/policy"))["longest_disablement"] == 72
