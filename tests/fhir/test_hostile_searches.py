"""Every search parameter of every type with values that nobody should send: an answer or a sentence, never a 500."""

# ruff: noqa: E501  # tables

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import Iterable
from urllib.parse import quote

import httpx
import pytest

from domain import fhir

pytestmark = pytest.mark.sockets

SAMPLE = 350
AT_ONCE = 4

VALUES = [
    "'", '"', "''", "\\", "\\\\,", "%", "_", "%25", "$", "$$", "|", "||", "|||", ",", ",,", ":", "*", "?", "#", "&", ";",
    "' or '1'='1", "'; drop table resource; --", "1); select pg_sleep(30); --", "%s", "%(hospital)s", "{0}", "{hospital}",
    "$1", "\\x00", "../../etc/passwd", "..%2f..", "file:///etc/passwd", "http://169.254.169.254/", "<script>", "${jndi:x}",
    "null", "None", "true", "NaN", "Infinity", "-Infinity", "1e999999999", "-1e-999999999", "9" * 400, "0x10", "1_000",
    "٣", "½", "²", "2020-02-30", "0000", "0001-01-01", "9999-12-31T23:59:59.999999999+14:00", "10000-01-01", "2020-01-01T25:00",
    "2020-01-01T00:00:00+99:99", "ap9999-12-31", "sa0001", "eb9999", "ne", "gt", "ge ", "lt-", "Patient/", "/Patient/1",
    "Patient/a/b/c", "Nothing/1", "urn:uuid:", "urn:oid:1.2.3", "a" * 5000, "한" * 1000, "\u202e", "\ufeff", "\ud7ff", "𝕏" * 300,
    "e\u0301" * 200, "a|b|c|d", "5.4|http://unitsofmeasure.org|", "5.4||", "1||[", "1||m2.kg/s10000000", "1||%", "1|2|3|4",
    "91|181", "90|180|1e30|km", "1|1|-1|km", "a$b", "a$b$c$d", "$1", "1$", "http://hl7.org/fhir/ValueSet/all-languages",
    "http://nowhere.example/ValueSet/none", ",".join("x" * 3 for _ in range(499)), " ", "\t", "\n",
]  # fmt: skip

MODIFIERS = [
    "", "", "", ":exact", ":contains", ":missing", ":not", ":text", ":identifier", ":of-type", ":above", ":below", ":in",
    ":not-in", ":Patient", ":Nothing", ":", "::", ":exact:exact", ".", ".name", ":Patient.name", "._id", ".bogus",
]  # fmt: skip

Asked = tuple[str, str]


def _names() -> list[tuple[str, str]]:
    """Types and codes. The audit is left out: it is for auditors, and reads no search table."""
    kinds = sorted(fhir.resource_types() - {"AuditEvent"})
    return [(kind, code) for kind in kinds for code in sorted(fhir.search_parameters(kind))]


async def _all_answer(http: httpx.AsyncClient, asked: Iterable[tuple[str, Asked]]) -> int:
    """How many were asked; each a page, or a refusal that names its place and says a sentence."""
    waiting, failed, count = iter(asked), [], 0

    async def work() -> None:
        nonlocal count
        for kind, (name, value) in waiting:
            count += 1
            path = f"/{kind}?{quote(name, safe=':.-_')}={quote(value, safe='')}&_count=2"
            answer = await http.get(path)
            if not _well(answer):
                failed.append((path[:300], answer.status_code, answer.text[:300]))

    async with asyncio.TaskGroup() as clients:
        for _ in range(AT_ONCE):
            clients.create_task(work())
    assert failed == []
    return count


def _well(answer: httpx.Response) -> bool:
    said = answer.json()
    if answer.status_code == 200:
        return bool(said["type"] == "searchset")
    issue = said["issue"][0]
    return answer.status_code == 400 and bool(issue["diagnostics"]) and bool(issue.get("expression"))


async def test_a_sample_of_parameters_with_hostile_values(http: httpx.AsyncClient) -> None:
    seed = int(os.environ.get("HOSTILE_SEED") or random.randrange(10**6))  # noqa: S311
    print(f"HOSTILE_SEED={seed}")  # noqa: T201  # shown when it fails, to run it again
    chosen, names = random.Random(seed), _names()  # noqa: S311
    sample = [
        (kind, (code + chosen.choice(MODIFIERS), chosen.choice(VALUES)))
        for kind, code in (chosen.choice(names) for _ in range(SAMPLE))
    ]
    assert await _all_answer(http, sample) == SAMPLE


