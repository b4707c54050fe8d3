"""What is typed at a desk, taken apart, meets the keys that patients are kept under."""

from __future__ import annotations

from datetime import date

import pytest

from domain.matching import name_keys
from domain.matching.finding import find_keys, initials, terms

TODAY = date(2026, 11, 24)
HANA = {
    "name": [{"text": "김하나"}, {"text": "Kim Hana"}],
    "birthDate": "1980-02-14",
    "telecom": [{"system": "phone", "value": "+82 10-1234-5678"}],
    "identifier": [{"value": "00012345"}, {"value": "800214-2000005"}],
}


def meets(patient: dict[str, object], typed: str) -> bool:
    keys, sounds = find_keys(patient), name_keys(patient)
    asked = terms(typed, TODAY)
    return bool(asked) and all(each.keys & keys or each.sounds & sounds for each in asked)


@pytest.mark.parametrize(
    "typed",
    [
        *("김", "김하", "김하나", "김 하나", "하나", "ㄱㅎ", "ㄱㅎㄴ", "ㅎㄴ"),
        *("kim", "Kim Hana", "hana, kim", "Gim Ha-na"),
        *("12345", "00012345", "010-1234-5678", "+821012345678", "1234-5678", "5678"),
        *("1980-02-14", "1980.2.14.", "19800214", "800214", "1980", "김하나 5678 1980"),
    ],
)
def test_it_is_found_by(typed: str) -> None:
    assert meets(HANA, typed)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "-", "ㄱ", "k", "나", "이하나", "ㅎㄱ", "hanna park", "1234", "1979", "19800215", "김하나 1979", "234"],
)
def test_it_is_not_found_by(typed: str) -> None:
    assert not meets(HANA, typed)


def test_a_resident_number_is_no_key() -> None:
    assert not any("2000005" in key for key in find_keys(HANA))


def test_two_digits_of_a_year_are_of_either_century_but_never_of_the_future() -> None:
    (term,) = terms("250101", TODAY)
    assert {"b1925-01-01", "b2025-01-01"} <= term.keys
    (term,) = terms("301231", TODAY)
    assert not any(key.startswith("b2030") for key in term.keys)


def test_the_most_telling_comes_first() -> None:
    assert terms("김 1980-02-14 010-1234-5678", TODAY)[0].keys >= {"t12345678"}


def test_initials_are_of_syllables_alone() -> None:
    assert initials("꽃a샘 ㅎ") == "ㄲㅅ"


@pytest.mark.parametrize(
    "patient", [{}, {"name": "x"}, {"identifier": {}}, {"birthDate": 1980}, {"name": [{"text": 5}]}]
)
def test_what_is_no_patient_of_ours_has_no_keys(patient: dict[str, object]) -> None:
    assert find_keys(patient) == set()
