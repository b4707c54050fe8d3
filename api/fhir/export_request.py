"""What an export is asked for: parameters of the address, or of a Parameters resource, as a value that can be kept.

hl7.org/fhir/uv/bulkdata/export.html#query-parameters. What cannot be done is refused, because leaving a parameter out
would give out more than was asked for; with `Prefer: handling=lenient` it is left out, and an OperationOutcome says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel

from api.fhir import bundles
from api.fhir.exchange import Call
from api.fhir.outcome import Refusal, error
from api.fhir.veil import refuse_hidden
from api.fhir.versions import time_of
from domain import fhir
from domain.errors import Invalid
from domain.ids import Reference
from domain.roles import Role
from rules.scopes import EVERY_TYPE
from store.search import Query, parse_query

NDJSON = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})

LONGEST_REASON = 400

_KNOWN = frozenset({"_outputFormat", "_since", "_type", "_elements", "_typeFilter", "patient"})
_PRESENTATION = frozenset({"_format", "_pretty"})
_BETWEEN_FILTERS = re.compile(r",(?=[A-Z][A-Za-z]{1,63}\?)")
_ELEMENT = re.compile(r"(?:([A-Z][A-Za-z]{1,63})\.)?[A-Za-z][A-Za-z0-9]{0,63}")

Level = Literal["system", "patient", "group"]


class Asked(BaseModel, frozen=True):
    """An export as it was asked for, and who may see what of it.

    types: in the order of the files.  patients: None for all.  seen: the snapshot of an earlier export at `since`.
    filters: a type and its search each; of several for one type any is enough.  letters: what scopes and roles allowed,
    by type.  person: whose reach counts, too.  reason: as it was given.
    """

    base: str
    url: str
    level: Level
    types: tuple[str, ...]
    since: datetime | None = None
    seen: str | None = None
    elements: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    patients: tuple[Reference, ...] | None = None
    person: bool = False
    roles: tuple[Role, ...] = ()
    letters: dict[str, str] = {}
    reason: str = ""

    def elements_of(self, kind: str) -> tuple[str, ...]:
        """The elements that were asked for of a type; none for all of them."""
        return tuple(name for name in self.elements if "." not in name or name.startswith(f"{kind}."))


class Given:
    """Parameters by name, whichever way they came, and what was left out."""

    def __init__(self, call: Call) -> None:
        self._lenient = call.preference.lenient
        self.ignored: list[str] = []
        self._values: dict[str, list[str]] = {}
        for name, value in (*_of_body(call), *call.params):
            if name in _KNOWN:
                self._values.setdefault(name, []).append(value)
            elif name not in _PRESENTATION:
                self.leave_out(f"the parameter {name[:64]} is not supported", name[:64])

    def leave_out(self, sentence: str, name: str) -> None:
        """Raises Invalid, unless the client is content without it."""
        if not self._lenient:
            raise Invalid(sentence, field=name)
        self.ignored.append(sentence)

    def one(self, name: str) -> str | None:
        values = self._values.get(name, [])
        if len(values) > 1:
            raise Invalid(f"{name} is given once", field=name)
        return values[0] if values else None

    def listed(self, name: str) -> list[str]:
        """Values between commas, each once."""
        parts = (part.strip() for value in self._values.get(name, []) for part in value.split(","))
        return list(dict.fromkeys(part for part in parts if part))

    def repeated(self, name: str) -> list[str]:
        return self._values.get(name, [])


def asked_of(call: Call, given: Given, level: Level) -> Asked:
    """Everything but patients and the earlier snapshot, which stand in the database. Raises Invalid, Forbidden."""
    format_ = given.one("_outputFormat")
    if format_ is not None and format_.replace(" ", "+") not in NDJSON:
        raise Invalid("the output is application/fhir+ndjson", field="_outputFormat")
    since = given.one("_since")
    types = _types(call, given, level)
    return Asked(
        base=call.base,
        url=call.url or bundles.address(call, call.params),
        level=level,
        types=types,
        since=time_of(since, "_since")[0] if since else None,
        elements=_elements(given),
        filters=_filters(call, given, types),
        person=call.asker.rights is not None,
        roles=tuple(sorted(call.asker.caller.roles)),
        letters={name: "".join(sorted(letters)) for name, letters in call.asker.grants.by_type.items()},
        reason=reason_of(call),
    )


def reason_of(call: Call) -> str:
    """Header `Phis-Reason`, percent-encoded UTF-8. A person gives one, a system need not. Raises Refusal, Invalid."""
    reason = unquote(call.headers.get("phis-reason", ""), errors="replace").strip()
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Invalid(f"a reason is a line of at most {LONGEST_REASON} characters", field="http.Phis-Reason")
    if not reason and call.asker.rights is not None:
        raise Refusal(400, error("required", "a person says why, in the header Phis-Reason", "http.Phis-Reason"))
    return reason


def parsed_filter(kind: str, text: str, base: str, now: datetime) -> Query:
    """A `_typeFilter` as a search. Raises Invalid for parameters that are unknown or say how a result looks."""
    query = parse_query(
        kind, parse_qsl(text, keep_blank_values=True, max_num_fields=60), strict=True, base=base, now=now
    )
    about_results = (query.sort, query.includes, query.revincludes, query.elements, query.cursor, query.total)
    if any(about_results) or query.summary is not None or query.count is not None:
        raise Invalid("a filter says which resources, not how they are shown", field="_typeFilter")
    return query


def types_allowed(call: Call) -> frozenset[str]:
    """Types that the caller may both read and search."""
    grants = call.asker.grants
    named = fhir.resource_types() if EVERY_TYPE in grants.by_type else grants.by_type.keys()
    return frozenset(name for name in named if grants.allow("r", name) and grants.allow("s", name))


def _types(call: Call, given: Given, level: Level) -> tuple[str, ...]:
    named, allowed = given.listed("_type"), types_allowed(call) & fhir.resource_types()
    about = fhir.resource_types() if level == "system" else patient_types()
    for name in named:
        if name not in fhir.resource_types():
            given.leave_out(f"R4 has no resource type {name[:64]}", "_type")
        elif name not in about:
            given.leave_out(f"{name} is not part of a patient's compartment", "_type")
        else:
            call.require("r", name)
            call.require("s", name)
    wanted = tuple(sorted(set(named) & about if named else about & allowed))
    if not wanted and not named:
        call.require("s", EVERY_TYPE)
    if not wanted:
        raise Invalid("there is no type left to export", field="_type")
    return wanted


def patient_types() -> frozenset[str]:
    """Types that stand in a patient's compartment, the patient among them."""
    return frozenset(
        name for name in fhir.resource_types() if name == "Patient" or any(fhir.compartment("Patient", name))
    )