EACH_KIND = [
    ("Patient", "name"), ("Patient", "identifier"), ("Patient", "birthdate"), ("Observation", "value-quantity"),
    ("RiskAssessment", "probability"), ("Observation", "subject"), ("ValueSet", "url"),
    ("Observation", "code-value-quantity"), ("Location", "near"),
]  # fmt: skip


async def test_a_parameter_of_each_kind_with_every_hostile_value(http: httpx.AsyncClient) -> None:
    asked = ((kind, (code, value)) for (kind, code), value in itertools.product(EACH_KIND, VALUES))
    assert await _all_answer(http, asked) == len(EACH_KIND) * len(VALUES)


@pytest.mark.long
async def test_every_parameter_with_every_hostile_value(http: httpx.AsyncClient) -> None:
    asked = (
        (kind, (code + modifier, value))
        for (kind, code), (value, modifier) in itertools.product(
            _names(), ((value, MODIFIERS[index % len(MODIFIERS)]) for index, value in enumerate(VALUES))
        )
    )
    assert await _all_answer(http, asked) > 100_000


RESULTS = [
    "_sort",
    "_include",
    "_revinclude",
    "_elements",
    "_summary",
    "_total",
    "_count",
    "_cursor",
    "_type",
    "_contained",
]
BESIDE = [
    "_has",
    "_has:",
    "_has:Patient",
    "_has:Patient:link:",
    "_has:Patient:link:name",
    "_list",
    "_id",
    "_lastUpdated",
    "_text",
]


async def test_parameters_of_results_with_hostile_values(http: httpx.AsyncClient) -> None:
    assert (
        await _all_answer(http, (("Patient", each) for each in itertools.product(RESULTS + BESIDE, VALUES[::3]))) > 400
    )
    assert (
        await _all_answer(http, (("", each) for each in itertools.product(["_type", "_id", "name"], VALUES[::3]))) > 90
    )


COSTLY = {
    "a chain of fifty": "Patient?" + "link." * 50 + "name=x",
    "a chain of fifty with types": "Patient?" + "link:Patient." * 50 + "name=x",
    "reverse chains of fifty": "Patient?" + "_has:Patient:link:" * 50 + "name=x",
    "a chain that may lead anywhere": "Task?" + "subject." * 60 + "x=1",
    "two hundred parameters": "Patient?" + "&".join(["name=x"] * 200),
    "three hundred parameters": "Patient?" + "&".join(["name=x"] * 300),
    "ten thousand values": "Patient?_id=" + ",".join(str(number) for number in range(10_000)),
    "ten thousand codes": "Observation?code=" + ",".join(str(number) for number in range(10_000)),
    "fifty keys to sort by": "Patient?_sort=" + ",".join(["name", "-birthdate"] * 25),
}


async def test_searches_that_cost_too_much_are_refused_as_such(http: httpx.AsyncClient) -> None:
    for name, path in COSTLY.items():
        if len(path) < 60_000:
            kind, _, form = path.partition("?")
            answer = await http.post(f"/{kind}/_search", content=form, headers=FORM)
            issue = answer.json()["issue"][0]
            assert (answer.status_code, issue["code"]) in {(400, "too-costly"), (400, "invalid")}, (name, answer.text)
            assert issue["diagnostics"], name


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_everything_that_refers_to_anything_comes_within_limits(http: httpx.AsyncClient) -> None:
    circle = [
        {
            "resource": {
                "resourceType": "Organization",
                "id": str(one),
                "name": "x",
                "partOf": {"reference": f"Organization/{(one + 1) % 9}"},
            },
            "request": {"method": "PUT", "url": f"Organization/{one}"},
        }
        for one in range(9)
    ]
    made = await http.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": circle})
    assert made.status_code == 200, made.text
    query = "_include:iterate=*&_revinclude:iterate=*&_id=0&_count=1000000000000"
    found = (await http.get(f"/Organization?{query}")).json()
    assert sorted(entry["resource"]["id"] for entry in found["entry"]) == [str(one) for one in range(9)]
    for modifier in ("below", "above"):
        around = (await http.get(f"/Organization?partof:{modifier}=Organization/3")).json()
        assert around["total"] == 9, modifier
