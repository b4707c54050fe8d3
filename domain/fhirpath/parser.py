"""From text to tree, by precedence climbing over the grammar of FHIRPath N1.

Grammar and precedence: hl7.org/fhirpath/N1/#operator-precedence, hl7.org/fhirpath/N1/grammar.html
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from domain.fhirpath.lexer import Token, refused, tokens
from domain.fhirpath.numbers import LARGEST_EXPONENT, LARGEST_INTEGER
from domain.fhirpath.quantities import CALENDAR, Quantity
from domain.fhirpath.syntax import Binary, Call, Index, Literal, Member, Sign, Special, Tree, TypeTest, Variable
from domain.fhirpath.temporal import Temporal

DEEPEST: Final = 64
"""Levels of brackets and operators. HL7's deepest own expression has under 20."""
LONGEST_CHAIN: Final = 1000
"""Operators and steps in one expression. HL7's longest own expression has under 300."""

_BINDING: Final = {
    operator: strength
    for strength, operators in enumerate(
        (
            ("implies",),
            ("or", "xor"),
            ("and",),
            ("in", "contains"),
            ("=", "~", "!=", "!~"),
            ("<=", "<", ">", ">="),
            ("|",),
            ("is", "as"),
            ("+", "-", "&"),
            ("*", "/", "div", "mod"),
        ),
        start=1,
    )
    for operator in operators
}
_POLARITY: Final = 11
# The grammar lets these stand as names: `Questionnaire.item.as`, `contains` of a value set's expansion.
_ALSO_NAMES: Final = frozenset({"as", "contains", "in", "is"})


def parse_tree(text: str) -> Tree:
    """Raises Invalid with the position of the first word that cannot be."""
    parser = _Parser(tokens(text))
    tree = parser.expression(1)
    if parser.next.kind != "end":
        raise refused("nothing can stand here after a complete expression", parser.next.at)
    return tree


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._position = 0
        self._depth = 0
        self._links = 0
        self.next = words[0]

    def _take(self) -> Token:
        taken = self.next
        if taken.kind != "end":
            self._position += 1
            self.next = self._words[self._position]
        return taken

    def _is(self, symbol: str) -> bool:
        return self.next.kind == "symbol" and self.next.text == symbol

    def _skip(self, symbol: str) -> bool:
        if self._is(symbol):
            self._take()
            return True
        return False

    def _expect(self, symbol: str) -> None:
        if not self._skip(symbol):
            raise refused(f"expected {symbol}", self.next.at)

    def _link(self) -> None:
        self._links += 1
        if self._links > LONGEST_CHAIN:
            raise refused(f"more than {LONGEST_CHAIN} operators and steps", self.next.at)

    def expression(self, weakest: int) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            raise refused(f"nested deeper than {DEEPEST} levels", self.next.at)
        tree = self._operand()
        while self.next.kind in ("symbol", "keyword"):
            operator = self.next.text
            strength = _BINDING.get(operator, 0)
            if strength < weakest:
                break
            self._link()
            at = self._take().at
            if operator in ("is", "as"):
                tree = TypeTest(operator, tree, self._type_name(), at)
            else:
                tree = Binary(operator, tree, self.expression(strength + 1), at)
        self._depth -= 1
        return tree

    def _operand(self) -> Tree:
        if self._is("+") or self._is("-"):
            sign = self._take()
            return Sign(sign.text, self.expression(_POLARITY), sign.at)
        tree = self._term()
        while True:
            at = self.next.at
            if self._skip("."):
                self._link()
                tree = self._invocation(tree)
            elif self._skip("["):
                self._link()
                tree = Index(tree, self.expression(1), at)
                self._expect("]")
            else:
                return tree

    def _term(self) -> Tree:  # noqa: PLR0911  (one a kind of term)
        word = self.next
        match word.kind:
            case "symbol" if word.text == "(":
                self._take()
                tree = self.expression(1)
                self._expect(")")
                return tree
            case "symbol" if word.text == "{":
                self._take()
                self._expect("}")
                return Literal(None, word.at)
            case "keyword" if word.text in ("true", "false"):
                self._take()
                return Literal(word.text == "true", word.at)
            case "string":
                self._take()
                return Literal(word.text, word.at)
            case "number":
                return self._number()
            case "date" | "time":
                self._take()
                value = Temporal.literal(word.text, time=word.kind == "time")
                if value is None:
                    raise refused("there is no such date or time", word.at)
                return Literal(value, word.at)
            case "variable":
                self._take()
                return Variable(word.text, word.at)
            case "special":
                self._take()
                return Special(word.text, word.at)
            case _:
                return self._invocation(None)

    def _number(self) -> Tree:
        word = self._take()
        whole = "." not in word.text
        if len(word.text) > LARGEST_EXPONENT:
            raise refused("a number with too many digits", word.at)
        unit = self.next
        if unit.kind == "string":
            self._take()
            return Literal(Quantity(Decimal(word.text), unit.text), word.at)
        if unit.kind == "name" and unit.text in CALENDAR:
            self._take()
            return Literal(Quantity(Decimal(word.text), CALENDAR[unit.text], calendar=True), word.at)
        if whole and (len(word.text) > 12 or int(word.text) > LARGEST_INTEGER):
            raise refused("an Integer is at most 2147483647", word.at)
        return Literal(int(word.text) if whole else Decimal(word.text), word.at)

    def _name(self, *, after_dot: bool = False) -> Token:
        """After a dot only a name can stand, so HL7's own patches write `Patient.text.div` without quotes."""
        word = self.next
        if word.kind == "name" or (word.kind == "keyword" and (after_dot or word.text in _ALSO_NAMES)):
            return self._take()
        raise refused("expected a value, a name or a function", word.at)

    def _invocation(self, base: Tree | None) -> Tree:
        name = self._name(after_dot=base is not None)
        if not self._skip("("):
            return Member(base, name.text, name.at)
        arguments: list[Tree] = []
        if not self._is(")"):
            arguments.append(self.expression(1))
            while self._skip(","):
                arguments.append(self.expression(1))
        self._expect(")")
        return Call(base, name.text, tuple(arguments), name.at)

    def _type_name(self) -> str:
        name = self._name().text
        while self._skip("."):
            name += f".{self._name().text}"
        return name
