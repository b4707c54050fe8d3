"""capabilities: the statement says what is there, to anybody, for every hospital alike."""

from __future__ import annotations

import httpx
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from api.fhir.interactions import INTERACTIONS
from api.fhir.operations import OPERATIONS
from domain import fhir as definitions
from tests.desk import Desk


async def test_anybody_may_read_it_and_it_tells_of_no_hospital(client: httpx.AsyncClient, desk: Desk) -> None:
    real, unreal = [await client.get(f"/fhir/{code}/metadata") for code in (desk.hospital, "nowhere")]
    assert real.status_code == unreal.status_code == 200
    assert real.text.replace(desk.hospital, "nowhere") == unreal.text


async def test_it_names_every_type_interaction_parameter_and_operation(fhir: httpx.AsyncClient) -> None:
    statement = (await fhir.get("metadata")).json()
    CapabilityStatement.model_validate(statement)
    rest = statement["rest"][0]
    by_type = {resource["type"]: resource for resource in rest["resource"]}
    assert set(by_type) == definitions.resource_types()
    patient = by_type["Patient"]
    assert {each["name"] for each in patient["searchParam"]} == set(definitions.search_parameters("Patient"))
    assert "Observation:subject" in patient["searchRevInclude"]
    told = {each["code"] for each in patient["interaction"]} | {each["code"] for each in rest["interaction"]}
    elsewhere = {"operation", "search-compartment", "read-audit", "search-audit"}
    elsewhere |= {"export-status", "export-cancel", "export-file"}
    assert told == (set(INTERACTIONS) | {"batch", "transaction"}) - elsewhere
    assert [each["code"] for each in by_type["AuditEvent"]["interaction"]] == ["read", "search-type"]
    assert not [each for each in patient["searchRevInclude"] if each.startswith("AuditEvent:")]
    for kind, told_of_type in by_type.items():
        named = {each["name"]: each["definition"] for each in told_of_type["operation"]}
        assert named == {name: each.defined_for(kind) for name, each in OPERATIONS.items() if each.of(kind)}
    assert {"validate-code", "expand"} < {each["name"] for each in by_type["ValueSet"]["operation"]}
    assert "export" in {each["name"] for each in rest["operation"]}
    exports = {
        each["definition"].rpartition("/")[2] for kind in ("Patient", "Group") for each in by_type[kind]["operation"]
    }
    assert {"patient-export", "group-export"} <= exports
    assert len(rest["compartment"]) == 5
