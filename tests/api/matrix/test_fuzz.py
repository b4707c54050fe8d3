"""Two hospitals with the same ids, all roles at work in both, and a canary in every text: none ever crosses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from api.fhir.exporting import Exporter
from domain.roles import Role
from store import accounts
from tests.api.matrix.pairs import seed
from tests.api.matrix.world import AWAY, HERE, KINDS, SPARE, STAR, World, _of_patient, name_of
from tests.desk import a_key

_T = TypeVar("_T")
Run = Callable[[Coroutine[Any, Any, _T]], _T]

CANARIES = ("canaryofours", "canaryoftheirs")
SYSTEM = "system"
KIND = st.sampled_from(KINDS)
WHICH = st.sampled_from((HERE, AWAY, STAR, SPARE))
SIDE = st.sampled_from((0, 1))
ROLE = st.sampled_from([*Role, SYSTEM])

_SEARCHES = (
    "_count=3&_total=accurate", "_sort=-_lastUpdated", "_include=*", "_summary=count", "_id=same-{kind}-here",
    "_has:Observation:patient:code=8867-4", "_revinclude=Observation:patient", "_text=canary", "_content=canary",
    "name=canary", "subject:Patient.name=canary", "patient=Patient/same-patient-here", "identifier=canary",
    "code:text=canary", "_lastUpdated=gt2020-01-01", "subject=Patient/same-patient-away", "_elements=id",
)  # fmt: skip
_SCREENS = (
    "/worklist", "/stays/same-encounter-here", "/break-glass", "/patients/same-patient-here/glass", "/account",
    "/account/delegations", "/admissions/new", "/worklist/same-task-here", "/kept/x", "/commands/worklist",
    "/commands/break-glass", "/commands/delegations", "/commands/stays/same-encounter-here/journal", "/nowhere",
)  # fmt: skip


@dataclass
class Twins:
    """Both hospitals, with the tokens of everybody in each, and a way to run what is asked in the test's loop."""

    world: World
    hospitals: tuple[str, str]
    tokens: dict[tuple[int, str], str]
    exporter: Exporter
    run: Run[Any]
    answers: int = 0
    seen: set[int] = field(default_factory=set)

    def ask(self, side: int, who: str, method: str, path: str, *, at: int | None = None, **more: Any) -> httpx.Response:
        """A request of somebody in one hospital; fails when the answer knows the other's canary."""
        headers = {"Authorization": f"Bearer {self.tokens[side, who]}", "Idempotency-Key": a_key()}
        headers |= more.pop("headers", {})
        if not path.startswith("/"):
            path = f"/fhir/{self.hospitals[side if at is None else at]}/{path}"
        answer: httpx.Response = self.run(self.world.client.request(method, path, headers=headers, **more))
        self.answers += 1
        self.seen.add(answer.status_code)
        told = f"{answer.text} {answer.headers}"
        assert CANARIES[1 - side] not in told, f"{who} {method} {path}: {told[:600]}"
        if at not in {None, side}:
            assert CANARIES[side] not in told
        assert answer.status_code < 500, f"{who} {method} {path}: {answer.text[:300]}"
        return answer


def _text(side: int, word: str) -> str:
    return f"{CANARIES[side]} {word}"


