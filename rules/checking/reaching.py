"""Which branches of a rule nothing reaches: conditions that cannot be met, or cannot fail, where they stand.

The values that each fact can still have are carried down the tree and narrowed by every condition on the way.
"""

from __future__ import annotations

from collections.abc import Mapping

from rules.cells import decompile_cell
from rules.domains import Domain, Ranges, of_cell, whole
from rules.facts import FactDefinition
from rules.findings import Finding, Severity, finding
from rules.syntax import Call, Literal, Node, children, write

Known = Mapping[str, Domain]

_MOST_SPANS = 200


def check_reach(tree: Node, facts: Mapping[str, FactDefinition]) -> list[Finding]:
    """A warning for every condition of an `if` that is never, or always, met when it is asked."""
    reaching = _Reaching(facts)
    known = {path: domain for path, fact in facts.items() if (domain := whole(fact)) is not None}
    reaching.descend(tree, known)
    return reaching.findings


class _Reaching:
    def __init__(self, facts: Mapping[str, FactDefinition]) -> None:
        self._facts = facts
        self.findings: list[Finding] = []

    def descend(self, node: Node, known: Known) -> None:
        if not isinstance(node, Call) or node.operator != "if":
            for child in children(node):
                self.descend(child, known)
            return
        *pairs, last = node.arguments
        for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
            self.descend(condition, known)
            met, failed = self._split(condition, known)
            if met is None:
                self._say("never-true", condition)
            else:
                self.descend(value, met)
            if failed is None:
                if not isinstance(condition, Literal) and not _always_row(condition):
                    self._say("always-true", condition)
                return
            known = failed
        self.descend(last, known)

    def _say(self, code: str, node: Node) -> None:
        self.findings.append(finding(code, node.pointer, Severity.WARNING))

    def _split(self, node: Node, known: Known) -> tuple[Known | None, Known | None]:
        """What is known where the condition is met and where it fails; None for what cannot be."""
        match node:
            case Literal(value=bool() as value):
                return (known, None) if value else (None, known)
            case Call(operator="!" | "!!", arguments=(inner,)):
                met, failed = self._split(inner, known)
                return (failed, met) if node.operator == "!" else (met, failed)
            case Call(operator="and", arguments=parts):
                return self._all(parts, known)
            case Call(operator="or", arguments=parts):
                failed, met = self._all(tuple(Call(part.pointer, "!", (part,)) for part in parts), known)
                return met, failed
        return self._leaf(node, known)

    def _all(self, parts: tuple[Node, ...], known: Known) -> tuple[Known | None, Known | None]:
        met: Known | None = known
        failing: list[Known] = []
        for part in parts:
            if met is None:
                break
            met, failed = self._split(part, met)
            if failed is not None:
                failing.append(failed)
        if not failing:
            return met, None
        # Where one of several failed, only what holds for a single one is known.
        return met, failing[0] if len(failing) == 1 else known

    def _leaf(self, node: Node, known: Known) -> tuple[Known | None, Known | None]:
        read = decompile_cell(write(node))
        if read is None or read[0] not in known:
            return known, known
        path, cell = read
        meets = of_cell(self._facts[path], cell)
        if meets is None:
            return known, known
        here = known[path]
        if cell.present is None:  # a comparison is not asked of an absent fact: the rule ends indeterminate before
            here = Domain(here.fact, here.values, absent=False)
        if _pieces(here) + _pieces(meets) > _MOST_SPANS:
            return known, known  # so many that following them would cost more than it tells
        met, failed = here.meet(meets), here.minus(meets)
        return (
            None if met.empty else {**known, path: met},
            None if failed.empty else {**known, path: failed},
        )


def _pieces(domain: Domain) -> int:
    return len(domain.values.spans) if isinstance(domain.values, Ranges) else 1


def _always_row(node: Node) -> bool:
    """A table's last row that looks at nothing: always met, and meant so."""
    return (
        isinstance(node, Call)
        and node.operator == "and"
        and all(isinstance(part, Literal) and part.value is True for part in node.arguments)
    )
