"""Entries of a Bundle that asks: each an interaction of its own (hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from api.fhir import bundles
from api.fhir.conditional import criteria_of, named_by
from api.fhir.exchange import Address, Answer, Call
from api.fhir.outcome import Refusal, face
from api.fhir.routing import address_of
from api.fhir.text import Json, parse, write
from domain.errors import Invalid

MOST = 5000

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_CONDITIONS = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifModifiedSince": "if-modified-since",
    "ifNoneExist": "if-none-exist",
}


@dataclass(slots=True)
class Entry:
    """What one entry asks for. `where`: FHIRPath to it.  head: by HEAD, so that no resource is answered."""

    where: str
    full_url: str
    address: Address
    params: list[tuple[str, str]]
    headers: dict[str, str]
    resource: Json | None
    head: bool = False

    def call(self, of: Call) -> Call:
        """The entry as a call of its own."""
        made = Call(of.state, of.asker, of.base, self.address, of.real, self.params, dict(self.headers), of.preference)
        made.resource = self.resource
        if self.resource is not None:
            made.body = _patch_of(self, made) if self.address.interaction == "patch" else write(self.resource)
        return made


def raw_entries(bundle: Mapping[str, Any]) -> list[Any]:
    """Raises Invalid for what is no list, Refusal for more than MOST."""
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        raise Invalid("entry is a list", field="/entry")
    if len(listed) > MOST:
        said: Json = {"severity": "error", "code": "too-costly", "diagnostics": f"a Bundle has at most {MOST} entries"}
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said | {"expression": ["Bundle.entry"]})
    return listed


def entry_of(raw: Any, index: int, base: str) -> Entry:
    """Raises Invalid or Refusal, saying where."""
    where = f"Bundle.entry[{index}]"
    if not isinstance(raw, dict) or not isinstance(request := raw.get("request"), dict):
        raise Invalid("an entry needs a request", expression=f"{where}.request")
    method, url = request.get("method"), request.get("url")
    if method not in _METHODS:
        raise Invalid("a method is GET, HEAD, POST, PUT, PATCH or DELETE", expression=f"{where}.request.method")
    if not isinstance(url, str):
        raise Invalid("a request needs a url", expression=f"{where}.request.url")
    full_url, resource = raw.get("fullUrl", ""), raw.get("resource")
    if not isinstance(full_url, str):
        raise Invalid("fullUrl is a uri", expression=f"{where}.fullUrl")
    if resource is not None and not isinstance(resource, dict):
        raise Invalid("a resource is an object", expression=f"{where}.resource")
    path, _, query = url.removeprefix(base).strip("/").partition("?")
    address = address_of(method, [part for part in path.split("/") if part])
    if address.interaction in {"batch", "capabilities", "process-message"}:
        raise Invalid("an entry cannot ask for this", expression=f"{where}.request.url")
    headers = {}
    for name, header in _CONDITIONS.items():
        if name in request:
            if not isinstance(request[name], str):
                raise Invalid(f"{name} is a string", expression=f"{where}.request.{name}")
            headers[header] = request[name]
    params = criteria_of(query, f"{where}.request.url") if query else []
    if address.interaction == "create" and named_by(params):
        headers.setdefault("if-none-exist", query)
    return Entry(where, full_url, address, params, headers, resource, head=method == "HEAD")


def within(failed: Exception, entry: str) -> Refusal:
    """A refusal of one entry, with places that begin at the Bundle."""
    refusal = face(failed)
    issues = [_placed(issue, entry) for issue in refusal.issues]
    return Refusal(refusal.status, *issues)


def answered(answer: Answer, *, show: bool) -> bytes:
    """The answer as an entry of the Bundle that answers. `show`: with the resource, where there is one."""
    response: Json = {"status": f"{answer.status} {HTTPStatus(answer.status).phrase}"}
    if answer.location is not None:
        response["location"] = answer.location
    if answer.etag is not None:
        response["etag"] = f'W/"{answer.etag}"'
    if answer.last_modified is not None:
        response["lastModified"] = bundles.instant(answer.last_modified)
    if answer.outcome is not None:
        response["outcome"] = answer.outcome
    return bundles.entry(resource=answer.body if show else b"", response=response)


def _placed(issue: Json, entry: str) -> Json:
    said = issue.get("expression", [""])[0]
    if said.startswith("Bundle."):
        where = said
    elif said.startswith("http."):
        where = f"{entry}.request"
    else:
        inner = said.partition(".")[2] if said[:1].isupper() else said
        where = ".".join(part for part in (entry, "resource" if said else "", inner) if part)
    return issue | {"expression": [where], "location": [where]}


def _patch_of(entry: Entry, call: Call) -> bytes:
    """A JSON Patch comes in a Binary (hl7.org/fhir/R4/http.html#jsonpatch), a FHIRPath Patch as Parameters."""
    resource = entry.resource or {}
    if resource.get("resourceType") != "Binary":
        return write(resource)
    call.headers = {**call.headers, "content-type": str(resource.get("contentType", ""))}
    try:
        data = base64.b64decode(str(resource.get("data", "")), validate=True)
    except binascii.Error:
        raise Invalid("data is not base64", expression=f"{entry.where}.resource.data") from None
    parse(data)
    return data
