"""capabilities: what this server really does (hl7.org/fhir/R4/http.html#capabilities, capabilitystatement.html).

Made from what is registered: interactions, operations and search parameters. It is the same for every hospital, also
for one that does not exist: it says nothing about which ones do.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus

from adapters.fhir.topics import BUILT_IN
from api.caller import Caller
from api.fhir import audit_events, process_message
from api.fhir.exchange import Answer, Asker, Call
from api.fhir.interactions import INTERACTIONS
from api.fhir.operations import OPERATIONS
from api.fhir.subscription import PROFILE, TOPIC_CANONICAL
from api.fhir.text import Json, write
from domain import fhir
from domain.clock import HospitalClock
from rules.scopes import Grants
from store.search import places
from store.search.searching import MOST_BODIES

_OF_TYPE = ("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type")
_OF_SYSTEM = ("history-system", "search-system")

_HTTP = {"system": "http://terminology.hl7.org/CodeSystem/message-transport", "code": "http"}
_RELEASED = "2026-11-24"
_OF_WORDS = (
    "Texts of records are hashed here. What begins with fewer than four letters (or two syllables of Hangul), :contains"
    f" and _sort are decided by opened records: of at most {MOST_BODIES}, else too-costly."
)


async def capabilities(call: Call) -> Answer:
    """The CapabilityStatement; `mode=terminology` has no statement of its own and gets this one."""
    return Answer(HTTPStatus.OK, _statement(call.base, call.state.version))


def anybody(hospital: str) -> Asker:
    """Who asks without a token."""
    nobody = Caller(hospital, "", frozenset(), {}, {}, None, b"")
    return Asker(nobody, Grants(), HospitalClock())


@lru_cache(maxsize=64)
def _statement(base: str, version: str) -> bytes:
    types = sorted(fhir.resource_types())
    return write(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": _RELEASED,
            "kind": "instance",
            "instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"],
            "software": {"name": "P-HIS", "version": version},
            "implementation": {"description": "P-HIS, a hospital operations engine", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "json"],
            "patchFormat": ["application/json-patch+json", "application/fhir+json"],
            "rest": [
                {
                    "mode": "server",
                    "security": {
                        "service": [
                            {
                                "coding": [
                                    {
                                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                        "code": "SMART-on-FHIR",
                                    }
                                ]
                            }
                        ],
                        "description": "Bearer tokens with SMART scopes or roles; one token opens one hospital.",
                    },
                    "resource": [_resource(kind, types) for kind in types],
                    "interaction": [{"code": code} for code in ("transaction", "batch", *_registered(_OF_SYSTEM))],
                    "searchParam": list(_parameters("Resource")),
                    "operation": [
                        {"name": operation.name, "definition": operation.definition}
                        for operation in OPERATIONS.values()
                        if operation.on_system
                    ]
                    + [{"name": "process-message", "definition": process_message.DEFINITION}],
                    "compartment": [
                        f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in fhir.compartments()
                    ],
                }
            ],
            "messaging": [
                {
                    "endpoint": [{"protocol": _HTTP, "address": f"{base}/$process-message"}],
                    "documentation": "Messages are carried out at once; what they bring keeps the sender's ids.",
                }
            ],
        }
    )


def _resource(kind: str, types: list[str]) -> Json:
    if kind == "AuditEvent":
        return audit_events.capabilities() | {"operation": _operations(kind)}
    parameters = list(_parameters(kind))
    said: Json = {
        "type": kind,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{kind}",
        "interaction": [{"code": code} for code in _registered(_OF_TYPE)],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": ["*", *_references(kind)],
        "searchRevInclude": [
            include for other in types if other != "AuditEvent" for include in _references(other, kind)
        ],
        "searchParam": parameters,
    }
    if kind == "Subscription":
        said["extension"] = [{"url": TOPIC_CANONICAL, "valueCanonical": url} for url in BUILT_IN]
        said["supportedProfile"] = [PROFILE]
    named = _operations(kind)
    if named:
        said["operation"] = named
    if not said["searchRevInclude"]:
        del said["searchRevInclude"]
    return said


def _operations(kind: str) -> list[Json]:
    return [
        {"name": operation.name, "definition": operation.defined_for(kind)}
        for operation in OPERATIONS.values()
        if operation.of(kind)
    ]


def _registered(codes: tuple[str, ...]) -> list[str]:
    return [code for code in codes if code in INTERACTIONS]


def _parameters(kind: str) -> Iterator[Json]:
    for code, parameter in sorted(fhir.search_parameters(kind).items()):
        said: Json = {"name": code, "definition": parameter.url, "type": parameter.type}
        compiled = places.parameter(kind, code)
        if compiled is not None and compiled.words:
            said["documentation"] = _OF_WORDS
        yield said


@lru_cache(maxsize=65536)
def _references(kind: str, target: str = "") -> tuple[str, ...]:
    """`Type:code` of every reference parameter, of those only that may point at `target` when one is named."""
    return tuple(
        f"{kind}:{code}"
        for code, parameter in sorted(fhir.search_parameters(kind).items())
        if parameter.type == "reference" and (not target or target in parameter.targets)
    )
