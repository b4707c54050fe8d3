"""A row of the audit as FHIR R4 AuditEvent, in the shape of IHE's Basic Audit Log Patterns (profiles.ihe.net/ITI/BALP).

What the row does not know is left out: a process has no address, a program no roles. A profile is named only where
the event has all that it asks for; a denial is the same event with another outcome, and claims none.
"""

from __future__ import annotations

import base64
from typing import Any

from api.fhir.text import Json
from store.audit import AuditAction, AuditLine, Said
from store.audit_search import Kind, kind_of

ACCOUNT = "urn:phis:account"
DETAIL = "urn:phis:audit-detail"
ROLE = "urn:phis:role"

_BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_REST = "http://hl7.org/fhir/restful-interaction"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT = "http://terminology.hl7.org/CodeSystem/object-role"
_SECURITY_SOURCE = "http://terminology.hl7.org/CodeSystem/security-source-type"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"

_TYPES = {
    Kind.REST: (_EVENT_TYPE, "rest", "RESTful Operation"),
    Kind.SIGNING_IN: (_DICOM, "110114", "User Authentication"),
    Kind.BREAK_GLASS: (_DICOM, "110113", "Security Alert"),
    Kind.EXPORT: (_DICOM, "110106", "Export"),
    Kind.AUDIT: (_DICOM, "110101", "Audit Log Used"),
    Kind.RECORD: (_DICOM, "110110", "Patient Record"),
}
_SUBTYPES = {
    AuditAction.LOGIN: ("110122", "Login"),
    AuditAction.LOGOUT: ("110123", "Logout"),
    AuditAction.BREAK_GLASS: ("110127", "Emergency Override Started"),
}
INTERACTIONS = {"batch": "transaction", "search-compartment": "search-type"}
"""Names of ours that FHIR's list of interactions says otherwise."""

_PROFILES = {"create": "Create", "read": "Read", "update": "Update", "delete": "Delete", "query": "Query"}
_DESTINATION = ("110152", "Destination Role ID")
_SOURCE = ("110153", "Source Role ID")


def id_of(line: AuditLine) -> str:
    return f"{line.xid}-{line.id}"


def numbers_of(id_: str) -> tuple[int, int] | None:
    """What `id_of` was made of; None for any other id."""
    left, dash, right = id_.partition("-")
    if not (dash and left.isascii() and left.isdecimal() and right.isascii() and right.isdecimal()):
        return None
    numbers = int(left), int(right)
    return numbers if max(numbers) < 2**63 else None


def audit_event(line: AuditLine, said: Said, hospital: str) -> Json:
    """The resource. `said`: what people typed, opened."""
    kind = kind_of(line)
    shown: Json = {"resourceType": "AuditEvent", "id": id_of(line)}
    profile = _profile(line, kind)
    if profile:
        shown["meta"] = {"profile": [profile]}
    system, code, display = _TYPES[kind]
    shown |= {
        "type": {"system": system, "code": code, "display": display},
        "subtype": [_subtype(line, kind)],
        "action": line.action.fhir,
        "recorded": line.recorded_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "outcome": "0" if line.outcome == "allowed" else "4",
    }
    if line.outcome == "denied":
        shown["outcomeDesc"] = f"refused: {line.detail}"
    if line.purpose or said.reason:
        shown["purposeOfEvent"] = [_purpose(line, said)]
    shown["agent"] = _agents(line, hospital)
    shown["source"] = {
        "site": hospital,
        "observer": _named("urn:phis:hospital", hospital, "P-HIS"),
        "type": [{"system": _SECURITY_SOURCE, "code": "4", "display": "Application Server"}],
    }
    entities = _entities(line, said, hospital)
    if entities:
        shown["entity"] = entities
    return shown


def _profile(line: AuditLine, kind: Kind) -> str | None:
    name = _PROFILES.get(line.action.value)
    if kind is not Kind.REST or name is None or line.outcome != "allowed":
        return None
    if line.action is AuditAction.QUERY and line.sealed is None:
        return None  # the profile wants the search's text
    if line.action is not AuditAction.QUERY and len(line.entities) != 1:
        return None
    patient = "Patient" if line.patients else ""
    if patient and line.action is not AuditAction.QUERY and len(line.patients) != 1:
        return None
    return f"{_BALP}{patient}{name}"


