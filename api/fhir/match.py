"""$match: who may this person be (hl7.org/fhir/R4/patient-operation-match.html).

Answers with the patients in use, the likeliest first. What each agreement is worth stands in `domain.matching.scoring`.
"""

from __future__ import annotations

from http import HTTPStatus

from api.fhir import auditing, bundles, outcome
from api.fhir.exchange import Answer, Call
from api.fhir.outcome import Refusal, error
from api.fhir.parameters import given
from api.fhir.reach import reach
from api.fhir.text import Json, write
from api.fhir.veil import refuse_numbers, veiled
from api.likeness import likely
from domain.errors import Invalid
from domain.matching import Grade, Score
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version

SHOWN = 20
"""Patients of an answer where the client names no number."""

LARGEST = 100

_KNOWN = {"resource": "Patient", "onlyCertainMatches": "boolean", "count": "integer"}
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


async def match(call: Call, tx: Transaction) -> Answer:
    """A searchset with `search.score` and grade of each. Raises Invalid, TooCostly; Refusal 422 for too little.

    With onlyCertainMatches: the one who certainly is the person; nobody where two are.
    """
    call.require("s", "Patient")
    asked = await given(call, _KNOWN, about="resource")
    patient, count = asked.part("resource"), asked.number("count")
    if patient is None:
        raise Invalid("the operation needs a patient to look for", field="resource")
    if count is not None and count < 1:
        raise Invalid("a count is one or more", field="count")
    hidden = call.asker.rights.hidden.get("Patient", frozenset()) if call.asker.rights else frozenset()
    # What the caller does not see does not help to find: an answer would tell its value.
    patient = {name: value for name, value in patient.items() if name.removeprefix("_") not in hidden}
    try:
        found = await _scored(call, tx, patient)
    except Invalid as too_little:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error("required", str(too_little), "resource")) from too_little
    said: list[bytes] = []
    if asked.flag("onlyCertainMatches"):
        found = [each for each in found if each[1].grade is Grade.CERTAIN]
        if len(found) > 1:
            said.append(_said(f"{len(found)} patients match with certainty, so none is the only one"))
            found = []
    shown = found[: min(count or SHOWN, LARGEST)]
    await auditing.note(tx, call, AuditAction.QUERY, [version for version, _ in shown])
    entries = [_entry(call, *each) for each in shown] + said
    return Answer(HTTPStatus.OK, bundles.bundle("searchset", entries, at=call.now, total=len(found)))


async def _scored(call: Call, tx: Transaction, asked: Json) -> list[tuple[Version, Score]]:
    """Who is worth showing, the likeliest first. A record that was replaced speaks for the one that stays."""
    refuse_numbers(call, write(asked))
    scope = await reach(call, tx)
    return await likely(tx, asked, scope)


def _entry(call: Call, version: Version, found: Score) -> bytes:
    assert found.grade is not None  # noqa: S101 - others are not shown
    return bundles.entry(
        full_url=f"{call.base}/{version.reference}",
        resource=veiled(call, version).text,
        search={
            "extension": [{"url": _GRADE, "valueCode": found.grade.value}],
            "mode": "match",
            "score": found.score,
        },
    )


def _said(sentence: str) -> bytes:
    issues = [outcome.issue("information", "informational", sentence)]
    return bundles.entry(resource=write(outcome.outcome(issues)), search={"mode": "outcome"})
