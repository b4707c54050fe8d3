"""Reading the operations of a FHIRPath Patch from its Parameters (hl7.org/fhir/R4/fhirpatch.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.fhir.patch.documents import MOST_OPERATIONS
from domain.errors import Invalid

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "add": ("path", "name", "value"),
    "insert": ("path", "index", "value"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}
_KINDS: Final = {"type": str, "path": str, "name": str, "index": int, "source": int, "destination": int}


@dataclass(frozen=True, slots=True)
class Operation:
    """`parts` by name, `value` aside; `value` is its part of the Parameters; `field` points at the operation."""

    type: str
    path: str
    parts: Mapping[str, Any]
    value: Mapping[str, Any]
    field: str

    def at(self, name: str) -> str:
        """The pointer of one of its parts."""
        return f"{self.field}/part/{self.parts[f'#{name}']}"


def operations(parameters: Any) -> Iterator[Operation]:
    """Raises Invalid for what is no FHIRPath Patch; `field` says where."""
    if not isinstance(parameters, dict) or parameters.get("resourceType") != "Parameters":
        raise Invalid("a FHIRPath Patch is a Parameters resource", field="")
    listed = parameters.get("parameter", [])
    if not isinstance(listed, list):
        raise Invalid("`parameter` is an array", field="/parameter")
    if len(listed) > MOST_OPERATIONS:
        raise Invalid(f"more than {MOST_OPERATIONS} operations", field=f"/parameter/{MOST_OPERATIONS}")
    for number, each in enumerate(listed):
        yield _operation(each, f"/parameter/{number}")


def _operation(parameter: Any, field: str) -> Operation:
    if not isinstance(parameter, dict) or parameter.get("name") != "operation":
        raise Invalid("each parameter is named `operation`", field=field)
    listed = parameter.get("part")
    if not isinstance(listed, list):
        raise Invalid("an operation has parts", field=field)
    parts: dict[str, Any] = {}
    value: Mapping[str, Any] = {}
    for number, part in enumerate(listed):
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str) or (name not in _KINDS and name != "value"):
            raise Invalid("a part that an operation does not have", field=f"{field}/part/{number}")
        if f"#{name}" in parts:
            raise Invalid(f"`{name}` is there twice", field=f"{field}/part/{number}")
        parts[f"#{name}"] = number
        if name == "value":
            value = part
        else:
            parts[name] = _simple(part, name, f"{field}/part/{number}")
    kind = str(parts.get("type"))
    if kind not in _NEEDS:
        raise Invalid(f"`type` is one of {', '.join(_NEEDS)}", field=field)
    for name in _NEEDS[kind]:
        if f"#{name}" not in parts:
            raise Invalid(f"{kind} needs `{name}`", field=field)
    return Operation(kind, parts["path"], parts, value, field)


def _simple(part: Mapping[str, Any], name: str, field: str) -> str | int:
    value = next((each for key, each in part.items() if key.startswith("value")), None)
    if isinstance(value, str) and _KINDS[name] is str:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0 and _KINDS[name] is int:
        return value
    raise Invalid(f"`{name}` has the wrong type of value", field=field)
