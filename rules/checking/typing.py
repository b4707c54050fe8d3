"""Typing a rule's tree against the facts that its decision point supplies."""

from __future__ import annotations

from collections.abc import Mapping

from rules.checking.comparing import Comparing
from rules.checking.types import BOOLEAN, COUNT, EMPTY_LIST, INSTANT, NULL, UNKNOWN, Kind, Type, joined, of_fact
from rules.facts import FactDefinition
from rules.findings import MOST_FINDINGS, Finding, did_you_mean
from rules.language import DATE_FORMAT, DATE_UNITS
from rules.syntax import Call, Items, Literal, Names, Node, Path, Switch, Var


class Typing(Comparing):
    """One pass over one tree. `findings` and the paths `reads` are complete after `infer` of the root."""

    def __init__(self, known: Mapping[str, FactDefinition], supplied: frozenset[str]) -> None:
        super().__init__()
        self._known = known
        self._supplied = supplied
        self._scopes: list[dict[str, Type]] = []
        self.reads: dict[str, str] = {}
        self.findings: list[Finding] = []

    def infer(self, node: Node) -> Type:
        """The node's type; UNKNOWN when it has none, which `findings` then explain, the first of them."""
        if len(self.findings) >= MOST_FINDINGS:
            return UNKNOWN
        match node:
            case Literal():
                return _literal(node)
            case Items():
                return self._list(node)
            case Var():
                return self._var(node)
            case Names():
                for path in node.paths:
                    self._fact(path, node.pointer)
                return BOOLEAN if node.operator == "exists" else Type(Kind.LIST, item=Type(Kind.TEXT, computed=True))
            case Switch():
                return self._switch(node)
            case Call():
                return self._call(node)

    # -- facts ---------------------------------------------------------------------------------------------------

    def _var(self, node: Var) -> Type:
        if self._scopes:
            return self._scoped(node)
        if not node.path:
            return self.wrong("whole-facts", node)
        read = self._fact(node.path, node.pointer)
        if read is None:
            return UNKNOWN
        if node.default is not None:
            fact = self._known[node.name]
            default = self.infer(node.default)
            if not fact.default_allowed:
                return self.wrong("default-not-allowed", node, fact=node.name)
            if not self.same(node, read, default):
                return UNKNOWN
        return read

    def _scoped(self, node: Var) -> Type:
        scope = self._scopes[-1]
        here: Type | None = scope.get("") if not node.path else scope.get(node.path[0])
        if here is None and "" in scope and scope[""].kind is Kind.RECORD:
            here = scope[""].fields.get(node.name)
        elif here is not None and len(node.path) > 1:
            here = here.fields.get(".".join(node.path[1:])) if here.kind is Kind.RECORD else None
        if here is None or node.default is not None:
            inside = list(scope.get("", UNKNOWN).fields) + [name for name in scope if name]
            return self.wrong("unknown-element", node, name=node.name, **did_you_mean(node.name, inside))
        return here

    def _fact(self, path: Path, pointer: str) -> Type | None:
        name = ".".join(path)
        if name not in self._known:
            hint = did_you_mean(name, self._supplied)
            self.say("unknown-fact", pointer, name=name, **hint)
            return None
        self.reads.setdefault(name, pointer)
        if name not in self._supplied:
            self.say("fact-not-supplied", pointer, name=name, **did_you_mean(name, self._supplied))
            return None
        return of_fact(self._known[name])

    # -- structure -----------------------------------------------------------------------------------------------

    def _list(self, node: Items) -> Type:
        whole: Type = EMPTY_LIST
        for item in node.items:
            both = joined(whole, Type(Kind.LIST, item=self.infer(item)))
            if both is None:
                return self.wrong("mixed-list", item)
            whole = both
        return whole

    def _switch(self, node: Switch) -> Type:
        on = self.infer(node.on)
        result = self.infer(node.otherwise)
        for case in node.cases:
            if not isinstance(case.value, Literal):
                self.wrong("switch-literal", case.value)
            else:
                self.same(case.value, on, self.infer(case.value))
            result = self._either(case.result, result, self.infer(case.result))
        return result

    def _either(self, node: Node, one: Type, other: Type) -> Type:
        both = joined(one, other)
        return self.clash("branches-differ", node, one, other) if both is None else both

    def _call(self, node: Call) -> Type:
        match node.operator:
            case "if":
                return self._if(node)
            case "and" | "or" | "!" | "!!":
                for argument in node.arguments:
                    self.expect(argument, self.infer(argument), Kind.BOOLEAN)
                return BOOLEAN
            case "??":
                return self._first_present(node)
            case "map" | "filter" | "all" | "some" | "none":
                return self._each(node)
            case "reduce":
                return self._reduce(node)
            case "merge":
                return self._merge(node)
            case "length":
                given = self.infer(node.arguments[0])
                if given.kind not in {Kind.LIST, Kind.TEXT, Kind.CODE, Kind.UNKNOWN}:
                    return self.clash("not-a-list", node.arguments[0], given, EMPTY_LIST)
                return COUNT
            case "parse_date" | "date_diff":
                return self._date(node)
            case _:
                return self.compare(node, [self.infer(argument) for argument in node.arguments])

    def _if(self, node: Call) -> Type:
        *pairs, last = node.arguments
        result = self.infer(last)
        for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
            self.expect(condition, self.infer(condition), Kind.BOOLEAN)
            result = self._either(value, result, self.infer(value))
        return result

    def _first_present(self, node: Call) -> Type:
        """`??` needs something that can be nothing: a fact that may be absent, with null for its default."""
        result: Type | None = None
        for argument in node.arguments:
            match argument:
                case Var(default=Literal(value=None)) if not self._scopes:
                    read = self._fact(argument.path, argument.pointer) or UNKNOWN
                    if read is not UNKNOWN and not self._known[argument.name].default_allowed:
                        read = self.wrong("default-not-allowed", argument, fact=argument.name)
                case _:
                    read = self.infer(argument)
            result = read if result is None else self._either(argument, result, read)
        return result or UNKNOWN

    def _within(self, scope: dict[str, Type], node: Node) -> Type:
        self._scopes.append(scope)
        try:
            return self.infer(node)
        finally:
            self._scopes.pop()

    def _each(self, node: Call) -> Type:
        over, body = node.arguments
        given = self.infer(over)
        if given.kind is not Kind.LIST or given.item is None:
            return UNKNOWN if given.kind is Kind.UNKNOWN else self.clash("not-a-list", over, given, EMPTY_LIST)
        inner = self._within({"": given.item}, body)
        if node.operator == "map":
            return Type(Kind.LIST, item=inner)
        self.expect(body, inner, Kind.BOOLEAN)
        return given if node.operator == "filter" else BOOLEAN

    def _reduce(self, node: Call) -> Type:
        over, body, start = node.arguments
        given, result = self.infer(over), self.infer(start)
        if given.kind is not Kind.LIST:
            return UNKNOWN if given.kind is Kind.UNKNOWN else self.clash("not-a-list", over, given, EMPTY_LIST)
        item = given.item or UNKNOWN
        if result == EMPTY_LIST:
            result = Type(Kind.LIST, item=item)
        elif (both := joined(result, item)) is not None and result.kind is not Kind.BOOLEAN:
            result = both  # what is kept of the list may become the result
        inner = self._within({"accumulator": result, "current": item}, body)
        return self._either(body, result, inner)

    def _merge(self, node: Call) -> Type:
        whole: Type = EMPTY_LIST
        for argument in node.arguments:
            given = self.infer(argument)
            part = given if given.kind in {Kind.LIST, Kind.UNKNOWN} else Type(Kind.LIST, item=given)
            both = joined(whole, part)
            if both is None:
                return self.clash("branches-differ", argument, whole, part)
            whole = both
        return whole

    def _date(self, node: Call) -> Type:
        if node.operator == "parse_date":
            given, form = node.arguments
            self.expect(given, self.infer(given), Kind.DATE)
            if not isinstance(form, Literal) or form.value != DATE_FORMAT:
                return self.wrong("date-format", form, expected=DATE_FORMAT)
            return INSTANT
        later, earlier, unit = node.arguments
        for moment in (later, earlier):
            self.expect(moment, self.infer(moment), Kind.INSTANT)
        if not isinstance(unit, Literal) or unit.value not in DATE_UNITS:
            return self.wrong("date-unit", unit, expected=", ".join(DATE_UNITS))
        return Type(Kind.NUMBER, unit=DATE_UNITS[str(unit.value)])


def _literal(node: Literal) -> Type:
    match node.value:
        case bool():
            return BOOLEAN
        case int() | float():
            return Type(Kind.NUMBER)
        case str():
            return Type(Kind.TEXT, values=frozenset({node.value}))
        case None:
            return NULL
