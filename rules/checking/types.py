"""Types of the profile: what a node of a rule's tree is, with its unit or codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from rules.facts import FactDefinition, FactType


class Kind(StrEnum):
    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    CODE = "code"
    DATE = "date"
    INSTANT = "instant"
    LIST = "list"
    RECORD = "record"
    NULL = "null"
    UNKNOWN = "unknown"  # something was wrong beneath: said once, not again at every parent


KIND_NAMES: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.BOOLEAN: ("yes or no", "예/아니요"),
        Kind.NUMBER: ("a number", "수"),
        Kind.TEXT: ("text", "글"),
        Kind.CODE: ("a code", "코드"),
        Kind.DATE: ("a date", "날짜"),
        Kind.INSTANT: ("an instant", "시각"),
        Kind.LIST: ("a list", "목록"),
        Kind.RECORD: ("a record", "기록"),
        Kind.NULL: ("nothing", "없음"),
        Kind.UNKNOWN: ("something unread", "알 수 없는 것"),
    }
)


@dataclass(frozen=True)
class Type:
    """unit: of a number; None for a bare literal, which takes the unit of what it meets.  values: the only texts or
    codes it can be; None when open.  computed: text put together by the rule.  fact: whose value it is."""

    kind: Kind
    unit: str | None = None
    values: frozenset[str] | None = None
    system: str | None = None
    item: Type | None = None
    fields: Mapping[str, Type] = field(default_factory=dict)
    fact: str = ""
    computed: bool = False

    @property
    def described(self) -> tuple[str, str]:
        """In English and Korean, with the unit."""
        en, ko = KIND_NAMES[self.kind]
        if self.unit and self.unit != "1":
            return f"{en} in {self.unit}", f"{ko}({self.unit})"
        return en, ko


BOOLEAN = Type(Kind.BOOLEAN)
NULL = Type(Kind.NULL)
UNKNOWN = Type(Kind.UNKNOWN)
EMPTY_LIST = Type(Kind.LIST)
COUNT = Type(Kind.NUMBER, unit="1")
INSTANT = Type(Kind.INSTANT)


def of_fact(fact: FactDefinition, name: str = "") -> Type:
    """The type of a declared fact."""
    name = name or fact.path
    values = frozenset(fact.codes) or None
    match fact.type:
        case FactType.BOOLEAN:
            return Type(Kind.BOOLEAN, fact=name)
        case FactType.INTEGER | FactType.NUMBER:
            return Type(Kind.NUMBER, unit=fact.unit, fact=name)
        case FactType.MONEY:
            return Type(Kind.NUMBER, unit="KRW", fact=name)
        case FactType.CODE:
            return Type(Kind.CODE, values=values, system=fact.system, fact=name)
        case FactType.CODES:
            return Type(Kind.LIST, item=Type(Kind.CODE, values=values, system=fact.system, fact=name), fact=name)
        case FactType.DATE:
            return Type(Kind.DATE, fact=name)
        case FactType.INSTANT:
            return Type(Kind.INSTANT, fact=name)
        case FactType.RECORDS:
            fields = {part.path: of_fact(part, f"{name}.{part.path}") for part in fact.fields}
            return Type(Kind.LIST, item=Type(Kind.RECORD, fields=fields, fact=name), fact=name)


def joined(left: Type, right: Type) -> Type | None:
    """What is either of both, as the branches of an `if`; None when they cannot stand for one another."""
    if Kind.UNKNOWN in {left.kind, right.kind}:
        return UNKNOWN
    if left.kind is not right.kind:
        if {left.kind, right.kind} == {Kind.CODE, Kind.TEXT}:
            return Type(Kind.TEXT, values=_union(left, right), computed=left.computed or right.computed)
        return None
    match left.kind:
        case Kind.NUMBER:
            if left.unit and right.unit and left.unit != right.unit:
                return None
            return Type(Kind.NUMBER, unit=left.unit or right.unit)
        case Kind.TEXT | Kind.CODE:
            system = left.system if left.system == right.system else None
            computed = left.computed or right.computed
            return Type(left.kind, values=_union(left, right), system=system, computed=computed)
        case Kind.LIST:
            if left.item is None or right.item is None:
                return left if right.item is None else right
            item = joined(left.item, right.item)
            return None if item is None else Type(Kind.LIST, item=item)
        case _:
            return left


def _union(left: Type, right: Type) -> frozenset[str] | None:
    return None if left.values is None or right.values is None else left.values | right.values
