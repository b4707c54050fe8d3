"""The server against a model of it in memory: whatever is done in whatever order, both say the same.

Writes, conditions, versions, deletions, returns from deletion, transactions whole or not at all, searches, histories.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.fhir.conftest import Served

pytestmark = pytest.mark.sockets

GENDERS = ("male", "female", "other")
NAMES = st.sampled_from("abcd")
GENDER = st.sampled_from(GENDERS)
MATCH = st.sampled_from(["none", "right", "stale"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "delete"]), NAMES, GENDER), min_size=1, max_size=4, unique_by=lambda each: each[1]
)

SETTINGS = settings(
    max_examples=8, stateful_step_count=14, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


class Against(RuleBasedStateMachine):
    """`kept`: the gender of each version of each patient, None for a deletion. Every run has ids of its own."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client
        self.run = uuid4().hex[:12]
        self.kept: dict[str, list[str | None]] = {}

    def _id(self, name: str) -> str:
        return f"{self.run}-{name}"

    def _patient(self, name: str, gender: str) -> dict[str, Any]:
        tag = {"system": "urn:model", "code": self.run}
        known = [{"system": f"urn:{self.run}", "value": name}]
        return {
            "resourceType": "Patient",
            "id": self._id(name),
            "meta": {"tag": [tag]},
            "identifier": known,
            "gender": gender,
        }

    def _versions(self, name: str) -> list[str | None]:
        return self.kept.get(name, [])

    def _there(self, name: str) -> bool:
        return bool(self._versions(name)) and self._versions(name)[-1] is not None

    def _if_match(self, name: str, how: str) -> tuple[dict[str, str], bool]:
        """Headers, and whether the server has to refuse them."""
        newest = len(self._versions(name))
        if how == "none":
            return {}, False
        version = newest if how == "right" else newest + 1
        return {"If-Match": f'W/"{version}"'}, how == "stale" or newest == 0

    @rule(name=NAMES, gender=GENDER, match=MATCH)
    def put(self, name: str, gender: str, match: str) -> None:
        headers, refused = self._if_match(name, match)
        created = not self._there(name)
        answer = self.client.put(f"/Patient/{self._id(name)}", json=self._patient(name, gender), headers=headers)
        if refused:
            assert answer.status_code == 412, answer.text
            return
        assert answer.status_code == (201 if created else 200), answer.text
        self.kept.setdefault(name, []).append(gender)
        assert answer.headers["etag"] == f'W/"{len(self.kept[name])}"'

    @rule(name=NAMES, gender=GENDER)
    def put_by_condition(self, name: str, gender: str) -> None:
        there = self._there(name)
        sent = self._patient(name, gender)
        if not there:
            sent["id"] = self._id(name)
        answer = self.client.put("/Patient", params={"identifier": f"urn:{self.run}|{name}"}, json=sent)
        assert answer.status_code == (200 if there else 201), answer.text
        self.kept.setdefault(name, []).append(gender)

    @rule(name=NAMES, match=MATCH)
    def delete(self, name: str, match: str) -> None:
        headers, refused = self._if_match(name, match)
        answer = self.client.delete(f"/Patient/{self._id(name)}", headers=headers)
        if refused:
            assert answer.status_code == 412, answer.text
            return
        assert answer.status_code == 204, answer.text
        if self._there(name):
            self.kept[name].append(None)

    @rule(name=NAMES, gender=GENDER)
    def patch(self, name: str, gender: str) -> None:
        body = [{"op": "replace", "path": "/gender", "value": gender}]
        answer = self.client.patch(
            f"/Patient/{self._id(name)}", json=body, headers={"Content-Type": "application/json-patch+json"}
        )
        if not self._versions(name):
            assert answer.status_code == 404
        elif not self._there(name):
            assert answer.status_code == 410
        else:
            assert answer.status_code == 200, answer.text
            self.kept[name].append(gender)

    @rule(name=NAMES)
    def create_unless_there(self, name: str) -> None:
        """A conditional create of what exists is the one that exists; of what does not, it is not tried here."""
        if self._there(name):
            header = {"If-None-Exist": f"identifier=urn:{self.run}|{name}"}
            answer = self.client.post("/Patient", json=self._patient(name, "unknown"), headers=header)
            assert (answer.status_code, answer.json()["id"]) == (200, self._id(name))

    @rule(steps=STEPS, broken=st.booleans())
    def transaction(self, steps: list[tuple[str, str, str]], broken: bool) -> None:
        entries: list[dict[str, Any]] = []
        for act, name, gender in steps:
            url = f"Patient/{self._id(name)}"
            if act == "put":
                entries.append({"resource": self._patient(name, gender), "request": {"method": "PUT", "url": url}})
            else:
                entries.append({"request": {"method": "DELETE", "url": url}})
        if broken:
            entries.append(
                {
                    "resource": {"resourceType": "Patient", "gender": "wrong"},
                    "request": {"method": "POST", "url": "Patient"},
                }
            )
        answer = self.client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
        assert answer.status_code == (400 if broken else 200), answer.text
        if not broken:
            for act, name, gender in steps:
                if act == "put":
                    self.kept.setdefault(name, []).append(gender)
                elif self._there(name):
                    self.kept[name].append(None)

    @rule(name=NAMES)
    def read_every_version(self, name: str) -> None:
        path, versions = f"/Patient/{self._id(name)}", self._versions(name)
        newest = self.client.get(path)
        expected = 404 if not versions else 200 if versions[-1] is not None else 410
        assert newest.status_code == expected
        for number, gender in enumerate(versions, 1):
            answer = self.client.get(f"{path}/_history/{number}")
            assert answer.status_code == (200 if gender else 410)
            assert gender is None or answer.json()["gender"] == gender
        assert self.client.get(f"{path}/_history/{len(versions) + 1}").status_code == 404

    @rule(name=NAMES)
    def history(self, name: str) -> None:
        answer = self.client.get(f"/Patient/{self._id(name)}/_history", params={"_count": "3"})
        assert answer.status_code == (200 if self._versions(name) else 404)
        if answer.status_code == 200:
            entries = list(self._pages(answer.json()))
            said = [entry.get("resource", {}).get("gender") for entry in entries]
            assert said == list(reversed(self._versions(name)))

    @invariant()
    def searches_find_what_is_there(self) -> None:
        there = {name: versions[-1] for name, versions in self.kept.items() if versions[-1] is not None}
        answer = self.client.get("/Patient", params={"_tag": f"urn:model|{self.run}", "_sort": "gender", "_count": "2"})
        found = [(each["resource"]["id"], each["resource"]["gender"]) for each in self._pages(answer.json())]
        assert sorted(found) == sorted((self._id(name), gender) for name, gender in there.items())
        assert [gender for _, gender in found] == sorted(gender for _, gender in found)
        women = {"_tag": f"urn:model|{self.run}", "gender": "female", "_summary": "count"}
        total = self.client.get("/Patient", params=women).json()["total"]
        assert total == sum(gender == "female" for gender in there.values())

    def _pages(self, bundle: dict[str, Any]) -> list[dict[str, Any]]:
        entries = list(bundle.get("entry", []))
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        return entries + (self._pages(self.client.get(links["next"]).json()) if "next" in links else [])


async def _agree(served: Served, how: settings) -> None:
    def run() -> None:
        with httpx.Client(base_url=served.base, headers=served.headers, timeout=60) as client:
            made: Callable[[], RuleBasedStateMachine] = lambda: Against(client)  # noqa: E731
            run_state_machine_as_test(made, settings=how)

    await asyncio.to_thread(run)


async def test_server_and_model_say_the_same(served: Served) -> None:
    await _agree(served, SETTINGS)


@pytest.mark.long
async def test_server_and_model_say_the_same_for_long(served: Served) -> None:
    await _agree(served, settings(SETTINGS, max_examples=300, stateful_step_count=40))
