"""Scores: points for each of several facts, added up, and what the sum means."""

from __future__ import annotations

from typing import Any

from domain.decisions import DecisionPoint
from rules.authoring.writing import at_most, banded, either, emitted, fact, total, when


def early_warning() -> Any:
    """NEWS2: seven measurements, SpO2 on its own scale for patients with hypercapnic failure.

    Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, charts 1 and 2. Not for children
    under 16, of whom a person is told to look.
    """
    saturation, on_oxygen = fact("vitals.spo2"), fact("vitals.on_oxygen")
    scale_1 = banded(saturation, (91, 3), (93, 2), (95, 1), above=0)
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
    respiration = banded(fact("vitals.respiration"), (8, 3), (11, 1), (20, 0), (24, 2), above=3)
    oxygenation = when((fact("vitals.hypercapnic"), scale_2), otherwise=scale_1)
    systolic = banded(fact("vitals.systolic"), (90, 3), (100, 2), (110, 1), (219, 0), above=3)
    pulse = banded(fact("vitals.pulse"), (40, 3), (50, 1), (90, 0), (110, 1), (130, 2), above=3)
    consciousness = when((fact("vitals.consciousness") == "alert", 0), otherwise=3)
    temperature = banded(fact("vitals.temperature"), (35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), above=2)
    oxygen = when((on_oxygen, 2), otherwise=0)
    score = total(respiration, oxygenation, oxygen, systolic, pulse, consciousness, temperature)
    each = (respiration, oxygenation, systolic, pulse, consciousness, temperature)
    return emitted(
        when(
            (fact("patient.age") < 16, "assess-now"),
            (score >= 7, "high"),
            (score >= 5, "medium"),
            (either(*(points == 3 for points in each)), "low-medium"),
            (score >= 1, "low"),
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
