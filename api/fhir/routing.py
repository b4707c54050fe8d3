"""Addresses: which interaction a method and a path name (hl7.org/fhir/R4/http.html#summary)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus

from api.fhir.exchange import Address
from api.fhir.outcome import Refusal, error
from domain import fhir
from domain.ids import FHIR_ID

Methods = dict[str, Address]


def address_of(method: str, segments: Sequence[str]) -> Address:
    """The interaction, or Refusal: 404 for an address that means nothing, 405 naming the methods it knows."""
    known = _known(tuple(segments))
    found = known.get(method) or (known.get("GET") if method == "HEAD" else None)
    if method == "HEAD" and found is not None and found.operation == "export":
        found = None  # its GET begins something, so it has no HEAD
    if found is not None:
        return found
    if not known:
        raise Refusal(HTTPStatus.NOT_FOUND, error("not-supported", "no interaction has this address"))
    allowed = _allowed(known)
    said = f"this address knows {', '.join(allowed)}"
    if any(address.interaction.endswith("-audit") for address in known.values()):
        said = f"the audit is written by the house itself and never changed; {said}"
    raise Refusal(
        HTTPStatus.METHOD_NOT_ALLOWED, error("not-supported", said), headers=[(b"allow", ", ".join(allowed).encode())]
    )


def _allowed(known: Methods) -> list[str]:
    return sorted({*known, "HEAD"} if "GET" in known else known)


@lru_cache(maxsize=4096)
def _known(segments: tuple[str, ...]) -> Methods:
    known: Methods = {}
    match segments:
        case ():
            known = {"GET": Address("search-system"), "POST": Address("batch")}
        case ("metadata",):
            known = {"GET": Address("capabilities")}
        case ("_search",):
            known = {"POST": Address("search-system")}
        case ("_history",):
            known = {"GET": Address("history-system")}
        case ("_export", id_):
            known = {"GET": Address("export-status", id=id_), "DELETE": Address("export-cancel", id=id_)}
        case ("_export", id_, number) if number.isascii() and number.isdecimal() and len(number) < 10:
            known = {"GET": Address("export-file", id=id_, version=number)}
        case ("$process-message",):
            known = {"POST": Address("process-message")}
        case (operation,) if operation.startswith("$"):
            known = _operation(Address("operation", operation=operation[1:]))
        case (kind, *rest):
            known = _of_type(_resource_type(kind), rest)
    return known


def _of_type(kind: str, rest: list[str]) -> Methods:  # noqa: PLR0911  (a table)
    if kind == "AuditEvent":
        return _of_audit(rest)
    match rest:
        case []:
            return {
                "GET": Address("search-type", kind),
                "POST": Address("create", kind),
                "PUT": Address("update", kind),
                "PATCH": Address("patch", kind),
                "DELETE": Address("delete", kind),
            }
        case ["_search"]:
            return {"POST": Address("search-type", kind)}
        case ["_history"]:
            return {"GET": Address("history-type", kind)}
        case [operation] if operation.startswith("$"):
            return _operation(Address("operation", kind, operation=operation[1:]))
        case [id_, *deeper] if FHIR_ID.fullmatch(id_):
            return _of_instance(kind, id_, deeper)
        case [_]:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                error("value", "an id has 1 to 64 letters, digits, '-' and '.'", f"{kind}.id"),
            )
    return {}


def _of_audit(rest: list[str]) -> Methods:
    """The audit is read and searched; nobody writes it but the house itself, and it has no versions."""
    match rest:
        case []:
            return {"GET": Address("search-audit", "AuditEvent")}
        case ["_search"]:
            return {"POST": Address("search-audit", "AuditEvent")}
        case [operation] if operation.startswith("$"):
            return _operation(Address("operation", "AuditEvent", operation=operation[1:]))
        case [id_] if FHIR_ID.fullmatch(id_):
            return {"GET": Address("read-audit", "AuditEvent", id_)}
    return {}


def _of_instance(kind: str, id_: str, rest: list[str]) -> Methods:
    known: Methods = {}
    match rest:
        case []:
            known = {
                "GET": Address("read", kind, id_),
                "PUT": Address("update", kind, id_),
                "PATCH": Address("patch", kind, id_),
                "DELETE": Address("delete", kind, id_),
            }
        case ["_history"]:
            known = {"GET": Address("history-instance", kind, id_)}
        case ["_history", version]:
            known = {"GET": Address("vread", kind, id_, version)}
        case [operation] if operation.startswith("$"):
            known = _operation(Address("operation", kind, id_, operation=operation[1:]))
        case [member] if kind in fhir.compartments():
            known = {"GET": _compartment(kind, id_, member)}
        case [member, "_search"] if kind in fhir.compartments():
            known = {"POST": _compartment(kind, id_, member)}
    return known


def _compartment(kind: str, id_: str, member: str) -> Address:
    """hl7.org/fhir/R4/search.html#vsearch, compartments; `*` stands for every type."""
    if member == "AuditEvent":
        return Address("search-audit", "AuditEvent", id_, compartment=kind)
    return Address("search-compartment", "" if member == "*" else _resource_type(member), id_, compartment=kind)


def _operation(address: Address) -> Methods:
    return {"GET": address, "POST": address}


def _resource_type(name: str) -> str:
    if name in fhir.resource_types():
        return name
    raise Refusal(HTTPStatus.NOT_FOUND, error("not-supported", f"R4 has no resource type {name[:64]}"))
