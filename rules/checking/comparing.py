"""Operators that take values of like types: comparisons, arithmetic, membership, text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from rules.checking.types import BOOLEAN, UNKNOWN, Kind, Type
from rules.findings import Finding, Severity, did_you_mean, finding
from rules.language import looks_like_time
from rules.syntax import Call, Node
from rules.taking import normal_instant

_TEXTUAL = frozenset({Kind.TEXT, Kind.CODE})
_ORDERED = frozenset({Kind.NUMBER, Kind.DATE, Kind.INSTANT})
_EQUATED = _ORDERED | _TEXTUAL | {Kind.BOOLEAN}
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "min", "max", "abs", "ceil", "floor"})


class Comparing:
    """The part of `Typing` that needs types only. Says what is wrong into `findings`."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def say(self, code: str, pointer: str, severity: Severity = Severity.ERROR, /, **details: object) -> None:
        self.findings.append(finding(code, pointer, severity, **details))

    def wrong(self, code: str, node: Node, **details: object) -> Type:
        self.say(code, node.pointer, **details)
        return UNKNOWN

    def clash(self, code: str, node: Node, given: Type, expected: Type) -> Type:
        (en, ko), (expected_en, expected_ko) = given.described, expected.described
        return self.wrong(code, node, given_en=en, given_ko=ko, expected_en=expected_en, expected_ko=expected_ko)

    def expect(self, node: Node, given: Type, kind: Kind) -> bool:
        """Whether `given` is of a kind; a written text may stand for a date or an instant."""
        if given.kind in {kind, Kind.UNKNOWN}:
            return True
        if given.kind is Kind.TEXT and kind in {Kind.DATE, Kind.INSTANT}:
            return self._written_time(node, given, kind)
        self.clash("wrong-type", node, given, Type(kind))
        return False

    def same(self, node: Node, left: Type, right: Type) -> bool:
        """Whether two values may be compared, and what is compared with a coded fact is one of its codes."""
        if Kind.UNKNOWN in {left.kind, right.kind}:
            return False
        if left.kind is Kind.TEXT and right.kind is not Kind.TEXT:
            left, right = right, left
        if left.kind is Kind.CODE and right.kind is Kind.TEXT:
            return self._codes(node, left, right)
        if left.kind in {Kind.DATE, Kind.INSTANT} and right.kind is Kind.TEXT:
            return self._written_time(node, right, left.kind)
        if left.kind is not right.kind:
            self.clash("types-differ", node, left, right)
            return False
        if left.kind is Kind.NUMBER and left.unit and right.unit and left.unit != right.unit:
            self.clash("units-differ", node, left, right)
            return False
        if left.kind is Kind.CODE and left.system != right.system:
            self.wrong("systems-differ", node, left=left.system, right=right.system)
            return False
        if left.kind is Kind.TEXT and (left.computed or right.computed):
            self.wrong("computed-text", node)
            return False
        return True

    def compare(self, node: Call, given: Sequence[Type]) -> Type:
        """The type of an operator whose arguments have been typed."""
        match node.operator:
            case "==" | "===" | "!=" | "!==":
                if self.same(node, *given) and given[0].kind not in _EQUATED:
                    self.clash("not-comparable", node, given[0], given[1])
                return BOOLEAN
            case "<" | "<=" | ">" | ">=":
                for left, right in pairwise(given):
                    if self.same(node, left, right) and left.kind not in _ORDERED and right.kind not in _ORDERED:
                        self.clash("not-ordered", node, left, right)
                return BOOLEAN
            case "in":
                return self._in(node, *given)
            case operator if operator in _ARITHMETIC:
                return self._arithmetic(node, given)
            case _:
                return self._text(node, given)

    def _in(self, node: Call, member: Type, whole: Type) -> Type:
        if whole.kind is not Kind.LIST:
            if whole.kind is not Kind.UNKNOWN:
                self.clash("not-a-list", node.arguments[1], whole, Type(Kind.LIST))
        elif whole.item and self.same(node, member, whole.item) and member.kind not in _EQUATED:
            self.clash("not-comparable", node, member, whole.item)
        return BOOLEAN

    def _arithmetic(self, node: Call, given: Sequence[Type]) -> Type:
        for argument, kind in zip(node.arguments, given, strict=True):
            if not self.expect(argument, kind, Kind.NUMBER):
                return UNKNOWN
        units = [kind.unit for kind in given if kind.unit is not None]
        match node.operator:
            case "*":
                several = [unit for unit in units if unit != "1"]
                if len(several) > 1:
                    return Type(Kind.NUMBER, unit=".".join(sorted(several)))
                return Type(Kind.NUMBER, unit=several[0] if several else (units[0] if units else None))
            case "/":
                over, under = given[0].unit, given[1].unit
                if under in {None, "1"}:
                    return Type(Kind.NUMBER, unit=over)
                return Type(Kind.NUMBER, unit="1" if over == under else f"{over or '1'}/{under}")
            case _:
                if len(set(units)) > 1:
                    return self.clash("units-differ", node, given[0], next(k for k in given if k.unit != given[0].unit))
                return Type(Kind.NUMBER, unit=units[0] if units else None)

    def _text(self, node: Call, given: Sequence[Type]) -> Type:
        expected = [Kind.TEXT] * len(given)
        if node.operator == "substr":
            expected[1:] = [Kind.NUMBER] * (len(given) - 1)
        for argument, kind, wanted in zip(node.arguments, given, expected, strict=True):
            fits = kind.kind in _TEXTUAL if wanted is Kind.TEXT else kind.kind is wanted
            if not fits and kind.kind is not Kind.UNKNOWN:
                return self.clash("wrong-type", argument, kind, Type(wanted))
        if node.operator in {"starts_with", "ends_with"}:
            return BOOLEAN
        return Type(Kind.TEXT, computed=True)

    def _codes(self, node: Node, coded: Type, text: Type) -> bool:
        if text.computed or text.values is None:
            self.wrong("computed-text", node)
            return False
        for value in sorted(text.values):
            if coded.values is None:
                if looks_like_time(value):
                    self.wrong("code-like-time", node, value=value)
                    return False
            elif value not in coded.values:
                self.wrong("unknown-code", node, value=value, fact=coded.fact, **did_you_mean(value, coded.values))
                return False
        return True

    def _written_time(self, node: Node, text: Type, kind: Kind) -> bool:
        for value in text.values or {""}:
            if kind is Kind.INSTANT and normal_instant(value) is not None and value == normal_instant(value):
                continue
            if kind is Kind.DATE and _is_date(value):
                continue
            self.wrong("not-a-date" if kind is Kind.DATE else "not-an-instant", node, value=value)
            return False
        return True


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