def _elements(given: Given) -> tuple[str, ...]:
    found = given.listed("_elements")
    for name in found:
        match = _ELEMENT.fullmatch(name)
        if match is None or (match[1] and match[1] not in fhir.resource_types()):
            raise Invalid("_elements names elements, as in status or Patient.name", field="_elements")
    return tuple(found)


def _filters(call: Call, given: Given, types: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = []
    for text in (part for value in given.repeated("_typeFilter") for part in _BETWEEN_FILTERS.split(value)):
        kind, _, search = text.partition("?")
        if kind not in types or not search:
            raise Invalid("a filter reads Type?search, and its type is exported", field="_typeFilter")
        try:
            refuse_hidden(call, parsed_filter(kind, search, call.base, call.now))
        except Invalid as wrong:
            given.leave_out(f"{kind}: {wrong}", "_typeFilter")
        except ValueError:
            raise Invalid("a filter is a search as in an address", field="_typeFilter") from None
        else:
            found.append((kind, search))
    return tuple(found)


def _of_body(call: Call) -> list[tuple[str, str]]:
    """Parameters of the body (hl7.org/fhir/R4/parameters.html). Raises Invalid for another resource."""
    if call.resource is None:
        return []
    if call.resource.get("resourceType") != "Parameters" or not isinstance(call.resource.get("parameter", []), list):
        raise Invalid("the body is a Parameters resource", field="")
    found = []
    for index, each in enumerate(call.resource.get("parameter", [])):
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise Invalid("a parameter has a name", field=f"Parameters.parameter[{index}]")
        found.append((each["name"], _value(each, index)))
    return found


def _value(parameter: Mapping[str, Any], index: int) -> str:
    values = [value for name, value in parameter.items() if name.startswith("value")]
    if len(values) == 1 and isinstance(values[0], dict):
        values = [values[0].get("reference")]
    if len(values) != 1 or not isinstance(values[0], str):
        raise Invalid("a parameter has one value, a text or a reference", field=f"Parameters.parameter[{index}]")
    return values[0]
