"""State that a process owns: what a write may and may not touch."""

from __future__ import annotations

import pytest

from domain.errors import ProcessOwned
from domain.fhir import children
from domain.ids import Reference
from domain.ownership import STATE, refuse_change, refuse_delete

TASK = {"resourceType": "Task", "id": "1", "status": "requested", "intent": "order"}


@pytest.mark.parametrize(
    ("changed", "elements"),
    [
        ({"status": "completed"}, "status"),
        ({"owner": {"reference": "Practitioner/1"}}, "owner"),
        ({"_status": {"extension": []}}, "_status"),
        ({"status": "completed", "businessStatus": {"text": "x"}}, "status,businessStatus"),
    ],
)
def test_a_change_of_state_is_refused_and_names_elements_and_command(changed: dict[str, object], elements: str) -> None:
    with pytest.raises(ProcessOwned) as refused:
        refuse_change(Reference("Task/1"), TASK, TASK | changed)
    assert refused.value.params["elements"] == elements
    assert "/commands/worklist" in refused.value.params["command"]


def test_taking_state_away_is_a_change_too() -> None:
    with pytest.raises(ProcessOwned):
        refuse_change(Reference("Task/1"), TASK, {"resourceType": "Task", "id": "1", "intent": "order"})


def test_everything_else_may_be_written() -> None:
    refuse_change(Reference("Task/1"), TASK, TASK | {"note": [{"text": "x"}], "description": "y"})
    refuse_change(Reference("Patient/1"), {"active": True}, {"active": False})


@pytest.mark.parametrize("ref", ["Task/1", "Patient/1"])
def test_nothing_owned_is_deleted(ref: str) -> None:
    with pytest.raises(ProcessOwned):
        refuse_delete(Reference(ref))


@pytest.mark.parametrize("resource_type", STATE)
def test_the_table_names_elements_that_exist(resource_type: str) -> None:
    assert set(STATE[resource_type].elements) <= set(children(resource_type))
