"""Fields that a route does not know are refused: a sender would believe that they had an effect.

Bodies of commands say so themselves (`api/commands/shapes.py`). Of forms, FastAPI takes what a route declares and
passes over the rest; here the rest is looked at, for every route at one place.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from domain.errors import Invalid

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_EVERY_FORM = frozenset({"csrf"})
_NOTHING = frozenset({b"", b"{}", b"null"})


async def refuse_unknown_fields(request: Request) -> None:
    """Raises Invalid, naming a field of a form that the route does not know, or for a body where none is read."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = _fields(route)
    if request.headers.get("content-type", "").lower().startswith(_FORMS):
        unknown = sorted(set(await request.form()) - known - _EVERY_FORM)
        if unknown:
            raise Invalid("the form has no such field", field=f"/{unknown[0][:64]}")
    elif not known and (await request.body()).strip() not in _NOTHING:
        raise Invalid("nothing is read of a body here", field="")


def _fields(route: APIRoute) -> frozenset[str]:
    """Names that the body of a route may have; those of a model that a form fills are its fields."""
    names = set[str]()
    for parameter in route.dependant.body_params:
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {field.alias or name for name, field in kind.model_fields.items()}
        else:
            names.add(parameter.alias)
    return frozenset(names)
