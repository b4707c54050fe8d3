"""How many slips of the pen a rule's own tests would notice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from rules.document import AttachedTest, RuleDocument
from rules.engine import Compiled, RuleEngine
from rules.oracle import Trace
from rules.proof import BUDGET, fixed, followed, passes
from rules.syntax import Call, Items, Literal, Node, Switch, walk, write

MOST: Final = 200
_BUDGET: Final = 10 * BUDGET


@dataclass(frozen=True)
class Mutation:
    """Changes to the logic that the tests noticed, of those that were tried.

    passed: the tests pass on the rule as it is; otherwise nothing is tried, for a failing test notices everything.
    possible: all changes there are. Where that is more than may be tried, or they cost too much, `tried` of them were,
    chosen from everywhere in the rule.  survived: the place of each that no test noticed, and the change.
    """

    passed: bool
    possible: int
    tried: int
    noticed: int
    survived: tuple[tuple[str, str], ...]

    @property
    def score(self) -> float:
        """Of those tried; nothing to try is nothing missed."""
        return self.noticed / self.tried if self.tried else float(self.passed)


def mutate(engine: RuleEngine, document: RuleDocument, most: int = MOST) -> Mutation:
    """Change the logic in `most` small ways, one at a time, and see whether a test fails.

    Comparisons lose or gain their bound, `and` becomes `or`, numbers move by one, codes of a list are left out. The
    tests are run on the oracle. A test that expects no answer notices a change only when an answer comes of it.
    Changes that mean the same as before cannot be noticed, so 1.0 is not always reached. Raises RuleUnusable.
    """
    compiled = engine.compiled(document)
    spent = Trace()
    # Of facts that lie the engine asks nothing, whatever the logic: such a test says nothing of it.
    tests = [test for test in document.tests if not engine.evaluate(document, test.facts).wrong]
    possible = list(_changes(compiled.tree))
    if not all(_passed(engine, document, test) for test in document.tests) or not all(
        _still(compiled, compiled.tree, document, test, spent) for test in tests
    ):
        return Mutation(False, len(possible), 0, 0, ())
    tried, survived = 0, []
    for node, changed, said in _chosen(possible, most, document.digest):
        if spent.steps > _BUDGET:
            break
        tried += 1
        mutant = _put(compiled.tree, node, changed)
        if all(_still(compiled, mutant, document, test, spent) for test in tests):
            survived.append((node.pointer, said))
    return Mutation(True, len(possible), tried, tried - len(survived), tuple(sorted(survived)))


_Change = tuple[Node, Node, str]


def _chosen(possible: list[_Change], most: int, seed: str) -> list[_Change]:
    """`most` of them at random, and each time the same: wherever a budget ends, it ends for no place in particular."""
    chance = Random(seed)  # noqa: S311  (a choice among changes, no secret)
    return chance.sample(possible, min(most, len(possible)))


def _passed(engine: RuleEngine, document: RuleDocument, test: AttachedTest) -> bool:
    return passes(test, engine.evaluate(document, test.facts), engine.compiled(document).point.shape)


def _still(compiled: Compiled, tree: Node, document: RuleDocument, test: AttachedTest, spent: Trace) -> bool:
    trace = Trace()
    evaluated = followed(compiled, tree, document, test.facts, trace)
    spent.steps += trace.steps
    return passes(test, evaluated, compiled.point.shape)


_SWAPPED: Final = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "and": "or", "or": "and", "==": "!=", "+": "-"}


def _changes(tree: Node) -> Iterator[_Change]:
    """Each node that may be changed, what it becomes, and that in words."""
    for node in walk(tree):
        match node:
            case Call() if node.operator in _SWAPPED and len(node.arguments) > 1:
                swapped = _SWAPPED[node.operator]
                if node.operator not in {"and", "or"} or sum(not fixed(part) for part in node.arguments) > 1:
                    yield node, replace(node, operator=swapped), f"{node.operator} → {swapped}"
            case Literal(value=bool()):
                continue
            case Literal(value=int() | float() as value):
                yield node, replace(node, value=value + 1), f"{value} → {value + 1}"
            case Items() if len(node.items) > 1:
                left_out = json.dumps(write(node.items[0]), ensure_ascii=False)
                yield node, replace(node, items=node.items[1:]), f"– {left_out}"


def _put(tree: Node, old: Node, new: Node) -> Node:
    """The tree with one node changed, found by identity."""
    if tree is old:
        return new
    match tree:
        case Call():
            return replace(tree, arguments=tuple(_put(part, old, new) for part in tree.arguments))
        case Items():
            return replace(tree, items=tuple(_put(part, old, new) for part in tree.items))
        case Switch():
            cases = tuple(
                replace(case, value=_put(case.value, old, new), result=_put(case.result, old, new))
                for case in tree.cases
            )
            return replace(tree, on=_put(tree.on, old, new), cases=cases, otherwise=_put(tree.otherwise, old, new))
    return tree
