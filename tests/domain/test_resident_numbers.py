"""What is a resident registration number, what a check digit says, and what is left of it when it is masked."""

from __future__ import annotations

import json
from datetime import date

import pytest

from domain.resident_numbers import SYSTEM, holds_mask, looks_like_one, masked, masked_text, numbers_of, parse, restored

# Invented: 1 January 1990, a man, and the check digit that the weights give.
RIGHT, WRONG = "900101-1234568", "900101-1234567"
FOREIGN = "900101-5234561"


@pytest.mark.parametrize(
    ("text", "born"),
    [
        (RIGHT, date(1990, 1, 1)),
        ("9001011234568", date(1990, 1, 1)),
        ("210301-4000000", date(2021, 3, 1)),
        ("991231-9000000", date(1899, 12, 31)),
        (FOREIGN, date(1990, 1, 1)),
        ("000229-3000000", date(2000, 2, 29)),
    ],
)
def test_date_and_century_stand_in_it(text: str, born: date) -> None:
    found = parse(text)
    assert found is not None
    assert found.born == born


@pytest.mark.parametrize(
    "text",
    ["", "900101-123456", "900101-12345678", "900230-1234567", "901301-1234567", "010229-3000000", "9001O1-1234567"],
)
def test_what_cannot_be_one_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [(RIGHT, "right"), (WRONG, "wrong"), (FOREIGN, "right"), ("201005-3000000", "none"), ("201004-3000000", "wrong")],
)
def test_a_check_digit_is_right_wrong_or_there_is_none(text: str, said: str) -> None:
    found = parse(text)
    assert found is not None
    assert found.check_digit == said


def test_a_mask_leaves_birth_date_and_sex() -> None:
    found = parse(RIGHT)
    assert found is not None
    assert found.masked == "900101-1******"
    assert masked_text(f"({RIGHT}) 2026-11-24 123456-1234567 010-1234-5678") == (
        "(900101-1******) 2026-11-24 123456-1234567 010-1234-5678"
    )


def test_thirteen_digits_are_a_number_when_they_say_so_or_the_check_digit_does() -> None:
    assert looks_like_one("9001011234568")
    assert not looks_like_one("9001011234567")
    said = {
        "identifier": [{"system": SYSTEM, "value": "9001011234567"}, {"system": "urn:mrn", "value": "9001011234567"}]
    }
    assert [each.value for each in numbers_of(said)] == ["9001011234567"]
    assert [each["value"] for each in masked(said)["identifier"]] == ["9001011******", "9001011234567"]


def test_what_was_masked_gets_its_numbers_again_wherever_they_stood() -> None:
    patient = {
        "identifier": [
            {"system": SYSTEM, "value": RIGHT},
            {"type": {"text": "foreign"}, "value": FOREIGN.replace("-", "")},
        ],
        "text": {"div": f"<div>{WRONG}</div>"},
        "contact": [{"extension": [{"valueString": f"mother of {FOREIGN}"}]}],
    }
    shown = masked(patient)
    assert [value for value in (RIGHT, WRONG, FOREIGN, FOREIGN.replace("-", "")) if value in json.dumps(shown)] == []
    assert holds_mask(json.dumps(shown).encode())
    # The two of one day and sex, which masks do not tell apart, are the one thing that is not given back blindly.
    del patient["text"], shown["text"]
    assert restored(shown, patient) == patient


def test_a_mask_of_a_number_that_was_not_there_or_of_two_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        restored({"value": "800101-1******"}, {"identifier": [{"value": RIGHT}]})
    with pytest.raises(KeyError):
        restored({"value": "900101-1******"}, {"identifier": [{"value": RIGHT}, {"value": WRONG}]})
