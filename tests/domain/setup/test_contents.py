"""An entry says nothing that would harm: what each kind refuses, and with which field."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Invalid
from domain.setup.catalogue import loinc_sound
from domain.setup.contents import content_of
from domain.setup.kinds import Kind
from domain.setup.ranges import parse

NAMES = {"name_ko": "이름", "name_en": "Name"}
TEST = NAMES | {
    "section": "chemistry",
    "specimen": "serum",
    "kind": "quantity",
    "unit": "mmol/L",
    "decimals": 1,
    "ranges": "A0d..28d=3.7..5.9;A28d..=3.5..5.1",
    "critical_low": "2.5",
    "critical_high": "6.5",
    "routine_minutes": 240,
}
MEDICINE = NAMES | {
    "ingredient": "morphine",
    "form": "injection",
    "strength": "10",
    "strength_unit": "mg",
    "routes": "IV,IM",
    "max_single": "10",
    "max_daily": "60",
    "max_unit": "mg",
    "high_alert": "yes",
    "control": "narcotic",
}
IMAGE = NAMES | {
    "modality": "CT",
    "contrast": "no",
    "pregnancy_check": "yes",
    "mr_check": "no",
    "routine_minutes": "60",
}
FEE = NAMES | {"category": "01", "price_kind": "won", "amount": "18000", "coverage": "covered"}
BED = NAMES | {"kind": "bd", "part_of": "room-1"}
FORM = NAMES | {"use": "visit", "lines": [{"text_ko": "열", "text_en": "Fever", "item": "fever", "type": "boolean"}]}
DOCUMENT = NAMES | {"use": "label", "width_mm": 50, "height_mm": 25, "text_ko": "{patient.name}", "text_en": "-"}


def choice(options: str) -> dict[str, Any]:
    return FORM | {"lines": [FORM["lines"][0] | {"type": "choice", "options": options}]}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Kind.LABORATORY, TEST),
        (Kind.MEDICINE, MEDICINE),
        (Kind.IMAGING, IMAGE),
        (Kind.FEE, FEE),
        (Kind.PLACE, BED),
        (Kind.FORM, FORM),
        (Kind.FORM, choice("yes=예/Yes;no=아니요/No")),
        (Kind.DOCUMENT, DOCUMENT),
    ],
)
def test_a_sound_entry_is_read(kind: Kind, content: dict[str, Any]) -> None:
    assert content_of(kind, content).name_en == "Name"


@pytest.mark.parametrize(
    ("kind", "content", "field", "reason"),
    [
        (Kind.FEE, FEE | {"name_ko": ""}, "name_ko", "at least 1"),
        (Kind.FEE, FEE | {"amount": "18000.5"}, "amount", "won has no decimals"),
        (Kind.FEE, FEE | {"amount": "NaN"}, "amount", "finite"),
        (Kind.FEE, FEE | {"amount": "-1"}, "amount", "greater than or equal"),
        (Kind.FEE, FEE | {"category": "W"}, "category", "not covered"),
        (Kind.FEE, FEE | {"price": "1"}, "price", "not permitted"),
        (Kind.LABORATORY, TEST | {"unit": "mmol per L"}, "unit", "no unit of UCUM"),
        (Kind.LABORATORY, TEST | {"decimals": None}, "decimals", "how many"),
        (Kind.LABORATORY, TEST | {"critical_high": "5.5"}, "critical_high", "range of health"),
        (Kind.LABORATORY, TEST | {"critical_low": "3.6"}, "critical_low", "range of health"),
        (Kind.LABORATORY, TEST | {"critical_low": "7"}, "critical_low", "above"),
        (Kind.LABORATORY, TEST | {"loinc": "2823-4"}, "loinc", "check digit"),
        (Kind.LABORATORY, TEST | {"kind": "text"}, "kind", "no unit"),
        (Kind.MEDICINE, MEDICINE | {"routes": "IV,INTO"}, "routes", "INTO"),
        (Kind.MEDICINE, MEDICINE | {"routes": " , "}, "routes", "one of"),
        (Kind.MEDICINE, MEDICINE | {"max_single": "100"}, "max_single", "more at once"),
        (Kind.MEDICINE, MEDICINE | {"max_unit": ""}, "max_unit", "needs its unit"),
        (Kind.MEDICINE, MEDICINE | {"max_unit": "milligrams"}, "", "no unit of UCUM"),
        (Kind.MEDICINE, MEDICINE | {"high_alert": "no"}, "high_alert", "narcotic"),
        (Kind.IMAGING, IMAGE | {"pregnancy_check": "no"}, "pregnancy_check", "ionising"),
        (Kind.IMAGING, IMAGE | {"modality": "MR", "pregnancy_check": "no"}, "mr_check", "implants"),
        (Kind.PLACE, BED | {"part_of": ""}, "", "a bed stands in"),
        (Kind.PLACE, BED | {"isolation": "airborne;loud"}, "isolation", "pattern"),
        (Kind.FORM, FORM | {"lines": []}, "lines", "at least 1"),
        (Kind.FORM, FORM | {"lines": FORM["lines"] * 2}, "", "same item"),
        (Kind.FORM, choice("yes;no"), "lines/0", "code=한국어/English"),
        (Kind.FORM, choice("a=가/A;a=나/B"), "lines/0", "same code"),
        (Kind.DOCUMENT, DOCUMENT | {"text_en": "{patient.rrn}"}, "", "nothing is known"),
        (Kind.DOCUMENT, DOCUMENT | {"text_en": "{patient.name"}, "", "a brace"),
    ],
)
def test_what_would_harm_is_refused_with_its_field(
    kind: Kind, content: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(Invalid) as refused:
        content_of(kind, content)
    assert reason in str(refused.value)
    assert refused.value.params["field"] == (f"/content/{field}" if field else "/content")


@pytest.mark.parametrize(("code", "sound"), [("2823-3", True), ("6690-2", True), ("98979-8", True), ("2823-2", False)])
def test_a_mistyped_loinc_is_noticed(code: str, sound: bool) -> None:
    assert loinc_sound(code) is sound


def test_ranges_are_by_sex_and_age() -> None:
    men, women = parse("M12y..=13.0..17.0;F12y..=12.0..16.0")
    assert men.covers("M", 12 * 365.25)
    assert not men.covers("M", 11 * 365.25)
    assert not women.covers("M", 40 * 365.25)
    (open_above,) = parse("A18y..=90..")
    assert open_above.high is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A0d..28d=1..2;M7d..=1..2", "same people"),
        ("A5y..2y=1..2", "before it begins"),
        ("A0d..=3..2", "lies above"),
        ("A0d..=..", "both ends"),
        ("everybody 1 to 2", "A18y"),
    ],
)
def test_a_range_that_cannot_be_meant_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


def test_ranges_of_men_and_women_do_not_overlap() -> None:
    assert len(parse("M18y..=1..2;F18y..=1..2;A0d..18y=1..2")) == 3
