"""Importing CertLogic, the rule language of the EU's health certificates, as rule documents.

CertLogic is JSONLogic with dates, loose about what is absent. An import makes each looseness explicit: a certificate's
first entry of each kind and its times become derived facts (`facts_of`), `plusTime` an addition of milliseconds,
`before` a `<`, and a comparison with an absent field is guarded by `exists`. What has no such meaning is refused.
Source: ehn-dcc-development/eu-dcc-business-rules, specification of CertLogic 1.x.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.errors import RuleUnusable
from rules.document import RuleDocument, load
from rules.facts import FactDefinition
from rules.points import PointDefinition, Registry
from rules.syntax import Names, Var, read, walk

POINT = "certificate-accepted"
_KINDS = {"r": "recovery", "t": "test", "v": "vaccination"}
_TIMES = {"fr", "df", "du", "sc", "dt"}
_NUMBERS = {"dn", "sd"}
_CODES = {"tg", "tt", "tr", "ma", "mp"}
_UNITS = {"hour": 3_600_000, "day": 86_400_000}
_COMPARED = {
    "before": "<",
    "after": ">",
    "not-before": ">=",
    "not-after": "<=",
    "<": "<",
    ">": ">",
    "<=": "<=",
    ">=": ">=",
}
_SETS = {
    "disease-agent-targeted": ("value_sets.tg", "tg"),
    "covid-19-lab-test-type": ("value_sets.tt", "tt"),
    "covid-19-lab-test-manufacturer-and-name": ("value_sets.ma", "ma"),
    "covid-19-lab-result": ("value_sets.tr", "tr"),
}


def _definitions() -> dict[str, FactDefinition]:
    def fact(path: str, kind: str, **more: Any) -> tuple[str, FactDefinition]:
        title = {"ko": f"인증서 {path}", "en": f"certificate {path}"}
        about = {"privacy": "clinical", "source": "EU digital COVID certificate", "title": title}
        return path, FactDefinition.model_validate({"path": path, "type": kind} | about | more)

    facts = [fact("clock", "integer", unit="ms"), fact("dob", "integer", unit="ms", absent=True)]
    for kind in _KINDS:
        facts.append(fact(f"{kind}.count", "integer", unit="1", minimum=0))
        facts.extend(fact(f"{kind}.{name}", "integer", unit="ms", absent=True) for name in sorted(_TIMES))
        facts.extend(fact(f"{kind}.{name}", "integer", unit="1", absent=True) for name in sorted(_NUMBERS))
        facts.extend(fact(f"{kind}.{name}", "code", system=f"urn:dcc:{name}", absent=True) for name in sorted(_CODES))
    facts.extend(fact(path, "codes", system=f"urn:dcc:{name}") for path, name in _SETS.values())
    return dict(facts)


def _point() -> PointDefinition:
    title = {"ko": "인증서 인정", "en": "Certificate accepted"}
    return PointDefinition.model_validate(
        {
            "id": POINT,
            "title": title,
            "purpose": title,
            "process": "certificate check",
            "facts": list(_definitions()),
            "pin": "latest",
            "fallback": {
                "outcome": "by-hand",
                "effect": {"ko": "사람이 확인합니다", "en": "A person looks"},
                "position": "attending",
                "minutes": 0,
            },
        }
    )


def certificate_registry() -> Registry:
    """The facts that a certificate gives, and the one decision point that asks its rules."""
    return Registry(_definitions(), {POINT: _point()})


def facts_of(payload: Mapping[str, Any], external: Mapping[str, Any]) -> dict[str, Any]:
    """The derived facts of a certificate. Times are milliseconds since 1970; absent fields stay absent."""
    facts: dict[str, Any] = (
        {"clock": _milliseconds(external["validationClock"])} if "validationClock" in external else {}
    )
    if payload.get("dob"):
        facts["dob"] = _milliseconds(payload["dob"])
    for kind in _KINDS:
        entries = [entry for entry in payload.get(kind) or [] if entry]  # an empty entry is none, as in CertLogic
        first = entries[0] if entries else {}
        known: dict[str, Any] = {"count": len(entries)}
        known |= {name: _milliseconds(first[name]) for name in _TIMES if first.get(name)}
        known |= {name: first[name] for name in _NUMBERS | _CODES if first.get(name) is not None}
        facts[kind] = known
    sets = external.get("valueSets", {})
    facts["value_sets"] = {path.split(".")[1]: sets[name] for name, (path, _) in _SETS.items() if name in sets}
    return facts


def imported(rule: Mapping[str, Any], tests: list[Mapping[str, Any]]) -> RuleDocument:
    """A certificate's rule with its tests as a document. Raises RuleUnusable for what has no meaning in the profile."""
    logic = {"if": [_condition(rule["Logic"]), "accepted", "refused"]}
    tree, findings = read(logic)
    if findings:
        raise RuleUnusable(findings[0].en, pointer=findings[0].pointer)
    reads = {node.name for node in walk(tree) if isinstance(node, Var) and node.name}
    reads |= {".".join(path) for node in walk(tree) if isinstance(node, Names) for path in node.paths}
    name = str(rule["Identifier"])
    said = {text["lang"]: text["desc"] for text in rule["Description"]}
    return load(
        {
            "id": name.lower(),
            "version": rule["Version"],
            "title": {"ko": f"건강증명서 규칙 {name}", "en": said.get("en", name)},
            "source": f"EU digital COVID certificate rules, {name}",
            "rationale": {
                "ko": f"{rule['Country']}의 국가 규칙입니다.",
                "en": f"A national rule of {rule['Country']}.",
            },
            "owner": "attending",
            "review_by": rule["ValidTo"][:10],
            "profile": "jl-strict/1",
            "decision_point": POINT,
            "scope": {"level": "national", "place": rule["Country"]},
            "effective": {"since": rule["ValidFrom"], "until": rule["ValidTo"]},
            "facts": sorted(reads),
            "outcomes": {
                "accepted": {"values": {}, "text": {"ko": "인정", "en": "Accepted"}},
                "refused": {"values": {}, "text": {"ko": "인정 안 함", "en": "Not accepted"}},
                "by-hand": {"values": {}, "text": {"ko": "사람이 확인", "en": "A person looks"}},
            },
            "fallback": "by-hand",
            "logic": logic,
            "tests": [_test(number, test, reads) for number, test in enumerate(tests, start=1)],
        }
    )


