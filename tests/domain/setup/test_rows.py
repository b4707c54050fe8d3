"""Tables: what is read is what was written, and each row that is wrong says where and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.csv import reading, writing
from domain.errors import Invalid
from domain.setup import rows
from domain.setup.contents import content_of
from domain.setup.kinds import Basis, Kind
from domain.setup.rows import RowError

HEAD = "code,name_ko,name_en,category,price_kind,amount,coverage,valid_from,valid_to,basis,source"


def table(*lines: str, head: str = HEAD) -> tuple[list[rows.Wanted], list[RowError]]:
    names, found = reading.read("\n".join([head, *lines]))
    assert rows.unknown(Kind.FEE, names) == []
    return rows.read(Kind.FEE, [(row.number, row.cells) for row in found])


def test_days_are_days_in_korea_and_the_last_one_counts() -> None:
    (wanted,), errors = table("V,초진,First,01,won,18000,covered,2026-01-01,2026-12-31,,")
    assert errors == []
    assert wanted.since == datetime(2025, 12, 31, 15, tzinfo=UTC)
    assert wanted.until == datetime(2026, 12, 31, 15, tzinfo=UTC)
    assert wanted.basis is Basis.OWN
    assert rows.frame_of(wanted.since, wanted.until, wanted.basis, "")["valid_to"] == "2026-12-31"


def test_every_row_that_is_wrong_is_told_with_number_field_and_reason() -> None:
    wanted, errors = table(
        "V,초진,First,01,won,18000,covered,,,,",
        "W,,First,01,won,18000,covered,,,,",
        "X,초진,First,01,won,lots,covered,,,,",
        "bad code,초진,First,01,won,1,covered,,,,",
        "V,초진,First,01,won,2,covered,,,,",
        "Y,초진,First,01,won,1,covered,tomorrow,,,",
        "Z,초진,First,01,won,1,covered,2026-02-01,2026-01-01,,",
        "S,초진,First,01,won,1,covered,,,sourced,",
        "T,초진,First,01,won,1,covered,,,guessed,",
    )
    assert [one.code for one in wanted] == ["V"]
    assert [(one.row, one.field) for one in errors] == [
        (3, "name_ko"),
        (4, "amount"),
        (5, "code"),
        (6, "code"),
        (7, "valid_from"),
        (8, "valid_to"),
        (9, "source"),
        (10, "basis"),
    ]
    assert all(one.reason for one in errors)


def test_a_head_names_known_columns_and_all_that_are_needed() -> None:
    errors = rows.unknown(Kind.FEE, ["code", "name_ko", "price", "amount"])
    assert {(one.field, one.reason) for one in errors} == {
        ("price", "no such column"),
        ("name_en", "this column is missing"),
        ("category", "this column is missing"),
        ("price_kind", "this column is missing"),
        ("coverage", "this column is missing"),
    }


def test_a_form_is_several_rows_and_the_wrong_line_is_named() -> None:
    head = ",".join(rows.columns(Kind.FORM))
    assert (
        head == "code,name_ko,name_en,use,item,type,required,options,text_ko,text_en,valid_from,valid_to,basis,source"
    )
    lines = [
        "intake,문진,Intake,visit,fever,boolean,yes,,열,Fever,,,,",
        "intake,문진,Intake,visit,pain,number,yes,,통증,Pain,,,,",
    ]
    _, found = reading.read("\n".join([head, *lines]))
    wanted, errors = rows.read(Kind.FORM, [(row.number, row.cells) for row in found])
    assert wanted == []
    assert [(one.row, one.field) for one in errors] == [(3, "type")]


def test_the_head_of_a_form_is_the_same_in_each_of_its_rows() -> None:
    head = ",".join(rows.columns(Kind.FORM))
    lines = ["a,문진,Intake,visit,fever,boolean,,,열,Fever,,,,", "a,다른,Intake,visit,pain,integer,,,통증,Pain,,,,"]
    _, found = reading.read("\n".join([head, *lines]))
    _, errors = rows.read(Kind.FORM, [(row.number, row.cells) for row in found])
    assert [(one.row, one.reason) for one in errors] == [(3, "the head differs from that of row 2")]


def test_what_was_written_is_read_the_same_though_it_looks_like_a_formula() -> None:
    content = content_of(
        Kind.FEE,
        {"name_ko": "=HYPERLINK(1)", "name_en": "+1, \"a\"", "category": "01", "price_kind": "points",
         "amount": "188.10", "coverage": "covered"},
    )  # fmt: skip
    made = rows.written(Kind.FEE, "V", content, rows.frame_of(None, None, Basis.SAMPLE, ""))
    text = writing.table([rows.columns(Kind.FEE), *made])
    assert '"\'=HYPERLINK(1)"' in text
    _, found = reading.read("\ufeff" + text)
    (wanted,), errors = rows.read(Kind.FEE, [(row.number, row.cells) for row in found])
    assert errors == []
    assert wanted.content == content
    assert wanted.basis is Basis.SAMPLE


@pytest.mark.parametrize("mark", [";", "\t"])
def test_tables_of_other_spreadsheets_are_read(mark: str) -> None:
    head, found = reading.read(f"code{mark}name_ko\r\nV{mark}초진, 의원\r\n\r\n")
    assert head == ["code", "name_ko"]
    assert [(row.number, row.cells["name_ko"]) for row in found] == [(2, "초진, 의원")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is none"),
        ("a,a\n1,2", "same name"),
        ("a\n1,2", "2 cells"),
        ('a\n"1', "cannot be read"),
        ("a\n\0", "zero bytes"),
        ("a\n" + "x" * 20_001, "characters"),
        ("a\n" + "x\n" * 20_001, "at most"),
    ],
)
def test_what_is_no_table_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        reading.read(text)