def _subtype(line: AuditLine, kind: Kind) -> Json:
    if line.action in _SUBTYPES:
        code, display = _SUBTYPES[line.action]
        return {"system": _DICOM, "code": code, "display": display}
    if kind is Kind.REST:
        name = line.detail.removeprefix("fhir/")
        if line.action is AuditAction.CREATE and name == "update":
            name = "create"  # an update under a new id makes a resource
        code = INTERACTIONS.get(name, name)
        return {"system": _REST, "code": code, "display": code}
    return {"system": DETAIL, "code": line.detail or line.action.value}


def _purpose(line: AuditLine, said: Said) -> Json:
    shown: Json = {}
    if line.purpose:
        shown["coding"] = [{"system": _PURPOSE, "code": line.purpose}]
    if said.reason:
        shown["text"] = said.reason
    return shown


def _agents(line: AuditLine, hospital: str) -> list[Json]:
    """Who asked, for whom, through what, and who answered. In a read the client is where data goes, else whence."""
    reads = line.action in {AuditAction.READ, AuditAction.EXPORT}
    client_role, server_role = (_DESTINATION, _SOURCE) if reads else (_SOURCE, _DESTINATION)
    person = "@" in line.actor
    who = _named(ACCOUNT, line.actor, line.actor)
    client: Json = {"type": _coded(_DICOM, *client_role), "who": who, "requestor": not person}
    if line.address:
        client["network"] = {"address": line.address, "type": "2"}
    agents = [client, {"type": _coded(_DICOM, *server_role), "who": _named("urn:phis:hospital", hospital, "P-HIS")}]
    agents[1]["requestor"] = False
    roles = [{"coding": [{"system": ROLE, "code": role}]} for role in line.roles or ()]
    if person:
        user: Json = {"type": _coded(_PARTICIPATION, "IRCP", "information recipient"), "who": who, "requestor": True}
        if line.address:
            user["network"] = {"address": line.address, "type": "2"}
        agents.insert(0, user)
        client["who"] = {"display": "client of " + line.actor}
    if roles:
        agents[0]["role"] = roles
    if line.on_behalf_of:
        other = {
            "type": _coded(_PARTICIPATION, "RESP", "responsible party"),
            "who": _named(ACCOUNT, line.on_behalf_of, line.on_behalf_of),
            "requestor": False,
        }
        agents.append(other)
    return agents


def _entities(line: AuditLine, said: Said, hospital: str) -> list[Json]:
    shown = [_entity({"reference": patient}, ("1", "Person"), ("1", "Patient")) for patient in line.patients]
    shown += [
        _entity({"reference": entity}, ("2", "System Object"), ("4", "Domain Resource"))
        for entity in line.entities
        if entity not in line.patients or line.action is not AuditAction.QUERY
    ]
    if line.action is AuditAction.QUERY and said.query is not None:
        query = _entity(None, ("2", "System Object"), ("24", "Query"))
        query["query"] = base64.b64encode(f"/fhir/{hospital}/{said.query}".encode()).decode()
        if line.found is not None:
            query["detail"] = [{"type": "found", "valueString": str(line.found)}]
        shown.append(query)
    if line.request:
        shown.append(
            {
                "what": {"identifier": {"value": line.request}},
                "type": {
                    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
                    "code": "XrequestId",
                },
            }
        )
    return shown


def _entity(what: Json | None, type_: tuple[str, str], role: tuple[str, str]) -> Json:
    shown: Json = {"what": what} if what else {}
    shown["type"] = {"system": _ENTITY, "code": type_[0], "display": type_[1]}
    shown["role"] = {"system": _OBJECT, "code": role[0], "display": role[1]}
    return shown


def _coded(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _named(system: str, value: str, display: str) -> dict[str, Any]:
    return {"identifier": {"system": system, "value": value}, "display": display}
