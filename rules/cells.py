"""One condition on one fact, as a cell of a table or a leaf of a tree: written by people, compiled to JSONLogic.

A cell that is nothing means "whatever it is". It comes back from its JSONLogic as it was.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt, model_validator

from rules.facts import Part
from rules.malformed import wrong

Scalar = StrictBool | StrictInt | StrictFloat | str

_BOUNDS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}


class Cell(Part):
    """Exactly one kind of condition, and `present` on its own or before it.

    above, at_least, below, at_most: one bound, or a lower and an upper one.  is_in, not_in: one of several values.
    has_any, has_none: of a fact that is a list of codes.  present: whether there is a value at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    equals: Scalar | None = Field(None, alias="is")
    above: Scalar | None = None
    at_least: Scalar | None = None
    below: Scalar | None = None
    at_most: Scalar | None = None
    is_in: tuple[Scalar, ...] | None = Field(None, alias="in")
    not_in: tuple[Scalar, ...] | None = None
    has_any: tuple[str, ...] | None = None
    has_none: tuple[str, ...] | None = None
    present: bool | None = None

    @property
    def bounds(self) -> dict[str, Scalar]:
        """Operator → bound, the lower one first."""
        return {sign: value for name, sign in _BOUNDS.items() if (value := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def _is_one_condition(self) -> Self:
        others = [self.equals, self.is_in, self.not_in, self.has_any, self.has_none]
        kinds = sum(condition is not None for condition in others) + bool(self.bounds)
        if kinds > 1 or (kinds == 0 and self.present is None):
            raise wrong("cell-conditions")
        if self.present is False and kinds:
            raise wrong("cell-absent")
        if (self.above is not None and self.at_least is not None) or (
            self.below is not None and self.at_most is not None
        ):
            raise wrong("cell-bounds")
        if any(values == () for values in others):
            raise wrong("cell-empty")
        return self

    def spelled(self) -> dict[str, Any]:
        """As it is written in a document."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def compile_cell(path: str, cell: Cell) -> Any:
    """The cell as one JSONLogic condition on the fact at `path`."""
    fact = {"var": path}
    conditions: list[Any] = []
    if cell.present is not None:
        exists = {"exists": path.split(".")}
        conditions.append(exists if cell.present else {"!": [exists]})
    if cell.equals is not None:
        conditions.append({"==": [fact, cell.equals]})
    conditions.extend({sign: [fact, bound]} for sign, bound in cell.bounds.items())
    if cell.is_in is not None:
        conditions.append({"in": [fact, list(cell.is_in)]})
    if cell.not_in is not None:
        conditions.append({"!": [{"in": [fact, list(cell.not_in)]}]})
    if cell.has_any is not None:
        conditions.append({"some": [fact, {"in": [{"var": ""}, list(cell.has_any)]}]})
    if cell.has_none is not None:
        conditions.append({"none": [fact, {"in": [{"var": ""}, list(cell.has_none)]}]})
    return conditions[0] if len(conditions) == 1 else {"and": conditions}


def decompile_cell(logic: Any) -> tuple[str, Cell] | None:
    """The fact and the cell that compile to `logic`, or None when no cell does."""
    parts = logic["and"] if isinstance(logic, dict) and set(logic) == {"and"} else [logic]
    paths: set[str] = set()
    said: dict[str, Any] = {}
    for part in parts:
        read = _condition(part)
        if read is None or read[1] in said:
            return None
        paths.add(read[0])
        said[read[1]] = read[2]
    if len(paths) != 1:
        return None
    path = paths.pop()
    try:
        cell = Cell.model_validate(said)
    except ValueError:
        return None
    return (path, cell) if compile_cell(path, cell) == logic else None


def _condition(logic: Any) -> tuple[str, str, Any] | None:
    """Path, member of `Cell` and its value."""
    signs = {sign: name for name, sign in _BOUNDS.items()}
    match logic:
        case {"exists": [*parts]}:
            return ".".join(map(str, parts)), "present", True
        case {"!": [{"exists": [*parts]}]}:
            return ".".join(map(str, parts)), "present", False
        case {"==": [{"var": str(path)}, bool() | int() | float() | str() as value]}:
            return path, "is", value
        case {"in": [{"var": str(path)}, [*values]]}:
            return path, "in", values
        case {"!": [{"in": [{"var": str(path)}, [*values]]}]}:
            return path, "not_in", values
        case {"some": [{"var": str(path)}, {"in": [{"var": ""}, [*values]]}]}:
            return path, "has_any", values
        case {"none": [{"var": str(path)}, {"in": [{"var": ""}, [*values]]}]}:
            return path, "has_none", values
        case dict() if len(logic) == 1 and (sign := next(iter(logic))) in signs:
            match logic[sign]:
                case [{"var": str(path)}, bool() | int() | float() | str() as value]:
                    return path, signs[sign], value
    return None
