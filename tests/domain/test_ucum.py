"""Units of measure by UCUM."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import ucum
from domain.ucum_units import UNITS


@pytest.mark.parametrize(
    ("value", "code", "into", "expected"),
    [
        ("1", "g/L", "mg/dL", "100"),
        ("5.5", "mmol/L", "umol/mL", "5.5"),
        ("1", "10*9/L", "10*3/uL", "1"),
        ("98.6", "[degF]", "Cel", "37"),
        ("37", "Cel", "K", "310.15"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("1", "[in_i]", "cm", "2.54"),
        ("185", "[lb_av]", "kg", "83.91458845"),
        ("72", "/min", "Hz", "1.2"),
        ("72", "{beats}/min", "{pulse}/min", "72"),
        ("2", "h", "min", "120"),
        ("1", "L/min/m2", "mL/min/m2", "1000"),
        ("1", "kat", "U", "60000000"),
        ("90", "mL/min/{1.73_m2}", "L/h", "5.4"),
        ("1", "meq/L", "mmol/L", "1"),
        ("50", "%", "1", "0.5"),
        ("1", "m[iU]/mL", "[iU]/L", "1"),
        ("1", "kcal", "J", "4184"),
    ],
)
def test_a_value_is_the_same_in_another_unit(value: str, code: str, into: str, expected: str) -> None:
    converted = ucum.convert(Decimal(value), code, into)
    assert converted is not None
    assert abs(converted - Decimal(expected)) < Decimal("1e-20")


@pytest.mark.parametrize(("code", "into"), [("kg", "m"), ("[iU]", "mg"), ("Cel", "kg"), ("mol", "g"), ("frob", "frob")])
def test_different_things_do_not_convert(code: str, into: str) -> None:
    assert ucum.convert(Decimal(1), code, into) is None


MALFORMED = ["", "/", "//", "m//s", "(m", "m)", "mg dL", "m-", "m99", "[in_i", "{open", "1e5", "k" * 300]
UNKNOWN = ["mEq", "MG", "kCel"]


@pytest.mark.parametrize("code", [*MALFORMED, *UNKNOWN, "(" * 50 + "m" + ")" * 50])
def test_what_is_no_unit_is_none(code: str) -> None:
    assert ucum.parse(code) is None


def test_every_unit_listed_has_a_meaning() -> None:
    assert [code for code in UNITS if ucum.parse(code) is None] == []


@settings(deadline=None)
@given(st.text("mgLkd/.(){}[]10*-+ul%'", max_size=20))
def test_any_text_is_a_unit_or_none(code: str) -> None:
    unit = ucum.parse(code)
    assert unit is None or unit.factor.is_finite()


def test_numbers_beyond_all_bounds_convert_to_nothing() -> None:
    assert ucum.canonical(Decimal("1e999"), "Ym30") is None
