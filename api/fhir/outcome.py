"""Refusals and failures as OperationOutcome (hl7.org/fhir/R4/operationoutcome.html).

The sentences are English and for programmers; codes and places are for programs. What nobody expected says a number
that leads to the log, and nothing else.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from http import HTTPStatus
from uuid import uuid4

import structlog

from api.fhir.text import Json, write
from domain import errors
from domain.errors import PhisError
from domain.resident_numbers import masked_text

log = structlog.get_logger(__name__)


class Refusal(Exception):
    """What HTTP itself refuses, or several issues at once. `issues` are those of an OperationOutcome."""

    def __init__(self, status: int, *issues: Json, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(issues[0].get("diagnostics", "") if issues else "")
        self.status = status
        self.issues = issues
        self.headers = tuple(headers)


_FACES: dict[type[PhisError], tuple[int, str]] = {
    errors.Invalid: (HTTPStatus.BAD_REQUEST, "invalid"),
    errors.NotSignedIn: (HTTPStatus.UNAUTHORIZED, "login"),
    errors.Forbidden: (HTTPStatus.FORBIDDEN, "forbidden"),
    errors.ProofNeeded: (HTTPStatus.UNAUTHORIZED, "login"),
    errors.TooManyAttempts: (HTTPStatus.TOO_MANY_REQUESTS, "throttled"),
    errors.NotFound: (HTTPStatus.NOT_FOUND, "not-found"),
    errors.Deleted: (HTTPStatus.GONE, "deleted"),
    errors.StaleRevision: (HTTPStatus.PRECONDITION_FAILED, "conflict"),
    errors.MultipleMatches: (HTTPStatus.PRECONDITION_FAILED, "multiple-matches"),
    errors.ProcessOwned: (HTTPStatus.CONFLICT, "business-rule"),
    errors.Conflict: (HTTPStatus.CONFLICT, "conflict"),
    errors.TooCostly: (HTTPStatus.BAD_REQUEST, "too-costly"),
    errors.Refused: (HTTPStatus.CONFLICT, "business-rule"),
    errors.Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "transient"),
}
"""Error → status and code of hl7.org/fhir/R4/valueset-issue-type.html; the nearest ancestor counts."""

_POINTER = re.compile(r"/(\d+)(?=/|$)")


def issue(severity: str, code: str, diagnostics: str, expression: str = "") -> Json:
    """One issue. `expression`: FHIRPath to the element, or a parameter's name after `http.`."""
    # What was wrong is often quoted.
    said: Json = {"severity": severity, "code": code, "diagnostics": masked_text(diagnostics)}
    if expression:
        said["expression"] = [expression]
        # R4 servers still say `location` for XPath; clients of older releases read it.
        said["location"] = [expression]
    return said


def error(code: str, diagnostics: str, expression: str = "") -> Json:
    return issue("error", code, diagnostics, expression)


def outcome(issues: Iterable[Json]) -> Json:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def all_well(diagnostics: str) -> Json:
    return outcome([issue("information", "informational", diagnostics)])


def face(failed: Exception, resource_type: str = "") -> Refusal:
    """Any exception as status and issues; one that nobody expected goes to the log."""
    if isinstance(failed, Refusal):
        return failed
    if isinstance(failed, errors.Misconfigured):
        return _misconfigured(failed)
    if not isinstance(failed, PhisError):
        return _unexpected(failed)
    found = next((_FACES[kind] for kind in type(failed).__mro__ if kind in _FACES), None)
    if found is None:
        return _unexpected(failed)
    status, code = found
    headers = [(b"retry-after", b"5")] if status == HTTPStatus.SERVICE_UNAVAILABLE else []
    if status == HTTPStatus.UNAUTHORIZED:
        headers = [(b"www-authenticate", b"Bearer")]
    said = f"{failed}: {failed.params['command']}" if "command" in failed.params else str(failed)
    return Refusal(status, error(code, said, expression_of(failed.params, resource_type)), headers=headers)


def expression_of(params: dict[str, str], resource_type: str) -> str:
    """Where it is: a JSON Pointer becomes FHIRPath (`/name/0/given` → `Patient.name[0].given`), a name stays one."""
    if "elements" in params:
        kind = params.get("reference", resource_type).partition("/")[0]
        return " | ".join(f"{kind}.{name}" for name in params["elements"].split(","))
    where = params.get("expression") or params.get("field", "")
    if where.startswith("/"):
        return (resource_type + _POINTER.sub(r"[\1]", where).replace("/", ".")).lstrip(".")
    return where


def rendered(refusal: Refusal) -> bytes:
    return write(outcome(refusal.issues))


def _misconfigured(failed: errors.Misconfigured) -> Refusal:
    """Its sentence is for those who run the house: the log has it, and a caller is told whom to ask."""
    log_id = uuid4().hex[:12]
    log.error("a request met a set-up that cannot work", hint=str(failed), log_id=log_id, route="/fhir")
    said = f"this server is not set up as it must be; those who run it find what to do in its log under {log_id}"
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, issue("fatal", "exception", said))


def _unexpected(failed: Exception) -> Refusal:
    log_id = uuid4().hex[:12]
    # The message of an exception may hold what it choked on, so only its type and the lines it passed are kept.
    frames = traceback.extract_tb(failed.__traceback__)[-12:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("request failed", error=type(failed).__name__, log_id=log_id, route="/fhir", where=where)
    said = f"something went wrong on our side; the log knows it as {log_id}"
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, issue("fatal", "exception", said))
