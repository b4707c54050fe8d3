"""`phis audit`: what is wrong is named with its place, and a month is reviewed in words, tables and JSON."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from api.ui.views.audit_report import Section, sections
from api.ui.words import Language, words
from domain.ids import Reference
from runtime.cli.audit import Form, told, written
from store import audit, audit_report
from store.audit import AuditAction
from store.database import Database
from store.seals.verifying import Finding, Verdict, Wrong

NIGHT = datetime(2026, 11, 10, 15, 30, tzinfo=UTC)  # half past midnight in the hospital
DAY = datetime(2026, 11, 10, 3, 0, tzinfo=UTC)


def test_a_sound_audit_is_told_with_its_tail() -> None:
    lines = told(Verdict("hanbit", compared=True, links=2, rows=7, tail=3, tail_since=NIGHT))
    assert lines == [
        "2 links with 7 accesses of hanbit were looked at.",
        "Nothing was changed, removed or added in what is sealed.",
        "Not sealed yet: 3 accesses, the oldest of 2026-11-10 15:30:00 UTC.",
    ]


def test_the_first_wrong_place_comes_first() -> None:
    findings = [Finding(5, 5, Wrong.ROW_CHANGED, 2, 81), Finding(4, 7, Wrong.REWRITTEN, 2, 0, "hanbit-2026-11.jsonl:2")]
    lines = told(Verdict("hanbit", compared=False, findings=findings))
    assert lines[1] == "WRONG: access 5, link 2, row 81: a row was changed [row-changed]"
    assert lines[2].startswith("   and: accesses 4–7, link 2: ")
    assert lines[2].endswith("[rewritten] (hanbit-2026-11.jsonl:2)")
    assert "could not have been seen" in lines[-1]


@pytest.fixture
async def month(database: Database, hospital: str) -> list[Section]:
    async def access(actor: str, action: AuditAction, at: datetime, count: int = 1, **more: str) -> None:
        patients = [Reference.to("Patient", f"p{number}") for number in range(count)]
        await audit.record(tx, action=action, actor=actor, at=at, patients=patients, **more)  # type: ignore[arg-type]

    async with database.transaction(hospital) as tx:
        await access("kim@hanbit", AuditAction.READ, NIGHT)
        await access("kim@hanbit", AuditAction.READ, DAY)
        await access("lee@hanbit", AuditAction.QUERY, DAY, audit_report.MANY)
        await access("lee@hanbit", AuditAction.READ, DAY, outcome="denied", detail="Patient.r")
        await access("=cmd@hanbit", AuditAction.BREAK_GLASS, DAY, purpose="BTG", reason="응급실 도착")
        await access("kim@hanbit", AuditAction.READ, DAY - timedelta(days=31))
        since, until = audit_report.month_of("2026-11")
        found = await audit_report.review(tx, since, until)
    return sections(words(Language.EN), found)


async def test_a_month_shows_what_deserves_a_second_look(month: list[Section]) -> None:
    rows = {section.key: section.rows for section in month}
    assert rows["broken-glass"] == [("2026-11-10 12:00", "=cmd@hanbit", "Patient/p0", "BTG", "응급실 도착")]
    assert rows["downloads"] == []
    assert rows["many"] == [("lee@hanbit", "2026-11-10", "100")]
    assert rows["night"] == [("kim@hanbit", "1", "1")]
    assert rows["denials"] == [("lee@hanbit", "Patient.r", "1")]
    assert ("kim@hanbit", "read", "2", "0") in rows["accesses"]
    assert ("lee@hanbit", "read", "0", "1") in rows["accesses"]


async def test_a_report_is_text_or_csv_or_json_and_no_formula(month: list[Section]) -> None:
    assert "Emergency accesses: 1" in written(month, Form.TEXT)
    assert json.loads(written(month, Form.JSON))["many"] == [
        {"Who": "lee@hanbit", "Day": "2026-11-10", "Patients": "100"}
    ]
    cells = [cell for row in csv.reader(io.StringIO(written(month, Form.CSV))) for cell in row]
    assert "'=cmd@hanbit" in cells
    assert not [cell for cell in cells if cell.startswith("=")]


def test_a_month_is_the_hospitals() -> None:
    assert audit_report.month_of("2026-12") == (
        datetime(2026, 11, 30, 15, tzinfo=UTC),
        datetime(2026, 12, 31, 15, tzinfo=UTC),
    )
    with pytest.raises(ValueError, match="does not match"):
        audit_report.month_of("November")
