"""Licences and posts come to rights with their times, and what cannot be read is over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.errors import Invalid
from domain.ids import Reference
from domain.licences import (
    LICENCE,
    ROLE,
    Licence,
    LicenceKind,
    credentials,
    licences,
    with_licences,
)

DOCTOR = Reference("Practitioner/d1")


def practitioner(period: Any, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"system": LICENCE, "code": "physician"}]}
    return {"resourceType": "Practitioner", "qualification": [{"code": code, "period": period}]} | more


def test_a_licence_counts_to_the_end_of_its_last_day_in_seoul() -> None:
    (found,) = credentials(DOCTOR, practitioner({"start": "2020-03-01", "end": "2026-11-24"}))
    assert found.kind == "licence"
    assert "physician" in found.roles
    assert found.until == datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("period", [{"end": "soon"}, {"start": "2026"}, {"end": "2026-13-01"}])
def test_a_licence_with_dates_that_nobody_can_read_is_over(period: dict[str, str]) -> None:
    (found,) = credentials(DOCTOR, practitioner(period))
    assert found.until is not None
    assert found.until.year == 1900


def test_who_is_not_active_has_no_licence_that_counts() -> None:
    (found,) = credentials(DOCTOR, practitioner({}, active=False))
    assert found.until is not None


def test_a_post_names_roles_places_and_its_time() -> None:
    post = {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/d1"},
        "code": [{"coding": [{"system": ROLE, "code": "physician"}, {"system": "other", "code": "nurse"}]}],
        "location": [{"reference": "Location/ward-51"}],
        "period": {"start": "2026-11-01"},
    }
    (found,) = credentials(Reference("PractitionerRole/p"), post)
    assert (found.practitioner, found.roles, found.places) == (DOCTOR, ("physician",), ("Location/ward-51",))
    assert found.until is None
    assert credentials(Reference("PractitionerRole/p"), post | {"practitioner": {"display": "nobody"}}) == []


def test_licences_are_written_and_read_and_other_qualifications_stay() -> None:
    diploma = {"code": {"text": "MD, 2010"}}
    held = [Licence(LicenceKind.NURSE, "N-1", "보건복지부", date(2020, 1, 1), date(2026, 12, 1))]
    body = with_licences({"resourceType": "Practitioner", "qualification": [diploma]}, held)
    assert licences(body) == held
    assert diploma in body["qualification"]
    assert with_licences(with_licences(body, []), held)["qualification"][0] == diploma
    assert held[0].valid(date(2026, 12, 1))
    assert not held[0].valid(date(2026, 12, 2))
    assert held[0].ends_soon(date(2026, 11, 24))
    assert not held[0].ends_soon(date(2026, 6, 1))


def test_a_licence_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(Invalid):
        with_licences({}, [Licence(LicenceKind.NURSE, "", "", date(2026, 2, 1), date(2026, 1, 1))])
