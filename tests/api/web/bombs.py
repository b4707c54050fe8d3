"""Input made to cost more than it is worth: several hundred bombs, each with what the server does with it.

A bomb passes when it is refused by an error of ours, or taken without harm; what it may cost is for `bombing` to see.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from adapters.fhir.validation import check as valid
from api.fhir import server as fhir_server
from api.fhir.text import parse, too_deep
from api.fhir.weight import refuse_heavy
from domain import fhirpath
from domain.errors import Invalid
from domain.terminology import filters
from rules.checking.checker import check as check_rule
from rules.points import shipped_registry
from store.search import parse_query
from tests.api.web.bomb import KIB, Bomb
from tests.api.web.request_bombs import forms, heads

SIZES = (8 * KIB, 64 * KIB, 256 * KIB)
WHEN = datetime(2026, 11, 24, tzinfo=UTC)


def _filled(start: str, each: str, end: str, size: int) -> bytes:
    return (start + each * max(1, (size - len(start) - len(end)) // len(each.encode())) + end).encode()


def _body(body: bytes) -> None:
    """As the FHIR server reads a body, up to where it would be kept."""
    sent = parse(body)
    if isinstance(sent, dict):
        refuse_heavy(sent)
        if valid(sent):
            raise Invalid("it is no resource that may be kept")


PATIENT = '{"resourceType":"Patient",'
QUESTIONNAIRE = '{"resourceType":"Questionnaire","status":"draft","item":['
BUNDLE = '{"resourceType":"Bundle","type":"transaction","entry":['

JSON: dict[str, tuple[str, str, str]] = {
    "lists that open": ("", "[", ""),
    "objects that open": ("", '{"a":', ""),
    "lists in a name": (PATIENT + '"name":', "[", ""),
    "extensions in extensions": (PATIENT + '"extension":[', '{"extension":[', ""),
    "contained in contained": (PATIENT + '"contained":[', '{"resourceType":"Patient","contained":[', ""),
    "empty lists": (PATIENT + '"name":[', "[],", "[]]}"),
    "empty objects": (PATIENT + '"name":[', "{},", "{}]}"),
    "nulls": (PATIENT + '"name":[', "null,", "null]}"),
    "decimals": (PATIENT + '"name":[', "1.5,", "1.5]}"),
    "exponents": (PATIENT + '"name":[', "1e300,", "1]}"),
    "exponents beyond": (PATIENT + '"name":[', "1e999999999,", "1]}"),
    "one long number": (PATIENT + '"multipleBirthInteger":', "9", "}"),
    "one long fraction": (PATIENT + '"multipleBirthInteger":0.', "9", "}"),
    "one long string": (PATIENT + '"gender":"', "x", '"}'),
    "escapes": (PATIENT + '"gender":"', "\\u0041", '"}'),
    "halves of surrogates": (PATIENT + '"gender":"', "\\ud800", '"}'),
    "control characters": (PATIENT + '"gender":"', "\\u0000", '"}'),
    "quotes": (PATIENT + '"gender":"', '\\"', '"}'),
    "backslashes": (PATIENT + '"gender":"', "\\\\", '"}'),
    "one long name": (PATIENT + '"', "a", '":1}'),
    "the same name": ("{", '"a":1,', '"a":1}'),
    "spaces": ("", " ", ""),
    "spaces within": (PATIENT, " ", '"gender":"male"}'),
    "line ends": (PATIENT, "\r\n", "}"),
    "wrong names": (PATIENT + '"name":[', '{"unheard":"of"},', '{"family":1}]}'),
    "a long type": ('{"resourceType":"', "Patient", '"}'),
    "no end": (PATIENT + '"gender":"', "x", '"'),
    "NaN": (PATIENT + '"name":[', "NaN,", "NaN]}"),
    "narrative": (PATIENT + '"text":{"status":"generated","div":"<div>', "<p>", '</div>"}}'),
    "narrative's entities": (
        PATIENT + '"text":{"status":"generated","div":"<!DOCTYPE d [',
        "<!ENTITY a 'aaaaaaaaaa'>",
        ']><div>&a;</div>"}}',
    ),
    "narrative's attributes": (PATIENT + '"text":{"status":"generated","div":"<div ', "a='1' ", '></div>"}}'),
    "references": (PATIENT + '"generalPractitioner":[', '{"reference":"Patient/1"},', '{"reference":1}]}'),
    "contained references": (
        PATIENT + '"managingOrganization":{"reference":"#a"},"contained":[',
        '{"resourceType":"Organization","id":"a","partOf":{"reference":"#a"}},',
        "1]}",
    ),
    "items": (QUESTIONNAIRE, '{"linkId":"1","type":"group"},', "{}]}"),
    "questions": (QUESTIONNAIRE, '{"linkId":"1","type":"display","text":"a"},', '{"linkId":"2","type":"display"}]}'),
    "items in items": (QUESTIONNAIRE, '{"linkId":"1","type":"group","item":[', ""),
    "entries": (BUNDLE, '{"request":{"method":"DELETE","url":"Patient/1"}},', "1]}"),
    "Bundles in Bundles": (BUNDLE, '{"resource":{"resourceType":"Bundle","entry":[', ""),
    "entries' same address": (BUNDLE, '{"fullUrl":"urn:uuid:1","request":{"method":"PUT","url":"Patient/1"}},', "1]}"),
    "bytes beyond ASCII": (PATIENT + '"gender":"', "한", '"}'),
}


def _json() -> Iterator[Bomb]:
    for name, (start, each, end) in JSON.items():
        for size in SIZES:
            yield Bomb("JSON", f"{name}, {size // KIB} KiB", partial(_body, _filled(start, each, end, size)))
    raw = {
        "no UTF-8": b'{"resourceType":"Patient","gender":"' + b"\xc0\x80" * 60_000 + b'"}',
        "UTF-16": (PATIENT + '"gender":"male"}').encode("utf-16"),
        "UTF-32 marks": b"\xff\xfe\x00\x00" * 10_000,
        "zero bytes": b"\0" * 500_000,
        "brackets in strings": b'{"a":"' + b"[" * 500_000 + b'"}',
        "brackets behind escapes": b'{"a":"' + b'\\"[' * 150_000 + b'"}',
    }
    for name, body in raw.items():
        yield Bomb("JSON", name, partial(_body, body))
        yield Bomb("JSON", f"depth of {name}", partial(too_deep, body))


def _queries() -> Iterator[Bomb]:
    made: dict[str, bytes] = {
        "parameters": b"&".join(b"p%d=1" % number for number in range(5_000)),
        "the same parameter": b"&".join([b"name=a"] * 15_000),
        "ampersands": b"&" * 60_000,
        "equals": b"=" * 60_000,
        "per cents": b"%" * 60_000,
        "per cent zeros": b"name=" + b"%00" * 20_000,
        "no UTF-8": b"name=" + b"%C0%80" * 10_000,
        "a long value": b"name=" + b"a" * 60_000,
        "a long name": b"a" * 60_000 + b"=1",
        "commas": b"name=" + b"," * 60_000,
        "values": b"name=" + b"a," * 29_000,
        "bars": b"identifier=" + b"|" * 59_000,
        "a chain": b"subject" + b".subject" * 7_000 + b"=1",
        "a chain without types": b"derived-from." * 4_000 + b"x=1",
        "has": b"_has:Observation:subject:" * 2_000 + b"code=1",
        "includes": b"&".join([b"_include=Observation:*"] * 150),
        "iterated includes": b"&".join([b"_include:iterate=Observation:*"] * 150),
        "reverse includes": b"&".join([b"_revinclude=*:*"] * 150),
        "sorts": b"_sort=" + b"code," * 10_000,
        "a count": b"_count=" + b"9" * 50_000,
        "a date": b"date=" + b"2" * 50_000,
        "dates": b"date=" + b"ge2020-01-01," * 4_000,
        "a number": b"value-quantity=1e" + b"9" * 40_000,
        "an exponent": b"value-quantity=1e999999999",
        "elements": b"_elements=" + b"id," * 15_000,
        "types": b"_type=" + b"Patient," * 7_000,
        "a cursor": b"_cursor=" + b"A" * 55_000,
        "a filter": b"_filter=" + b"(" * 55_000,
        "escapes": b"name=" + b"\\," * 29_000,
        "modifiers": b"name" + b":exact" * 9_000 + b"=1",
        "composites": b"component-code-value-quantity=" + b"a$1," * 12_000,
        "near": b"near=" + b"1|" * 25_000,
    }

    def go(kind: str | None, query: bytes) -> None:
        parse_query(kind, fhir_server._parameters(query), now=WHEN)

    for name, query in made.items():
        for kind in ("Observation", "Patient", None):
            yield Bomb("query", f"{name} of {kind or 'everything'}", partial(go, kind, query))


def _expressions() -> Iterator[Bomb]:
    resource = {"resourceType": "Patient", "name": [{"family": "a" * 2_000}]}
    made = {
        "brackets": "(" * 5_000,
        "closed brackets": "(" * 2_000 + "1" + ")" * 2_000,
        "minus": "-" * 5_000 + "1",
        "sums": "1+" * 5_000 + "1",
        "unions": "name|" * 5_000 + "name",
        "ands": "true and " * 3_000 + "true",
        "dots": "name" + ".name" * 5_000,
        "indexes": "name" + "[0]" * 5_000,
        "where in where": "where(" * 2_000,
        "children": "children()" + ".children()" * 300,
        "descendants": "descendants()" + ".descendants()" * 300,
        "repeat": "repeat(children())" * 1 + ".repeat(children())" * 300,
        "repeat for ever": "name.repeat($this)",
        "a long string": "'" + "a" * 200_000 + "'",
        "escapes": "'" + "\\u0041" * 30_000 + "'",
        "a long number": "9" * 100_000,
        "a long fraction": "0." + "9" * 100_000,
        "a power": "9999999999.power(9999999999)",
        "powers": "2" + ".power(9)" * 30,
        "an exponent": "10000.exp()",
        "a long name": "a" * 200_000,
        "comments": "/*" * 50_000,
        "spaces": " " * 200_000 + "1",
        "regex plus": "name.family.matches('(a+)+$b')",
        "regex star": "name.family.matches('(a*)*b')",
        "regex or": "name.family.matches('(a|a)*b')",
        "regex nested": "name.family.matches('((a{1,100}){1,100}){1,100}b')",
        "regex counts": "name.family.matches('a{1000000}')",
        "regex brackets": f"name.family.matches('{'(' * 2_000}a{')' * 2_000}')",
        "regex classes": f"name.family.matches('{'[a-z]?' * 300}{'[a-z]' * 300}')",
        "regex dots": f"name.family.matches('{'.*' * 100}b')",
        "regex look": "name.family.matches('(?=(a+))b')",
        "regex back": r"name.family.matches('(a*)\\1b')",
        "replacing": "name.family.replaceMatches('a', 'aaaaaaaaaa')" + ".replaceMatches('a', 'aaaaaaaaaa')" * 10,
        "replacing nothing": "name.family.replace('', 'aaaaaaaaaa')" + ".replace('', 'aaaaaaaaaa')" * 10,
        "toChars": "name.family.toChars()" + ".toChars()" * 50,
        "combine": "name" + ".combine(name)" * 200,
        "combine itself": "name.select($this.combine($this)" * 100,
        "aggregate": "name.family.toChars().aggregate($total & $total & $this, 'a')",
        "join": "name.family.toChars().join('a')" + ".toChars().join('a')" * 20,
    }

    def go(expression: str) -> None:
        fhirpath.parse(expression).evaluate(resource)

    for name, expression in made.items():
        yield Bomb("FHIRPath", name, partial(go, expression))


def _patterns() -> Iterator[Bomb]:
    made = {
        "plus": "(a+)+$",
        "star": "(a*)*$",
        "or": "(a|a)*$",
        "or of more": "(a|aa)+$",
        "nested counts": "((a{1,100}){1,100}){1,100}",
        "a count": "a{100000}",
        "brackets": "(" * 900,
        "closed brackets": "(" * 400 + "a" + ")" * 400,
        "classes": r"\p{L}" * 190,
        "counted classes": r"\p{L}{1000}" * 80,
        "dots": ".*" * 450 + "b",
        "question marks": "a?" * 300 + "a" * 300,
        "look": "(?=a)b",
        "back": r"(a)\1",
        "too long": "a" * 5_000,
        "flags": "(?i)" * 200 + "a",
        "names": "".join(f"(?P<n{number}>a)" for number in range(60)),
    }

    def go(pattern: str) -> None:
        filters._pattern(pattern).fullmatch("a" * 50_000 + "!")

    for name, pattern in made.items():
        yield Bomb("pattern", name, partial(go, pattern))


def _rules() -> Iterator[Bomb]:
    """Some 256 KiB each: of a longer document not even the JSON is read."""
    registry = shipped_registry()
    whole: dict[str, Any] = {"id": "x", "version": "1.0.0", "title": {"ko": "가", "en": "a"}, "point": "beds.x"}

    def deep(operator: str, depth: int) -> Any:
        logic: Any = {"var": "patient.age"}
        for _ in range(depth):
            logic = {operator: [logic, 1]}
        return logic

    made: dict[str, Any] = {
        f"{operator} {depth} deep": deep(operator, depth)
        for operator in ("+", "and", "if", "!")
        for depth in (60, 500, 20_000)
    }
    made |= {
        "many operands": {"+": [1] * 100_000},
        "many or": {"or": [{"==": [{"var": "patient.age"}, n]} for n in range(6_500)]},
        "a long if": {"if": [*([{"<": [{"var": "patient.age"}, 1]}, "a"] * 5_000), "b"]},
        "reduce": {"reduce": [[1] * 50_000, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]},
        "a long variable": {"var": "a." * 100_000},
        "a long name": {"a" * 200_000: 1},
        "many names": {f"n{number}": 1 for number in range(25_000)},
        "a large number": 10**3_000,
        "a long string": "x" * 250_000,
        "nulls": [None] * 50_000,
        "lists": [[[]]] * 30_000,
        "not JSON": {1, 2, 3},
        "infinite": float("inf"),
    }
    table = {"inputs": [{"fact": "patient.age"}], "rows": [{"when": ["<1"], "then": "a"}] * 6_000}

    def go(document: Any) -> None:
        if any(each.severity == "error" for each in check_rule(document, registry)):
            raise Invalid("it is no rule")

    for name, logic in made.items():
        yield Bomb("rule", f"logic: {name}", partial(go, whole | {"logic": logic}))
        yield Bomb("rule", f"document: {name}", partial(go, logic))
    yield Bomb("rule", "rows of a table", partial(go, whole | {"table": table}))
    yield Bomb("rule", "tests", partial(go, whole | {"logic": 1, "tests": [{"name": "a"}] * 18_000}))


def bombs() -> list[Bomb]:
    made = [*_json(), *_queries(), *_expressions(), *_patterns(), *_rules(), *heads(), *forms()]
    random.Random(20261124).shuffle(made)  # noqa: S311  # no bomb profits from the one before
    return made


def said(bomb: Bomb) -> str:
    """What came of it: "taken", or the kind of the refusal."""
    try:
        bomb.go()
    except Exception as refused:
        return type(refused).__name__
    return "taken"
