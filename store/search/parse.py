"""The parameters of a search request as a Query. hl7.org/fhir/R4/search.html; nothing here touches the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from domain.errors import Invalid, TooCostly
from domain.fhir import compartment as compartment_codes
from domain.fhir import resource_types
from domain.ids import Reference
from store.search.conditions import Context, DeadEnd, Unknown, condition, find
from store.search.filtering import parse_filter
from store.search.places import parameter
from store.search.query import Condition, Include, InCompartment, Query, SortKey, Summary, Total
from store.search.terminology import CodeSets

MOST_PARAMETERS = 60
LONGEST_VALUE = 50_000
LARGEST_PAGE = 1000

_PRESENTATION = frozenset({"_format", "_pretty"})


@dataclass
class _Parsing:
    types: tuple[str, ...]
    searched: tuple[str, ...]
    context: Context
    strict: bool
    conditions: list[Condition] = field(default_factory=list)
    sort: list[SortKey] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    revincludes: list[Include] = field(default_factory=list)
    count: int | None = None
    total: Total | None = None
    summary: Summary | None = None
    elements: list[str] = field(default_factory=list)
    cursor: str | None = None
    ignored: list[str] = field(default_factory=list)
    understood: list[tuple[str, str]] = field(default_factory=list)


def parse_query(
    resource_type: str | None,
    pairs: Sequence[tuple[str, str]],
    *,
    strict: bool = False,
    base: str = "",
    compartment: tuple[str, str] | None = None,
    now: datetime | None = None,
    codes: CodeSets | None = None,
) -> Query:
    """What the pairs of a query string ask for.

    resource_type: None for a search of the base, over `_type` or all types.  base: the server's own URL, so that
    absolute references to it match.  compartment: ("Patient", "p1").  now: for the prefix `ap`.  codes: for `:in`.
    Unknown parameters are listed in `Query.ignored`, or Invalid when strict. Raises Invalid with the parameter's name
    as `field`, TooCostly.
    """
    if len(pairs) > MOST_PARAMETERS:
        raise TooCostly("too many parameters", limit=str(MOST_PARAMETERS), field="http.query")
    if resource_type is not None and resource_type not in resource_types():
        raise Invalid("no resource type of R4", field="type")
    types = _types(resource_type, pairs)
    context = Context(base, now, codes or CodeSets())
    # Parameters that all types have are compiled for each: without a `_type` the number of types is what it costs.
    parsing = _Parsing(types, types or tuple(sorted(resource_types())), context, strict)
    if compartment is not None:
        parsing.conditions.append(_compartment(compartment, types))
    for name, value in pairs:
        if len(value) > LONGEST_VALUE or len(name) > 1000:
            raise TooCostly("a parameter is too long", limit=str(LONGEST_VALUE), field=name[:200])
        if "\x00" in name or "\x00" in value:
            raise Invalid("a value holds a character that no text can hold", field=name.replace("\x00", ""))
        if name in _PRESENTATION:
            continue
        try:
            _take(parsing, name, value)
        except TooCostly as costly:
            costly.params.setdefault("field", name[:200])
            raise
        except DeadEnd as nowhere:
            raise Invalid(str(nowhere), field=name[:200]) from None
        except Unknown:
            if strict:
                raise Invalid("no search parameter of this type", field=name[:200]) from None
            parsing.ignored.append(name)
            continue
        if name != "_cursor":
            parsing.understood.append((name, value))
    return Query(
        types=types,
        conditions=tuple(parsing.conditions),
        sort=tuple(parsing.sort),
        count=parsing.count,
        includes=tuple(parsing.includes),
        revincludes=tuple(parsing.revincludes),
        total=parsing.total,
        summary=parsing.summary,
        elements=tuple(parsing.elements),
        cursor=parsing.cursor,
        ignored=tuple(parsing.ignored),
        understood=tuple(parsing.understood),
    )


def _types(resource_type: str | None, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    if resource_type is not None:
        return (resource_type,)
    asked = [each for name, value in pairs if name == "_type" for each in value.split(",")]
    for each in asked:
        if each not in resource_types():
            raise Invalid("no resource type of R4", field="_type")
    return tuple(dict.fromkeys(asked))


def _compartment(compartment: tuple[str, str], types: tuple[str, ...]) -> InCompartment:
    kind, id_ = compartment
    for each in types:
        if each != kind and not compartment_codes(kind, each):
            raise Invalid("this type is not part of that compartment", field="compartment")
    return InCompartment(Reference.to(kind, id_))


def _take(parsing: _Parsing, name: str, value: str) -> None:  # noqa: PLR0912  # one arm a parameter
    if not value:
        raise Unknown(name)  # R4: parameters without content are ignored
    code, _, modifier = name.partition(":")
    match code:
        case "_include" | "_revinclude":
            made = _include(value, name, modifier, reverse=code == "_revinclude", context=parsing.context)
            (parsing.includes if code == "_include" else parsing.revincludes).append(made)
        case "_sort":
            parsing.sort += _sort(parsing.searched, value)
        case "_count":
            parsing.count = _count(value)
        case "_total":
            parsing.total = _one_of(value, get_args(Total), name)
        case "_summary":
            parsing.summary = _one_of(value, get_args(Summary), name)
        case "_elements":
            parsing.elements += [each.strip() for each in value.split(",") if each.strip()]
        case "_cursor":
            parsing.cursor = value
        case "_contained":
            if value in {"true", "both"}:
                raise Invalid("contained resources are no matches of their own here: _contained is false", field=name)
            _one_of(value, ("false",), name)
        case "_containedType":
            _one_of(value, ("container", "contained"), name)  # says what matches look like that there are none of
        case "_filter" if not modifier:
            parsing.conditions.append(parse_filter(parsing.searched, value, parsing.context))
        case "_type":
            if len(parsing.types) == 1 and value != parsing.types[0]:
                raise Unknown(code)
        case _:
            parsing.conditions.append(condition(parsing.searched, name, value, parsing.context))


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise Invalid("a count is a whole number", field="_count")
    # R4: a server may answer fewer than were asked for.
    return int(value) if len(value) < 10 and int(value) < LARGEST_PAGE else LARGEST_PAGE


def _one_of(value: str, allowed: tuple[str, ...], name: str) -> Any:
    if value not in allowed:
        raise Invalid(f"the value is one of {', '.join(allowed)}", field=name)
    return value


def _sort(types: tuple[str, ...], value: str) -> list[SortKey]:
    keys = []
    for each in value.split(","):
        found = find(types, each.removeprefix("-"))
        if found.kind in {"composite", "special"} or found.code in {"_text", "_content"}:
            raise Invalid("this parameter gives no order", field="_sort")
        keys.append(SortKey(found, each.startswith("-")))
    if len(keys) > 5:
        raise TooCostly("too many keys to sort by", limit="5")
    return keys


def _include(value: str, name: str, modifier: str, *, reverse: bool, context: Context) -> Include:
    if modifier not in {"", "iterate", "recurse"}:
        raise Invalid("an include may be iterated, nothing else", field=name)
    source, _, rest = value.partition(":")
    code, _, target = rest.partition(":")
    if value == "*":
        return Include("*", None, None, iterate=bool(modifier))
    if source not in resource_types() or not code or (target and target not in resource_types()):
        raise Invalid("an include reads Type:parameter or Type:parameter:Type", field=name)
    context.hop()
    if code != "*":
        found = parameter(source, code)
        if found is None or found.kind != "reference":
            raise Invalid("an include follows a reference parameter of its type", field=name)
    return Include(source, None if code == "*" else code, target or None, iterate=bool(modifier))
