"""Conditions in words, English and Korean: what an explanation says of a rule's tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rules.facts import FactDefinition, FactType, look_up
from rules.oracle import Undecided, answer
from rules.syntax import Call, Items, Literal, Names, Node, Switch, Var, walk

_INFIX: Final = {
    "==": ("is", "="), "===": ("is", "="), "!=": ("is not", "≠"), "!==": ("is not", "≠"),
    "<": ("is below", "<"), "<=": ("is at most", "≤"), ">": ("is above", ">"), ">=": ("is at least", "≥"),
    "+": ("+", "+"), "-": ("−", "−"), "*": ("×", "×"), "/": ("÷", "÷"), "%": ("mod", "mod"),
    "and": ("and", "그리고"), "or": ("or", "또는"), "??": ("or else", "없으면"),
}  # fmt: skip
_PREFIX: Final = {
    "min": ("the least of", "가장 작은 값"), "max": ("the greatest of", "가장 큰 값"), "abs": ("the size of", "절댓값"),
    "ceil": ("rounded up", "올림"), "floor": ("rounded down", "내림"), "length": ("the number of", "개수"),
    "merge": ("all of", "모음"), "cat": ("joined", "이은 글"), "substr": ("a part of", "일부"),
    "starts_with": ("begins with", "시작하는 글"), "ends_with": ("ends with", "끝나는 글"),
    "date_diff": ("the time between", "두 시각의 차이"), "parse_date": ("the start of", "그날의 시작"),
    "some": ("any element meets", "하나라도 해당"), "all": ("every element meets", "모두 해당"),
    "none": ("no element meets", "해당 없음"), "filter": ("the elements that meet", "해당하는 항목"),
    "map": ("each element's", "항목마다"), "reduce": ("combined", "모두 합친 값"),
}  # fmt: skip
_UNITS: Final = {
    "a": (" years", "세"), "d": (" days", "일"), "h": (" hours", "시간"), "min": (" minutes", "분"), "%": (" %", "%"),
    "Cel": (" °C", "℃"), "mm[Hg]": (" mmHg", " mmHg"), "/min": (" a minute", "회/분"), "KRW": (" won", "원"),
}  # fmt: skip
_LONG = 160


@dataclass(frozen=True)
class Words:
    """Renders nodes for one language, with the titles of facts and codes, and the values that were given."""

    language: str
    facts: Mapping[str, FactDefinition]
    given: Mapping[str, Any]

    def condition(self, node: Node) -> str:
        """A condition with the values it looked at in brackets, cut where it grows too long to read."""
        text = self.of(node)
        text = text if len(text) <= _LONG else text[:_LONG] + "…"
        seen = sorted({part.name for part in _variables(node) if part.name in self.facts})
        values = ", ".join(
            f"{self.title(name)} {self.value(name, look_up(self.given, tuple(name.split('.'))))}" for name in seen
        )
        return f"{text} [{values}]" if values else text

    def title(self, name: str) -> str:
        return self.facts[name].title.in_(self.language) if name in self.facts else name

    def value(self, name: str, value: Any) -> str:
        """A fact's value with its unit or its code's title."""
        if value is None:
            return self._choose("absent", "없음")
        if isinstance(value, bool):
            return self._choose("yes", "예") if value else self._choose("no", "아니요")
        fact = self.facts.get(name)
        if fact and isinstance(value, str) and value in fact.codes:
            return fact.codes[value].in_(self.language)
        money = fact is not None and fact.type is FactType.MONEY and isinstance(value, int)
        said = f"{value:,}" if money else json.dumps(value, ensure_ascii=False)
        return f"{said}{self._unit(fact)}" if fact and isinstance(value, int | float) else said

    def _unit(self, fact: FactDefinition) -> str:
        unit = "KRW" if fact.type is FactType.MONEY else fact.unit
        if unit is None or unit == "1":
            return ""
        return self._choose(*_UNITS.get(unit, (f" {unit}", f" {unit}")))

    def of(self, node: Node) -> str:
        """A node in words, without values."""
        match node:
            case Literal():
                return self.value("", node.value)
            case Items():
                return ", ".join(self.of(item) for item in node.items)
            case Var():
                return self.title(node.name) if node.path else self._choose("it", "항목")
            case Names():
                names = ", ".join(self.title(".".join(path)) for path in node.paths)
                there = self._choose("is known", "있음") if node.operator == "exists" else self._choose("lacks", "빠짐")
                return f"{names} {there}"
            case Switch():
                return self._choose(f"by {self.of(node.on)}", f"{self.of(node.on)}에 따라")
            case Call():
                return self._call(node)

    def _call(self, node: Call) -> str:
        place = 0 if self.language == "en" else 1
        operator, parts = node.operator, node.arguments
        if operator in {"!", "!!"}:
            inner = self.of(parts[0])
            return inner if operator == "!!" else self._choose(f"not ({inner})", f"({inner}) 아님")
        if operator == "in":
            return self._within(*parts)
        if operator in {"some", "none"} and (codes := _any_of(parts[1])) is not None:
            listed = self._against(codes, parts[0].name if isinstance(parts[0], Var) else "")
            if operator == "some":
                return self._choose(
                    f"{self.of(parts[0])} has one of {listed}", f"{self.of(parts[0])}에 {listed} 중 하나 있음"
                )
            return self._choose(
                f"{self.of(parts[0])} has none of {listed}", f"{self.of(parts[0])}에 {listed} 모두 없음"
            )
        if operator == "+" and (sum_ := self._sum(node)):
            return sum_
        if operator == "if":
            return self._choose(f"by whether {self.of(parts[0])}", f"({self.of(parts[0])})에 따라")
        if operator in _INFIX and len(parts) > 1:
            return self._infix(operator, parts, place)
        name = _PREFIX.get(operator, (operator, operator))[place]
        return f"{name} ({', '.join(self.of(part) for part in parts)})"

    def _within(self, one: Node, several: Node) -> str:
        fact = next((part.name for part in (one, several) if isinstance(part, Var)), "")
        first, second = self._against(one, fact), self._against(several, fact)
        if isinstance(several, Var):
            return self._choose(f"{second} has {first}", f"{second}에 {first} 있음")
        return self._choose(f"{first} is one of {second}", f"{first}: {second} 중 하나")

    def _sum(self, node: Call) -> str:
        """A score by what it comes to, and what it is made of; nothing where a fact of it is absent."""
        try:
            total = answer(node, self.given)
            made_of = [(part, answer(part, self.given)) for part in node.arguments]
        except Undecided:
            return ""
        counted = ", ".join(f"{self._about(part)} {value}" for part, value in made_of if value)
        said = self._choose(f"the sum {total}", f"합계 {total}")
        return f"{said} ({counted})" if counted else said

    def _about(self, node: Node) -> str:
        """What a part of a score is about: the facts that it reads, since its conditions would fill a page."""
        titles = dict.fromkeys(self.title(part.name) for part in _variables(node))
        return ", ".join(titles) if isinstance(node, Call | Switch) and titles else self.of(node)

    def _infix(self, operator: str, parts: tuple[Node, ...], place: int) -> str:
        fact = next((part.name for part in parts if isinstance(part, Var)), "")
        asked = [part for part in parts if operator != "and" or not isinstance(part, Literal)]
        said = [self._against(part, fact) for part in asked]
        if len(asked) > 1:
            said = [f"({text})" if _compound(part) else text for part, text in zip(asked, said, strict=True)]
        return f" {_INFIX[operator][place]} ".join(said) or self._choose("always", "항상")

    def _against(self, node: Node, fact: str) -> str:
        """A written value beside a fact is said with the fact's unit, or as its code's title."""
        match node:
            case Literal():
                return self.value(fact, node.value)
            case Items():
                return ", ".join(self._against(item, fact) for item in node.items)
        return self.of(node)

    def _choose(self, en: str, ko: str) -> str:
        return ko if self.language == "ko" else en


def _any_of(body: Node) -> Node | None:
    """The codes, where what is asked of each element of a list is whether it is one of them."""
    match body:
        case Call(operator="in", arguments=(Var(path=()), Items() as codes)):
            return codes
    return None


def _compound(node: Node) -> bool:
    return isinstance(node, Call) and node.operator in {"and", "or"} and len(node.arguments) > 1


def _variables(node: Node) -> list[Var]:
    return [part for part in walk(node) if isinstance(part, Var) and part.path]
