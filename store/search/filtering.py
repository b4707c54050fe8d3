"""`_filter`: conditions joined by and, or, not (hl7.org/fhir/R4/search_filter.html).

    filter   = term (("and" | "or") term)*          from left to right: the page gives neither precedence
    term     = "not" "(" filter ")" | "(" filter ")" | path operator value
    value    = a JSON string, or signs up to a space or a closing bracket

Each comparison becomes the condition that an ordinary parameter makes of it. Left out, with a sentence: `ew`, `re`, and
filters on one element of a path, `name[…].given`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import Invalid, TooCostly
from store.search.conditions import Context, condition
from store.search.query import AllOf, AnyOf, Condition, InText, Matches, Not

NAME = "_filter"
DEEPEST = 20
MOST_TERMS = 50

_TOKEN = re.compile(r'\s*(?:(?P<bracket>[()])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()"]+))')
_PREFIXED = frozenset({"gt", "lt", "ge", "le", "ap", "sa", "eb"})
_MODIFIED = {"co": "contains", "ss": "below", "sb": "above", "in": "in"}
_UNSUPPORTED = frozenset({"ew", "re"})
_OPERATORS = _PREFIXED | _MODIFIED.keys() | _UNSUPPORTED | {"eq", "ne", "sw", "pr", "po"}
_ORDERED = frozenset({"date", "number", "quantity"})


@dataclass(frozen=True)
class _Token:
    text: str
    quoted: bool = False


def parse_filter(types: tuple[str, ...], text: str, context: Context) -> Condition:
    """Raises Invalid for what is no filter, Unknown for a parameter that the types do not have, TooCostly."""
    return _Filter(types, _tokens(text), context).whole()


class _Filter:
    def __init__(self, types: tuple[str, ...], tokens: list[_Token], context: Context) -> None:
        self._types = types
        self._tokens = tokens
        self._context = context
        self._at = 0
        self._terms = 0

    def whole(self) -> Condition:
        found = self._joined(0)
        if self._at < len(self._tokens):
            raise _wrong(f"'{self._tokens[self._at].text[:40]}' stands where 'and', 'or' or the end is expected")
        return found

    def _joined(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise TooCostly("brackets are nested too deep", limit=str(DEEPEST), field=NAME)
        found = self._term(depth)
        while self._peek() in {"and", "or"}:
            word = self._next().text
            other = self._term(depth)
            found = AllOf((found, other)) if word == "and" else AnyOf((found, other))
        return found

    def _term(self, depth: int) -> Condition:
        if self._peek() == "not" and self._peek(1) == "(":
            self._next()
            return Not(self._bracketed(depth))
        if self._peek() == "(":
            return self._bracketed(depth)
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise TooCostly("too many comparisons in one filter", limit=str(MOST_TERMS), field=NAME)
        path, operator, value = self._next(), self._next(), self._next()
        if path.quoted or operator.text not in _OPERATORS:
            raise _wrong(f"a comparison reads: parameter operator value; '{operator.text[:20]}' is no operator")
        return self._compared(path.text, operator.text, value)

    def _bracketed(self, depth: int) -> Condition:
        self._next()
        found = self._joined(depth + 1)
        if self._peek() != ")":
            raise _wrong("a closing bracket is missing")
        self._next()
        return found

    def _compared(self, path: str, operator: str, value: _Token) -> Condition:
        if "[" in path or operator in _UNSUPPORTED:
            raise _wrong(f"'{operator if operator in _UNSUPPORTED else '[…]'}' is not supported here")
        if operator == "pr":
            if value.text not in {"true", "false"}:
                raise _wrong("'pr' takes true or false")
            return self._made(f"{path}:missing", "false" if value.text == "true" else "true")
        if operator == "ne":
            return Not(self._equal(path, _escaped(value)))
        if operator == "po":
            # Two periods overlap unless one is over before the other begins.
            before, after = (self._compared(path, each, value) for each in ("sa", "eb"))
            return AllOf((self._made(f"{path}:missing", "false"), Not(before), Not(after)))
        return self._simple(path, operator, _escaped(value))

    def _simple(self, path: str, operator: str, text: str) -> Condition:
        if operator in _MODIFIED:
            return self._made(f"{path}:{_MODIFIED[operator]}", text)
        if operator in _PREFIXED:
            return self._made(path, operator + text, lambda kind: kind in _ORDERED)
        if operator == "sw":
            return self._made(path, text, lambda kind: kind in {"string", "uri"})
        return self._equal(path, text)

    def _equal(self, path: str, text: str) -> Condition:
        plain = self._made(path, text)
        kind = _kind(plain)
        if kind == "string":
            return self._made(f"{path}:exact", text)
        return self._made(path, f"eq{text}") if kind in _ORDERED else plain

    def _made(self, name: str, text: str, fits: Callable[[str], bool] = bool) -> Condition:
        made = condition(self._types, name, text, self._context, NAME)
        if isinstance(made, InText):
            raise _wrong("texts cannot be searched within a filter")
        if not fits(_kind(made)):
            raise _wrong(f"this operator does not go with '{name.partition(':')[0][:40]}'")
        return made

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].text if at < len(self._tokens) and not self._tokens[at].quoted else ""

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise _wrong("it ends in the middle of a comparison")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _wrong(f"it cannot be read from sign {at + 1} on")
        at = match.end()
        if quoted := match["text"]:
            try:
                found.append(_Token(str(json.loads(quoted)), quoted=True))
            except ValueError:
                raise _wrong(f"the text before sign {at + 1} is not a JSON string") from None
        else:
            found.append(_Token(match["bracket"] or match["word"]))
    if not found:
        raise _wrong("it is empty")
    return found


def _escaped(value: _Token) -> str:
    """A value for an ordinary parameter: one value, whatever commas it holds. A bar still parts system and code."""
    text = value.text.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$")
    return text.replace("|", "\\|") if value.quoted and value.text.count("|") > 1 else text


def _kind(made: Condition) -> str:
    """The kind of the parameter at the end of a path; of several ways the first tells it."""
    inner = made
    while not isinstance(inner, Matches):
        ways = getattr(inner, "ways", ())
        if ways:
            inner = ways[0][1]
        elif hasattr(inner, "condition"):
            inner = inner.condition
        else:
            return "special"
    return inner.parameter.kind


def _wrong(said: str) -> Invalid:
    return Invalid(f"no filter: {said}", field=NAME)