def _test(number: int, test: Mapping[str, Any], reads: set[str]) -> dict[str, Any]:
    facts = facts_of(test["payload"], test["external"])
    tops = {path.split(".")[0] for path in reads}
    return {
        "name": f"{number}. {test.get('name') or 'unnamed'}",
        "facts": {name: value for name, value in facts.items() if name in tops},
        "outcome": "accepted" if test["expected"] else "refused",
    }


def _milliseconds(text: str) -> int:
    """ECMAScript's reading of a date: a year or month is its first day, a day is midnight in UTC."""
    padded = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    try:
        moment = datetime.fromisoformat(padded)
    except ValueError:
        raise RuleUnusable("not a date") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _condition(expression: Any) -> Any:
    """Something that CertLogic takes as true or false, as a boolean condition."""
    match expression:
        case bool():
            return expression
        case {"var": str(path)}:
            return _present(path)
        case {"!": [inner]}:
            return {"!": [_condition(inner)]}
        case {"and": [*parts]}:
            return {"and": [_condition(part) for part in parts]}
        case {"if": [condition, then, otherwise]}:
            return {"if": [_condition(condition), _condition(then), _condition(otherwise)]}
        case {"===": [left, right]}:
            return _guarded({"==": [_value(left), _value(right)]})
        case {"in": [{"var": str(path)}, within]}:
            return _guarded({"in": [_value({"var": path}), _value(within)]})
        case dict() if len(expression) == 1 and (operator := next(iter(expression))) in _COMPARED:
            values = [_value(part) for part in expression[operator]]
            compared = _compared(_COMPARED[operator], values)
            return _guarded(compared) if operator in _COMPARED.values() else compared
    raise RuleUnusable(f"CertLogic {_named(expression)} has no meaning as a condition here")


def _compared(sign: str, values: list[Any]) -> Any:
    if sign in {">", ">="} and len(values) == 3:
        return {"and": [{sign: values[:2]}, {sign: values[1:]}]}
    return {sign: values}


def _present(path: str) -> Any:
    match path.split("."):
        case ["payload", kind] if kind in _KINDS:
            return {">": [{"var": f"{kind}.count"}, 0]}
        case ["payload", kind, place] if kind in _KINDS and place.isdigit():
            return {">": [{"var": f"{kind}.count"}, int(place)]}
    return {"exists": _fact(path).split(".")}


def _value(expression: Any) -> Any:
    match expression:
        case str() | int() | list():
            return expression
        case {"var": str(path)}:
            return {"var": _fact(path)}
        case {"plusTime": [moment, 0, _]}:
            return _value(moment)
        case {"plusTime": [moment, int(count), str(unit)]} if unit in _UNITS:
            return {"+": [_value(moment), count * _UNITS[unit]]}
        case {"if": [condition, then, otherwise]}:
            return {"if": [_condition(condition), _value(then), _value(otherwise)]}
        case {"+": [*parts]}:
            return {"+": [_value(part) for part in parts]}
        case {"reduce": [[*items], body, start]}:
            unrolled = start
            for item in items:
                unrolled = _unrolled(body, item, unrolled)
            return _value(unrolled)
    raise RuleUnusable(f"CertLogic {_named(expression)} has no meaning as a value here")


def _unrolled(body: Any, item: Any, accumulated: Any) -> Any:
    """The body of a `reduce` with its two variables put in; the list is written out, so nothing is left to reduce."""
    match body:
        case {"var": "accumulator"}:
            return accumulated
        case {"var": str(path)} if path.startswith("current."):
            return {"var": f"{item['var']}.{path.removeprefix('current.')}"}
        case dict():
            return {name: _unrolled(part, item, accumulated) for name, part in body.items()}
        case list():
            return [_unrolled(part, item, accumulated) for part in body]
    return body


def _fact(path: str) -> str:
    match path.split("."):
        case ["external", "validationClock"]:
            return "clock"
        case ["external", "valueSets", name] if name in _SETS:
            return _SETS[name][0]
        case ["payload", "dob"]:
            return "dob"
        case ["payload", kind, "0", name] if kind in _KINDS and name in _TIMES | _NUMBERS | _CODES:
            return f"{kind}.{name}"
    raise RuleUnusable(f"the certificate's field {path} is not known")


def _guarded(comparison: Any) -> Any:
    """In CertLogic a comparison with an absent field is false."""
    tree, _ = read(comparison)
    names = {node.name for node in walk(tree) if isinstance(node, Var)}
    definitions = _definitions()
    absent = sorted(name for name in names if definitions[name].absent)
    return {"and": [*({"exists": name.split(".")} for name in absent), comparison]} if absent else comparison


def _named(expression: Any) -> str:
    return next(iter(expression), "") if isinstance(expression, dict) else type(expression).__name__
