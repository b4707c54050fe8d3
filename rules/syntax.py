"""A rule's logic as a tree: what JSONLogic's loose spelling says, read once, each node with its JSON Pointer.

`{"!": x}` and `{"!": [x]}` are the same node, `?:` is `if`, a path is a tuple of its parts. `read` refuses nothing by
raising: it returns findings, so that an editor can show all of them. `write` spells a tree in one way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rules.findings import MOST_FINDINGS, Finding, did_you_mean, escaped, finding
from rules.language import ALIASES, KEPT_OUT, LARGEST_NUMBER, OPERATORS

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A written value: text, number, boolean, or null (a default only)."""

    pointer: str
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Items:
    """A written list."""

    pointer: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Var:
    """A fact read, or the element of a list when `path` is empty. `default` stands in for an absent fact."""

    pointer: str
    path: Path
    default: Node | None = None

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Names:
    """`exists` (one path), `missing` (any of several paths), `missing_some` (`least` of them)."""

    pointer: str
    operator: str
    paths: tuple[Path, ...]
    least: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One `[value, result]` of a `switch`."""

    pointer: str
    value: Node
    result: Node


@dataclass(frozen=True, slots=True)
class Switch:
    pointer: str
    on: Node
    cases: tuple[Case, ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Call:
    """Any other operator with its arguments."""

    pointer: str
    operator: str
    arguments: tuple[Node, ...]


Node = Literal | Items | Var | Names | Switch | Call


def read(logic: Any, pointer: str = "/logic") -> tuple[Node, tuple[Finding, ...]]:
    """The tree of `logic` and what cannot be read of it. Unreadable parts stand as null literals.

    Asks for logic within the limits of `rules.limits`: it descends by recursion.
    """
    reader = _Reader()
    return reader.node(logic, pointer), tuple(reader.findings)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly within."""
    match node:
        case Items():
            return node.items
        case Var(default=default):
            return () if default is None else (default,)
        case Switch():
            return (node.on, *(part for case in node.cases for part in (case.value, case.result)), node.otherwise)
        case Call():
            return node.arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """`node` and every node within, parents first."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(children(here)))


def write(node: Node) -> Any:
    """The tree as JSONLogic, in its one spelling: arguments always in a list, `var` with a plain path."""
    match node:
        case Literal():
            return node.value
        case Items():
            return [write(item) for item in node.items]
        case Var():
            return {"var": node.name if node.default is None else [node.name, write(node.default)]}
        case Names(operator="exists"):
            return {"exists": list(node.paths[0])}
        case Names(operator="missing"):
            return {"missing": [".".join(path) for path in node.paths]}
        case Names():
            return {"missing_some": [node.least, [".".join(path) for path in node.paths]]}
        case Switch():
            cases = [[write(case.value), write(case.result)] for case in node.cases]
            return {"switch": [write(node.on), cases, write(node.otherwise)]}
        case Call():
            return {node.operator: [write(argument) for argument in node.arguments]}


class _Reader:
    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def node(self, logic: Any, pointer: str) -> Node:
        match logic:
            case bool() | str() | None:
                return Literal(pointer, logic)
            case int() | float():
                if not -LARGEST_NUMBER <= logic <= LARGEST_NUMBER:
                    return self._unread("number-too-large", pointer)
                return Literal(pointer, logic)
            case list() | tuple():
                return Items(pointer, tuple(self.node(item, f"{pointer}/{i}") for i, item in enumerate(logic)))
            case dict() if len(logic) == 1:
                ((name, arguments),) = logic.items()
                return self._call(str(name), arguments, f"{pointer}/{escaped(name)}")
            case dict():
                return self._unread("not-one-operator", pointer, count=len(logic))
            case _:
                return self._unread("not-json", pointer)

    def _call(self, written: str, raw: Any, pointer: str) -> Node:
        name = ALIASES.get(written, written)
        if len(self.findings) >= MOST_FINDINGS:
            return Literal(pointer, None)
        if name in KEPT_OUT:
            why_en, why_ko = KEPT_OUT[name]
            return self._unread("operator-kept-out", pointer, operator=written, why_en=why_en, why_ko=why_ko)
        if name not in OPERATORS:
            return self._unread("unknown-operator", pointer, operator=written, **did_you_mean(written, OPERATORS))
        given = raw if isinstance(raw, list | tuple) else [raw]
        places = [f"{pointer}/{i}" for i in range(len(given))] if given is raw else [pointer]
        operator = OPERATORS[name]
        if not operator.takes(len(given)) or (name == "if" and len(given) % 2 == 0):
            expected = "3, 5, 7 …" if name == "if" else operator.expected
            return self._unread("argument-count", pointer, operator=written, expected=expected, count=len(given))
        match name:
            case "var":
                return self._var(list(given), places, pointer)
            case "exists":
                return self._names(name, [".".join(given)] if _texts(given) else [], pointer)
            case "missing":
                return self._names(name, given, pointer)
            case "missing_some":
                least, names = given
                whole = isinstance(least, int) and not isinstance(least, bool) and isinstance(names, list)
                return self._names(name, names if whole else [], pointer, least if whole else 0)
            case "switch":
                return self._switch(list(given), places)
            case _:
                return Call(pointer, name, tuple(map(self.node, given, places)))

    def _var(self, given: list[Any], places: list[str], pointer: str) -> Node:
        if not isinstance(given[0], str) or not _path_fits(given[0]):
            return self._unread("computed-path", places[0])
        path = tuple(given[0].split(".")) if given[0] else ()
        return Var(pointer, path, self.node(given[1], places[1]) if len(given) > 1 else None)

    def _names(self, name: str, given: Any, pointer: str, least: int = 0) -> Node:
        if not given or not _texts(given) or not all(path and _path_fits(path) for path in given):
            return self._unread("computed-path", pointer)
        return Names(pointer, name, tuple(tuple(path.split(".")) for path in given), least)

    def _switch(self, given: list[Any], places: list[str]) -> Node:
        cases: list[Case] = []
        raw = given[1] if isinstance(given[1], list) else [None]
        for index, pair in enumerate(raw):
            where = f"{places[1]}/{index}"
            if not isinstance(pair, list) or len(pair) != 2:
                return self._unread("switch-case", where)
            cases.append(Case(where, self.node(pair[0], f"{where}/0"), self.node(pair[1], f"{where}/1")))
        return Switch(
            places[0].rpartition("/")[0], self.node(given[0], places[0]), tuple(cases), self.node(given[2], places[2])
        )

    def _unread(self, code: str, pointer: str, **details: object) -> Literal:
        self.findings.append(finding(code, pointer, **details))
        return Literal(pointer, None)


def _texts(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(isinstance(part, str) for part in given)


def _path_fits(path: str) -> bool:
    return path == "" or all(part and part.isprintable() for part in path.split("."))
