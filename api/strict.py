"""Fields that a route does not know are refused: a sender would believe that they had an effect.

Bodies of commands say so themselves (`api/commands/shapes.py`). Of forms and addresses, FastAPI takes what a route
declares and passes over the rest; here the rest is looked at, for every route at one place. So is U+0000, the one
character that PostgreSQL keeps in no text.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from domain.errors import Invalid

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_EVERY_FORM = frozenset({"csrf"})
_NOTHING = frozenset({b"", b"{}", b"null"})


def refuse_unknown_parameters(request: Request) -> None:
    """Raises Invalid for a parameter of an address that holds U+0000; of a command's, for one unknown or given twice.

    Pages are lenient: what somebody else's link adds to their address does no harm.
    """
    given = request.query_params.multi_items()
    for name, value in given:
        _refuse_nul(name, value)
    route = request.scope.get("route")
    if not given or not isinstance(route, APIRoute) or not request.url.path.startswith("/commands"):
        return
    known = {parameter.alias for parameter in route.dependant.query_params}
    for name, _ in given:
        if name not in known:
            raise Invalid("the address has no such parameter", field=name[:64])
        known.discard(name)  # none is a list: a second one would be passed over


async def refuse_unknown_fields(request: Request) -> None:
    """Raises Invalid, naming a field of a form that the route does not know, or for a body where none is read."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = fields_of(route)
    if request.headers.get("content-type", "").lower().startswith(_FORMS):
        form = await request.form()
        unknown = sorted(set(form) - known - _EVERY_FORM)
        if unknown:
            raise Invalid("the form has no such field", field=f"/{unknown[0][:64]}")
        for name, value in form.multi_items():
            _refuse_nul(f"/{name}", value)
    elif not known and (await request.body()).strip() not in _NOTHING:
        raise Invalid("nothing is read of a body here", field="")


def _refuse_nul(name: str, value: object) -> None:
    if "\0" in name or (isinstance(value, str) and "\0" in value):
        raise Invalid("a text holds a character (U+0000) that no text can hold", field=name.replace("\0", "")[:64])


def fields_of(route: APIRoute) -> frozenset[str]:
    """Names that the body of a route may have; those of a model that a form fills are its fields."""
    names = set[str]()
    for parameter in route.dependant.body_params:
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {field.alias or name for name, field in kind.model_fields.items()}
        else:
            names.add(parameter.alias)
    return frozenset(names)
