"""Builders of FHIR resources: what is written for a patient, a stay, an order and a task."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from adapters.fhir import encounters, locations, service_requests, tasks
from adapters.fhir.patient import patient
from domain.errors import Invalid
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec, TaskStatus

PATIENT, ENCOUNTER, REQUEST = Reference("Patient/p1"), Reference("Encounter/e1"), Reference("ServiceRequest/r1")
WARD, BED = Reference("Location/w7"), Reference("Location/w7-12")
AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_a_korean_name_is_kept_whole() -> None:
    built = patient("  남궁  민수 ", date(1980, 2, 29), "male", phone="010-0000-0000", identifier="00012345")
    assert built["name"] == [{"use": "official", "text": "남궁 민수"}]
    assert built["birthDate"] == "1980-02-29"
    assert built["identifier"][0]["value"] == "00012345"


def test_an_error_in_a_resource_names_the_place_and_never_the_value() -> None:
    with pytest.raises(Invalid) as refused:
        patient("홍길동", date(1980, 1, 1), ["남 800101-1234567"])  # type: ignore[arg-type]
    assert refused.value.params["field"] == "/gender"
    assert refused.value.__cause__ is None
    assert "800101" not in str(refused.value)


def test_a_stay_goes_from_planned_to_the_bed() -> None:
    asked = encounters.planned(PATIENT, REQUEST, WARD, Priority.STAT)
    assert (asked["status"], asked["class"]["code"], asked["priority"]["coding"][0]["code"]) == ("planned", "IMP", "S")
    lying = encounters.in_progress(encounters.with_bed(asked, BED), AT)
    assert lying["status"] == "in-progress"
    assert lying["period"] == {"start": "2026-03-01T09:30:00Z"}
    assert [(place["location"]["reference"], place["status"]) for place in lying["location"]] == [
        ("Location/w7", "active"),
        ("Location/w7-12", "active"),
    ]


def test_a_cancelled_stay_keeps_no_planned_place() -> None:
    asked = encounters.with_bed(encounters.planned(PATIENT, REQUEST, WARD, Priority.ROUTINE), BED)
    gone = encounters.cancelled(asked)
    assert gone["status"] == "cancelled"
    assert "location" not in gone


def test_an_order_to_admit_names_who_asked_and_for_where() -> None:
    order = service_requests.admission_request(
        PATIENT, ENCOUNTER, WARD, Priority.URGENT, requester="physician@hanbit", at=AT
    )
    assert order["requester"]["identifier"]["value"] == "physician@hanbit"
    assert order["locationReference"] == [{"reference": "Location/w7"}]
    assert service_requests.completed(order)["status"] == "completed"
    assert service_requests.revoked(order)["status"] == "revoked"


def test_a_task_lives_from_requested_to_completed() -> None:
    spec = TaskSpec(
        ref=Reference("Task/t1"),
        kind=TaskKind.ASSIGN_BED,
        focus=REQUEST,
        patient=PATIENT,
        ward=WARD,
        candidates=(Role.BED_MANAGER,),
        priority=Priority.ROUTINE,
        due_at=AT,
    )
    task = tasks.requested(spec, AT)
    assert (task["status"], task["intent"], task["restriction"]["period"]["end"]) == (
        "requested",
        "order",
        "2026-03-01T09:30:00Z",
    )
    owned = tasks.as_it_stands(task, TaskStatus.RECEIVED, owner="bed-manager@hanbit", started_at=None, at=AT)
    assert owned["owner"]["identifier"]["value"] == "bed-manager@hanbit"
    free = tasks.as_it_stands(owned, TaskStatus.REQUESTED, owner=None, started_at=None, at=AT)
    assert "owner" not in free
    roles = [kind["coding"][0]["code"] for kind in tasks.escalated(owned, Role.WARD_MANAGER, AT)["performerType"]]
    assert roles == ["bed-manager", "ward-manager"]
    assert tasks.completed(owned, "bed-manager@hanbit", AT)["status"] == "completed"
    assert tasks.cancelled(task, "patient-declined", AT)["statusReason"]["coding"][0]["code"] == "patient-declined"


def test_a_bed_is_part_of_its_room_and_says_its_own_state() -> None:
    bed = locations.bed("7병동 701-2", Reference("Location/w7-701"))
    assert bed["partOf"] == {"reference": "Location/w7-701"}
    assert bed["operationalStatus"]["code"] == "U"
    assert locations.ward("7병동", alias="Ward 7")["physicalType"]["coding"][0]["code"] == "wa"
    assert locations.room("701", Reference("Location/w7"))["physicalType"]["coding"][0]["code"] == "ro"