def machine(twins: Twins) -> type[RuleBasedStateMachine]:
    class Hospitals(RuleBasedStateMachine):
        @rule(side=SIDE, who=ROLE, kind=KIND, which=WHICH, rest=st.sampled_from(("", "/_history", "/_history/1")))
        def reads(self, side: int, who: str, kind: str, which: str, rest: str) -> None:
            twins.ask(side, who, "GET", f"{kind}/same-{kind.lower()}-{which}{rest}")

        @rule(side=SIDE, who=ROLE, kind=KIND, query=st.sampled_from(_SEARCHES), lenient=st.booleans())
        def searches(self, side: int, who: str, kind: str, query: str, lenient: bool) -> None:
            prefer = {"Prefer": f"handling={'lenient' if lenient else 'strict'}"}
            twins.ask(side, who, "GET", f"{kind}?{query.format(kind=kind.lower())}", headers=prefer)

        @rule(side=SIDE, who=ROLE, path=st.sampled_from(("_history", "", "Patient/_history", "?_type=Patient,Task")))
        def looks_over_everything(self, side: int, who: str, path: str) -> None:
            twins.ask(side, who, "GET", path)

        @rule(side=SIDE, who=ROLE, which=WHICH, at=st.sampled_from(("Patient", "Encounter")))
        def asks_for_everything(self, side: int, who: str, which: str, at: str) -> None:
            twins.ask(side, who, "GET", f"{at}/same-{at.lower()}-{which}/$everything")

        @rule(side=SIDE, who=ROLE, kind=KIND, which=WHICH)
        def goes_to_the_other_address(self, side: int, who: str, kind: str, which: str) -> None:
            answer = twins.ask(side, who, "GET", f"{kind}/same-{kind.lower()}-{which}", at=1 - side)
            assert answer.status_code == 404

        @rule(
            side=SIDE, who=ROLE, which=WHICH, word=st.from_regex(r"[a-z]{1,9}", fullmatch=True), verb=st.integers(0, 3)
        )
        def writes(self, side: int, who: str, which: str, word: str, verb: int) -> None:
            body = {
                "resourceType": "Observation", "id": f"same-observation-{which}", "status": "final",
                "code": {"text": _text(side, word)}, "subject": {"reference": f"Patient/same-patient-{which}"},
            }  # fmt: skip
            patch = [{"op": "add", "path": "/note", "value": [{"text": _text(side, word)}]}]
            address = f"Observation/same-observation-{which}"
            if verb == 0:
                twins.ask(side, who, "PUT", address, json=body)
            elif verb == 1:
                twins.ask(side, who, "POST", "Observation", json=body)
            elif verb == 2:
                headers = {"Content-Type": "application/json-patch+json"}
                twins.ask(side, who, "PATCH", address, content=json.dumps(patch), headers=headers)
            else:
                twins.ask(side, who, "PUT", f"Observation?code:text={CANARIES[side][:6]}", json=body)

        @rule(side=SIDE, who=ROLE, kind=st.sampled_from(("Condition", "Coverage", "Appointment")), which=WHICH)
        def deletes(self, side: int, who: str, kind: str, which: str) -> None:
            twins.ask(side, who, "DELETE", f"{kind}/same-{kind.lower()}-{which}")

        @rule(
            side=SIDE,
            who=ROLE,
            word=st.from_regex(r"[a-z]{1,9}", fullmatch=True),
            kind=st.sampled_from(("batch", "transaction")),
        )
        def sends_a_bundle(self, side: int, who: str, word: str, kind: str) -> None:
            made = {"resourceType": "Patient", "name": [{"family": _text(side, word)}]}
            asked = [{"request": {"method": "GET", "url": url}} for url in ("Patient", "Observation?_include=*")]
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [
                {"request": {"method": "POST", "url": "Patient"}, "resource": made}, *asked]}  # fmt: skip
            twins.ask(side, who, "POST", "", json=bundle)

        @rule(side=SIDE, who=ROLE, old=WHICH, new=WHICH)
        def merges(self, side: int, who: str, old: str, new: str) -> None:
            named = {"source-patient": old, "target-patient": new}
            listed = [
                {"name": key, "valueReference": {"reference": f"Patient/same-patient-{one}"}}
                for key, one in named.items()
            ]
            listed.append({"name": "preview", "valueBoolean": True})
            twins.ask(side, who, "POST", "Patient/$merge", json={"resourceType": "Parameters", "parameter": listed})

        @rule(side=SIDE, who=ROLE)
        def matches(self, side: int, who: str) -> None:
            one = {"resourceType": "Patient", "name": [{"family": "canaryof"}], "birthDate": "1960-01-01"}
            twins.ask(side, who, "POST", "Patient/$match", json={
                "resourceType": "Parameters", "parameter": [{"name": "resource", "resource": one}]})  # fmt: skip

        @rule(
            side=SIDE,
            who=st.sampled_from((SYSTEM, Role.MEDICAL_RECORDS, Role.NURSE)),
            of=st.sampled_from(("", "Patient/")),
        )
        def exports(self, side: int, who: str, of: str) -> None:
            why = {"Prefer": "respond-async", "Phis-Reason": "statistics"}
            answer = twins.ask(side, who, "GET", f"{of}$export?_type=Patient,Observation", headers=why)
            if answer.status_code != 202:
                return
            while twins.run(twins.exporter.turn()):
                pass
            where = answer.headers["content-location"].partition("//")[2].partition("/")[2]
            manifest = twins.ask(side, who, "GET", f"/{where}", headers=why).json()
            for file in [each for name in ("output", "deleted", "error") for each in manifest.get(name, [])]:
                path = "/" + file["url"].partition("//")[2].partition("/")[2]
                got = twins.ask(side, who, "GET", path, headers=why)
                assert twins.ask(1 - side, who, "GET", path, at=side, headers=why).status_code == 404
                assert got.status_code == 200
            twins.ask(side, who, "DELETE", f"/{where}")

        @rule(side=SIDE, who=ROLE, path=st.sampled_from(_SCREENS), language=st.sampled_from(("ko", "en")))
        def opens_a_screen(self, side: int, who: str, path: str, language: str) -> None:
            twins.ask(side, who, "GET", path, headers={"Accept": "text/html", "Accept-Language": language})

        @rule(side=SIDE, who=ROLE, which=WHICH, word=st.from_regex(r"[a-z]{1,9}", fullmatch=True))
        def breaks_the_glass(self, side: int, who: str, which: str, word: str) -> None:
            patient = f"Patient/same-patient-{which}"
            words = {"patient": patient, "reason": "emergency", "words": _text(side, word)}
            twins.ask(side, who, "POST", "/commands/break-glass", json=words)
            twins.ask(side, who, "POST", "/commands/purposes", json={"patient": patient, "purpose": "TREAT"})

        @rule(side=SIDE, who=ROLE, word=st.from_regex(r"[a-z]{1,9}", fullmatch=True))
        def sends_what_is_wrong(self, side: int, who: str, word: str) -> None:
            text = _text(side, word)
            twins.ask(side, who, "POST", "Patient", json={"resourceType": "Patient", text: text, "birthDate": text})
            twins.ask(side, who, "POST", "Patient", content=text.encode(), headers={"Content-Type": "application/json"})
            twins.ask(side, who, "GET", f"Patient/{word}?{word}={text}")
            twins.ask(side, who, "POST", "/commands/admissions", json={"patient": text, "ward": text})

    return Hospitals


