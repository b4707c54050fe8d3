"""The dates of care are parameters that R4 defines, of types that stand in a patient's compartment."""

from __future__ import annotations

from domain import fhir
from store.search.care import CARE_DATES


def test_every_date_of_care_is_a_date_that_r4_defines_for_a_patients_type() -> None:
    kinds = {kind: fhir.search_parameters(kind)[code].type for kind, code in CARE_DATES.items()}
    assert set(kinds.values()) == {"date"}
    assert all(any(fhir.compartment("Patient", kind)) for kind in kinds)


def test_what_holds_always_has_no_date_of_care() -> None:
    assert not {"Patient", "AllergyIntolerance", "Condition", "Coverage", "Consent"} & CARE_DATES.keys()
