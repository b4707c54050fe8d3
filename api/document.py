"""The OpenAPI document of the commands, made whole: who may ask, and how every refusal looks (RFC 9457).

FastAPI writes down what a route takes and gives when all is well. What can go wrong stands in one place of ours
(`api/problems.py`), so it is added here for all routes at once, and so that a client generated from it is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from api.deps import Policy

Json = dict[str, Any]

_MEDIA_TYPE = "application/problem+json"
_BEARER = "bearer"

_EVERYWHERE = (HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, 503)
_BESIDE_A_POLICY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_NAMED_BADLY = (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
_OF_A_CHANGE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)

_STRINGS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "code", "advice"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:phis:problem:"},
        "title": {"type": "string", "minLength": 1},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "pattern": "^[a-z0-9-]+$"},
        "advice": {"type": "string"},
        "detail": {"type": "string"},
        "params": _STRINGS,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
_KEPT: Json = {
    "type": "object",
    "required": ["state", "status"],
    "properties": {"state": {"enum": ["received", "sent"]}, "status": {"type": "string", "format": "uri-reference"}},
}


def completed(document: Json, routes: Sequence[BaseRoute]) -> Json:
    """`document` with the refusals of each operation, the token that it wants, and 202 of what is kept."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"] = _PROBLEM
    schemas["Kept"] = _KEPT
    components["responses"] = {
        "Refusal": {
            "description": "A refusal (RFC 9457)",
            "content": {_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
        "Kept": {
            "description": "Kept, goes on by itself",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Kept"}}},
        },
    }
    components["securitySchemes"] = {_BEARER: {"type": "http", "scheme": "bearer"}}
    for method, path, route in _described(routes):
        _complete(document["paths"][path][method], method, route)
    return document


def _described(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, str, APIRoute]]:
    for context in iter_route_contexts(routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema and context.path_format is not None:
            for method in context.methods or ():
                yield method.lower(), context.path_format, route


def _complete(operation: Json, method: str, route: APIRoute) -> None:
    refused = set[int](_EVERYWHERE)
    refused.add(HTTPStatus.UNPROCESSABLE_ENTITY)  # a parameter that nobody knows
    if _has_policy(route.dependant):
        operation["security"] = [{_BEARER: []}]
        refused.update(_BESIDE_A_POLICY)
    if method != "get":
        refused.update(_OF_A_CHANGE)
    if operation.get("parameters"):
        refused.update(_NAMED_BADLY)
    answers = operation["responses"]
    own = route.responses.get(HTTPStatus.UNPROCESSABLE_ENTITY)
    answers.pop("422", None)
    if own is not None:  # what is wrong, row by row, beside the refusals that every route has
        ways = {**own["content"], _MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers["422"] = {"description": own["description"], "content": ways}
    for status in sorted(refused):
        answers.setdefault(str(int(status)), {"$ref": "#/components/responses/Refusal"})
    if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ())):
        answers["202"] = {"$ref": "#/components/responses/Kept"}


def _has_policy(dependant: Dependant) -> bool:
    return isinstance(dependant.call, Policy) or any(_has_policy(each) for each in dependant.dependencies)
