"""Condition trees: questions with a yes side and a no side, ending in outcomes. The other form that people edit.

A tree compiles to nested `if`s and comes back as it was, in its normal form: a `not` around a leaf that has its own
negative, and an `all` that is really one range, are written as that leaf.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from rules.cells import Cell, compile_cell, decompile_cell
from rules.facts import Code, FactPath, Part
from rules.malformed import wrong


class Condition(Part):
    """Exactly one of: `fact` with its `cell`, all of several, any of several, not one."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    fact: FactPath | None = None
    cell: Cell | None = None
    all_of: Annotated[tuple[Condition, ...], Field(min_length=2)] | None = Field(None, alias="all")
    any_of: Annotated[tuple[Condition, ...], Field(min_length=2)] | None = Field(None, alias="any")
    negated: Condition | None = Field(None, alias="not")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        leaf = self.fact is not None and self.cell is not None
        if (self.fact is None) != (self.cell is None):
            raise wrong("condition-cell")
        if sum([leaf, self.all_of is not None, self.any_of is not None, self.negated is not None]) != 1:
            raise wrong("condition-kind")
        return self


class Question(Part):
    """Where the condition holds `then`, elsewhere `otherwise`."""

    when: Condition
    then: Question | Code
    otherwise: Question | Code


Tree = Question


def compile_tree(tree: Question | str) -> Any:
    """The tree as JSONLogic."""
    if isinstance(tree, str):
        return tree
    return {"if": [compile_condition(tree.when), compile_tree(tree.then), compile_tree(tree.otherwise)]}


def compile_condition(condition: Condition) -> Any:
    if condition.fact is not None and condition.cell is not None:
        return compile_cell(condition.fact, condition.cell)
    if condition.all_of is not None:
        return {"and": [compile_condition(part) for part in condition.all_of]}
    if condition.any_of is not None:
        return {"or": [compile_condition(part) for part in condition.any_of]}
    assert condition.negated is not None  # noqa: S101  (the model's validator)
    return {"!": [compile_condition(condition.negated)]}


def decompile_tree(logic: Any) -> Question | str | None:
    """The tree in its normal form that compiles to `logic`, an outcome's key, or None when no tree does."""
    match logic:
        case str():
            return logic
        case {"if": [condition, *rest]} if len(logic) == 1 and len(rest) >= 2 and len(rest) % 2 == 0:
            when = decompile_condition(condition)
            then = decompile_tree(rest[0])
            otherwise = decompile_tree(rest[1] if len(rest) == 2 else {"if": rest[1:]})
            if when is None or then is None or otherwise is None:
                return None
            return Question(when=when, then=then, otherwise=otherwise)
    return None


def decompile_condition(logic: Any) -> Condition | None:
    leaf = decompile_cell(logic)
    if leaf is not None:
        return Condition(fact=leaf[0], cell=leaf[1])
    match logic:
        case {"and": [_, _, *_] as parts} | {"or": [_, _, *_] as parts} if len(logic) == 1:
            inner = [decompile_condition(part) for part in parts]
            whole = tuple(part for part in inner if part is not None)
            if len(whole) != len(inner):
                return None
            return Condition(all_of=whole) if "and" in logic else Condition(any_of=whole)
        case {"!": [part]} if len(logic) == 1:
            negated = decompile_condition(part)
            return None if negated is None else Condition(negated=negated)
    return None


def normal(tree: Question) -> Question:
    """The same tree as it comes back from its JSONLogic."""
    back = decompile_tree(compile_tree(tree))
    assert isinstance(back, Question)  # noqa: S101  (every compiled tree comes back; shown by a property test)
    return back