async def _twins(world: World, other: str, app: FastAPI) -> Twins:
    desk, tokens = world.desk, dict[tuple[int, str], str]()
    hospitals = (desk.hospital, other)
    until = desk.state.now() + timedelta(hours=1)
    for side, hospital in enumerate(hospitals):
        async with desk.state.database.transaction(hospital) as tx:
            for role in Role:
                tokens[side, role] = await accounts.issue_token(tx, name_of(role, hospital), [role], "", until)
            tokens[side, SYSTEM] = await accounts.issue_token(tx, "program", [], "system/*.cruds", until)
        of = (world.own, world.other)[side]
        listed = [each for which in (HERE, AWAY, STAR, SPARE) for each in _of_patient("same", which, of.ward, of.bed)]
        said = json.dumps(listed).replace("same-HERE", CANARIES[side])
        for which in (AWAY, STAR, SPARE):
            said = said.replace(f"same-{which.upper()}", f"{CANARIES[side]} {which}")
        entries = [
            {"request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}, "resource": each}
            for each in json.loads(said)
        ]
        answer = await world.client.post(
            f"/fhir/{hospital}",
            json={"resourceType": "Bundle", "type": "transaction", "entry": entries},
            headers={"Authorization": f"Bearer {tokens[side, SYSTEM]}"},
        )
        assert answer.status_code == 200, answer.text
    loop = asyncio.get_running_loop()

    def run(wanted: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(wanted, loop).result(60)

    return Twins(world, hospitals, tokens, Exporter(desk.state), run)


async def _play(twins: Twins, capfd: pytest.CaptureFixture[str], *, games: int, steps: int) -> str:
    number = seed()
    rules = seeded(number)(machine(twins))
    how = settings(
        max_examples=games,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, rules, settings=how)
    out, err = capfd.readouterr()
    numbers = (await twins.world.client.get("/metrics")).text
    for canary in CANARIES:
        assert canary not in out + err, "a log line knows what stands in a record"
        assert canary not in numbers
    return f"seed {number}: {twins.answers} answers, statuses {sorted(twins.seen)}, 0 canaries"


async def test_no_canary_reaches_the_other_hospital(
    world: World, other_hospital: str, app: FastAPI, capfd: pytest.CaptureFixture[str]
) -> None:
    twins = await _twins(world, other_hospital, app)
    print(await _play(twins, capfd, games=4, steps=25))  # noqa: T201
    assert twins.answers > 4


@pytest.mark.long
async def test_no_canary_reaches_the_other_hospital_in_a_long_game(
    world: World, other_hospital: str, app: FastAPI, capfd: pytest.CaptureFixture[str]
) -> None:
    twins = await _twins(world, other_hospital, app)
    print(await _play(twins, capfd, games=60, steps=60))  # noqa: T201
    assert {200, 201, 202, 403, 404} <= twins.seen


async def test_teeth_with_one_canary_too_many_the_game_ends(
    world: World, other_hospital: str, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record of the other hospital that got into this one is found at once."""
    twins = await _twins(world, other_hospital, app)
    body = {"resourceType": "Patient", "id": "same-patient-here", "name": [{"family": CANARIES[1]}]}
    answer = await world.client.put(
        f"/fhir/{twins.hospitals[0]}/Patient/same-patient-here",
        json=body,
        headers={"Authorization": f"Bearer {twins.tokens[0, SYSTEM]}"},
    )
    assert answer.status_code == 200
    with pytest.raises(AssertionError, match="canaryoftheirs"):
        await asyncio.to_thread(twins.ask, 0, Role.PHYSICIAN, "GET", "Patient/same-patient-here")
