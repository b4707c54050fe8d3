"""Values of a search as conditions on the columns of a search table, `x`. Only leakproof operators (engine room, 9)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from store.search.keyed import Hash, hashed, target_key
from store.search.normal import LONGEST, after, normal
from store.search.query import DateValue, NumberValue, ReferenceValue, StringValue, TokenValue, UriValue
from store.search.scaled import scaled
from store.search.sql import Sql, either, one_of
from store.search.values import UCUM, canonical_unit, code_key, of_type_key, unit_key, uri_key


def strings(values: Sequence[StringValue], modifier: str) -> Sql:
    """Beginning with, `:exact` or `:contains`."""
    return either(_string(value.text, modifier) for value in values)


def _string(text: str, modifier: str) -> Sql:
    wanted = normal(text)
    if modifier == "exact":
        return Sql("x.value = %s and x.exact = %s", (wanted, hashed(text)))
    if modifier == "contains":
        # Not leakproof, so it filters what the place's number has found.
        return Sql("position(%s in x.value) > 0", (wanted,))
    return _prefix(wanted)


def _prefix(wanted: str) -> Sql:
    end = after(wanted)
    if not wanted or end is None:
        return Sql("x.value >= %s", (wanted,))
    return Sql("x.value >= %s and x.value < %s", (wanted, end))


def uris(values: Sequence[UriValue], modifier: str) -> Sql:
    """Equal; `:below` begins with it; `:above` is one of its beginnings, at a slash."""
    if modifier == "below":
        return either(_below(value.uri) for value in values)
    if modifier == "above":
        return one_of("x.value", "text", [each for value in values for each in _above(value.uri)])
    return one_of("x.value", "text", [uri_key(value.uri) for value in values])


def _below(uri: str) -> Sql:
    inside = f"{uri.rstrip('/')}/"
    beginning = _prefix(inside[:LONGEST])
    text = f"x.value >= %s and (x.value = %s or ({beginning.text}))"
    end = after(inside[:LONGEST])
    if end is not None:
        return Sql(f"x.value < %s and {text}", (end, uri_key(uri), uri_key(uri), *beginning.values))
    return Sql(text, (uri_key(uri), uri_key(uri), *beginning.values))


def _above(uri: str) -> list[str]:
    ends = [index for index, each in enumerate(uri) if each == "/" and index > uri.find("://") + 2]
    return [uri_key(uri), *(uri[:end] for end in ends), *(uri[: end + 1] for end in ends)]


def tokens(values: Sequence[TokenValue], hashes: Sequence[Hash]) -> Sql:
    """A row of any of the codes. hashes: one for each key of the ring."""
    codes: list[int] = []
    pairs: list[Sql] = []
    for hash_ in hashes:
        for value in values:
            if value.kind is not None:
                codes.append(hash_(of_type_key(*value.kind, value.code or "")))
            elif value.system is None:
                codes.append(hash_(code_key(value.code or "")))
            else:
                system = hash_(f"s{value.system}") if value.system else 0
                if value.code is None:
                    pairs.append(Sql("x.system = %s", (system,)))
                else:
                    pairs.append(Sql("x.code = %s and x.system = %s", (hash_(code_key(value.code)), system)))
    return either([one_of("x.code", "int8", codes), *_grouped(pairs)])


def _grouped(pairs: list[Sql]) -> list[Sql]:
    """Many pairs as one join-like condition: hundreds of `or` would be planned one by one."""
    full = [each.values for each in pairs if len(each.values) == 2]
    if len(full) <= 1:
        return pairs
    codes, systems = zip(*full, strict=True)
    together = Sql(
        "x.code = any(%s::int8[]) and (x.code, x.system) in (select * from unnest(%s::int8[], %s::int8[]))",
        (list(codes), list(codes), list(systems)),
    )
    return [together, *(each for each in pairs if len(each.values) == 1)]


def references(values: Sequence[ReferenceValue]) -> Sql:
    return one_of("x.target", "uuid", [target_key(each) for value in values for each in value.targets])


def dates(values: Sequence[DateValue]) -> Sql:
    return either(_date(value) for value in values)


def _date(value: DateValue) -> Sql:  # noqa: PLR0911  # one arm a kind
    low, high = value.low, value.high
    match value.prefix:
        case "eq":
            return Sql("x.low >= %s and x.low < %s and x.high <= %s", (low, high, high))
        case "ne":
            return Sql("not (x.low >= %s and x.high <= %s)", (low, high))
        case "gt":
            return Sql("x.high > %s", (high,))
        case "lt":
            return Sql("x.low < %s", (low,))
        case "ge":
            return Sql("(x.low >= %s or x.high > %s)", (low, high))
        case "le":
            return Sql("(x.low < %s or x.high <= %s)", (low, high))
        case "sa":
            return Sql("x.low >= %s", (high,))
        case "eb":
            return Sql("x.high <= %s", (low,))
        case _:
            return Sql("x.low < %s and x.high > %s", (high, low))


def instants(values: Sequence[DateValue], column: str) -> Sql:
    """The same for a column that holds one instant."""
    return either(_instant(value, column) for value in values)


def _instant(value: DateValue, column: str) -> Sql:
    low, high = value.low, value.high
    match value.prefix:
        case "eq" | "ap":
            return Sql(f"{column} >= %s and {column} < %s", (low, high))
        case "ne":
            return Sql(f"({column} < %s or {column} >= %s)", (low, high))
        case "gt" | "sa":
            return Sql(f"{column} >= %s", (high,))
        case "lt" | "eb":
            return Sql(f"{column} < %s", (low,))
        case "ge":
            return Sql(f"{column} >= %s", (low,))
        case _:
            return Sql(f"{column} < %s", (high,))


def numbers(values: Sequence[NumberValue]) -> Sql:
    """Numbers, and quantities in every unit that the search may mean: its own name, and what UCUM converts it to."""
    return either(_in_unit(value, unit, factor) for value in values for unit, factor in _units(value))


def _units(value: NumberValue) -> list[tuple[int, str]]:
    if value.code is None:
        return [(0, "")]
    found = []
    if value.system in {None, UCUM} and canonical_unit(Decimal(1), value.code) is not None:
        dimension = canonical_unit(Decimal(1), value.code)
        assert dimension is not None  # noqa: S101  # asked the line before
        found.append((dimension[0], value.code))
    if value.system != UCUM or not found:
        found.append((unit_key(value.system or "", value.code), ""))
    return found


def _in_unit(value: NumberValue, unit: int, code: str) -> Sql:
    number, low, high = (_converted(each, code) for each in (value.number, value.low, value.high))
    compared = _range(value, number, low, high)
    return Sql(f"x.unit = %s and {compared.text}", (unit, *compared.values))


def _converted(number: Decimal, code: str) -> int:
    found = canonical_unit(number, code) if code else None
    return scaled(found[1] if found else number)


def _range(value: NumberValue, number: int, low: int, high: int) -> Sql:  # noqa: PLR0911  # one arm a kind
    match value.prefix:
        case "eq":
            return Sql("x.low >= %s and x.low < %s and x.high < %s", (low, high, high))
        case "ne":
            return Sql("not (x.low >= %s and x.high < %s)", (low, high))
        case "gt":
            return Sql("x.high > %s", (number,))
        case "lt":
            return Sql("x.low < %s", (number,))
        case "ge":
            return Sql("x.high >= %s", (number,))
        case "le":
            return Sql("x.low <= %s", (number,))
        case "sa":
            return Sql("x.low > %s", (number,))
        case "eb":
            return Sql("x.high < %s", (number,))
        case _:
            return Sql("x.low <= %s and x.high >= %s", (high, low))
