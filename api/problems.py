"""Every refusal and failure over HTTP: problem+json (RFC 9457) for clients, a page or a partial for screens."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api import refusals
from api.denials import denied
from api.refusals import Refusal, Shown
from api.state import state_of
from api.ui import pages, step_up
from api.ui.language import language_of
from api.ui.words import Language, words
from domain.errors import (
    Forbidden,
    NotSignedIn,
    OutOfReach,
    PhisError,
    ProofNeeded,
    Refused,
    TooManyAttempts,
    Unavailable,
)
from domain.ids import FHIR_ID, Reference
from domain.resident_numbers import masked_text

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

_NO_STORE = {"Cache-Control": "no-store"}


def register(app: FastAPI) -> None:
    """Give every kind of failure its face."""
    app.add_exception_handler(PhisError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def wants_json(request: Request) -> bool:
    """Screens are what a browser asks for outside `/commands`; everything else is a client."""
    if request.url.path.startswith("/commands"):
        return True
    return "text/html" not in request.headers.get("accept", "") and "hx-request" not in request.headers


def render(error: PhisError, language: str) -> dict[str, Any]:
    """An error of the domain as the content of a problem document."""
    refusal = refusals.refusal_of(error, Shown(words(Language(language))))
    found = [{"field": error.params["field"], "message": str(error)}] if "field" in error.params else []
    return document(refusal, params=error.params, errors=found)


def document(
    refusal: Refusal, *, params: Mapping[str, str] | None = None, errors: Sequence[Any] = ()
) -> dict[str, Any]:
    """RFC 9457. `code` and `params` are for programs and stable; title, detail and advice are for people."""
    body: dict[str, Any] = {
        "type": f"urn:phis:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "advice": refusal.advice,
    }
    if refusal.detail:
        body["detail"] = masked_text(refusal.detail)
    if params:
        body["params"] = dict(params)
    if errors:
        body["errors"] = list(errors)
    return body


def _answer(body: Mapping[str, Any]) -> JSONResponse:
    status = int(body["status"])
    return JSONResponse(body, status, media_type=MEDIA_TYPE, headers=_headers(status))


def _headers(status: int) -> dict[str, str]:
    headers = dict(_NO_STORE)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return headers


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, PhisError)  # noqa: S101 - registered for this type alone
    if not isinstance(error, Refused | Unavailable):
        _log(error, log_id=None, request=request)
    caller = pages.caller_of(request)
    if isinstance(error, Forbidden | OutOfReach) and caller is not None:
        route = getattr(request.scope.get("route"), "path", "")
        what = error.params.get("action", route)
        patients = [Reference(error.params["patient"])] if "patient" in error.params else []
        await denied(state_of(request), caller, what, entities=_tried(request), patients=patients)
    if wants_json(request):
        answer: Response = _answer(render(error, language_of(request)))
    elif isinstance(error, OutOfReach) and caller is not None and (door := pages.door_of(request, caller, error)):
        answer = door
    elif isinstance(error, NotSignedIn):
        answer = pages.sign_in_first(request)
    elif isinstance(error, ProofNeeded):
        answer = await step_up.prove_first(request)
    else:
        answer = await pages.refused(request, error)
    if isinstance(error, TooManyAttempts):
        answer.headers["Retry-After"] = error.params.get("seconds", "60")
    return answer


def _tried(request: Request) -> list[Reference]:
    """What the address names: whose record somebody tried to reach is what the audit of a refusal is for."""
    kinds = {"task_id": "Task", "encounter_id": "Encounter", "patient_id": "Patient"}
    named = {kinds[name]: value for name, value in request.path_params.items() if name in kinds}
    return [Reference.to(kind, id_) for kind, id_ in named.items() if FHIR_ID.fullmatch(id_)]


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    language = words(language_of(request))
    # pydantic repeats the value that was sent, which may be a name: only where and why leave the house.
    found = [{"field": _pointer(one["loc"]), "message": str(one["msg"]), "kind": one["type"]} for one in error.errors()]
    readable = not any(one["kind"] == "json_invalid" for one in found)
    wrong = [(one["field"], one["kind"]) for one in found]
    refusal = refusals.invalid(language, wrong) if readable else refusals.http_refusal(HTTPStatus.BAD_REQUEST, language)
    if wants_json(request):
        shown = [{"field": one["field"], "message": one["message"]} for one in found]
        return _answer(document(refusal, errors=shown))
    return pages.message(request, refusal)


def _pointer(loc: Sequence[int | str]) -> str:
    """A JSON Pointer into the body, or the name of a header or parameter."""
    where, *path = loc
    if where == "body":
        return "/" + "/".join(str(step) for step in path) if path and not isinstance(path[0], int) else ""
    return str(path[-1]) if path else str(where)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    refusal = refusals.http_refusal(error.status_code, words(language_of(request)))
    answer = _answer(document(refusal)) if wants_json(request) else pages.message(request, refusal)
    answer.headers.update(error.headers or {})
    return answer


async def face(request: Request, error: Unavailable | HTTPException) -> Response:
    """The answer to what is refused before any route is asked."""
    return await (_refused if isinstance(error, PhisError) else _http)(request, error)


def unexpected(request: Request, error: Exception) -> Response:
    """500 without a word about the cause; the log has its type and where, under the number shown."""
    log_id = uuid4().hex[:12]
    _log(error, log_id=log_id, request=request)
    refusal = refusals.broken(words(language_of(request)), log_id)
    return _answer(document(refusal)) if wants_json(request) else pages.message(request, refusal)


def _log(error: Exception, *, log_id: str | None, request: Request) -> None:
    # The message of an exception may hold what it choked on, so only its type and the lines it passed are kept.
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    route = getattr(request.scope.get("route"), "path", None)
    log.error("request failed", error=type(error).__name__, log_id=log_id, route=route, where=where)
