"""Scores: points for each of several facts, added up, and what the sum means."""

from __future__ import annotations

from typing import Any

from domain.decisions import DecisionPoint
from rules.authoring.writing import Written, at_most, banded, either, emitted, fact, scoring, total, when

Bands = tuple[tuple[tuple[float, int], ...], int]
"""Highest value and points of each band upwards, and the points above all of them."""

_RED = 3  # the most that one measurement can give


def early_warning() -> Any:
    """NEWS2: seven measurements, SpO2 on its own scale for patients with hypercapnic failure.

    Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, charts 1 and 2. Not for children
    under 16, of whom a person is told to look.
    """
    saturation, on_oxygen, hypercapnic = fact("vitals.spo2"), fact("vitals.on_oxygen"), fact("vitals.hypercapnic")
    scale_1: Bands = ((91, 3), (93, 2), (95, 1)), 0
    scale_2 = when(
        (saturation <= 83, 3),
        (saturation <= 85, 2),
        (saturation <= 87, 1),
        (~on_oxygen, 0),  # without oxygen a high value is no warning
        (saturation <= 92, 0),
        (saturation <= 94, 1),
        (saturation <= 96, 2),
        otherwise=3,
    )
    measured: dict[str, Bands] = {
        "vitals.respiration": (((8, 3), (11, 1), (20, 0), (24, 2)), 3),
        "vitals.systolic": (((90, 3), (100, 2), (110, 1), (219, 0)), 3),
        "vitals.pulse": (((40, 3), (50, 1), (90, 0), (110, 1), (130, 2)), 3),
        "vitals.temperature": (((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1)), 2),
    }
    alert = fact("vitals.consciousness") == "alert"
    score = total(
        *(banded(fact(path), *bands, above=above) for path, (bands, above) in measured.items()),
        when((hypercapnic, scale_2), otherwise=banded(saturation, *scale_1[0], above=scale_1[1])),
        when((on_oxygen, 2), otherwise=0),
        when((alert, 0), otherwise=3),
    )

    def single(least: int) -> list[Written]:
        """The measurements that give at least so many points, oxygen itself and consciousness apart."""
        low, high = (83, 96) if least == _RED else (87, 92)
        return [
            *(scoring(least, fact(path), *bands, above=above) for path, (bands, above) in measured.items()),
            hypercapnic & either(saturation <= low, on_oxygen & (saturation > high)),
            ~hypercapnic & scoring(least, saturation, *scale_1[0], above=scale_1[1]),
        ]

    return emitted(
        when(
            (fact("patient.age") < 16, "assess-now"),
            (score >= 7, "high"),
            (score >= 5, "medium"),
            (either(~alert, *single(_RED)), "low-medium"),
            (either(on_oxygen, *single(1)), "low"),  # who is not alert has gone above
            otherwise="routine",
        )
    )


def readmission_risk() -> Any:
    """LACE: length of stay, acute admission, comorbidity, emergency visits.

    Source: van Walraven et al., CMAJ 2010;182:551-557.
    """
    length = banded(fact("stay.length_days"), (0, 0), (1, 1), (2, 2), (3, 3), (6, 4), (13, 5), above=7)
    acute = when((fact("stay.acute"), 3), otherwise=0)
    comorbidity = fact("stay.comorbidity")
    charlson = when((comorbidity >= 4, 5), otherwise=comorbidity)
    score = total(length, acute, charlson, at_most(fact("stay.ed_visits"), 4))
    return emitted(when((score >= 10, "high"), (score >= 5, "moderate"), otherwise="low"))


WRITTEN = {DecisionPoint.EARLY_WARNING: early_warning, DecisionPoint.READMISSION_RISK: readmission_risk}
"""The rules whose logic is written here."""
