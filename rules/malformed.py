"""What keeps a document from being read, in sentences: each with the place in the document as it was written."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from rules.findings import MOST_FINDINGS, Finding, escaped, finding
from rules.sentences import SENTENCES

_OWN: Final = "rule:"
_AT: Final = "at"
_LONGEST: Final = 60

_TYPES: Final = {
    "string_type": ("text", "글"),
    "int_type": ("a whole number", "정수"),
    "float_type": ("a number", "수"),
    "bool_type": ("true or false", "true 또는 false"),
    "list_type": ("a list", "목록"),
    "tuple_type": ("a list", "목록"),
    "dict_type": ("an object", "객체"),
    "model_type": ("an object", "객체"),
    "model_attributes_type": ("an object", "객체"),
}
_PATTERNS: Final = {
    r"^[a-z0-9][a-z0-9-]{0,62}$": (
        "small letters, digits and hyphens, 63 at most",
        "영문 소문자, 숫자, 붙임표(-)로 63자 이내",
    ),
    r"^\d+\.\d+\.\d+$": ("three numbers such as 1.0.0", "1.0.0처럼 점으로 나눈 세 수"),
    r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$": ("a fact's path such as result.value", "result.value 같은 사실의 경로"),
}


def wrong(code: str, at: str = "", **details: object) -> PydanticCustomError:
    """An error to raise in a validator. at: the place below what is validated, as a JSON Pointer."""
    english, _ = SENTENCES[code]
    said = {name: str(value)[:_LONGEST] for name, value in details.items()}
    context = {"sentence": english.format(**said), _AT: at, **said}
    # What people send stays out of the template, whose braces would be filled in.
    return PydanticCustomError(f"{_OWN}{code}", "{sentence}", context)


def malformed(raw: Any, invalid: ValidationError) -> tuple[Finding, ...]:
    """The findings of a document that did not validate, one a place."""
    found: dict[str, Finding] = {}
    for error in invalid.errors(include_url=False)[:MOST_FINDINGS]:
        if error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
            continue  # its items were left out, each for what is told of it
        pointer, whole = _place(raw, error)
        each = _finding(error, pointer)
        if (
            pointer in found and not whole and found[pointer] != each
        ):  # the kinds that might stand here, one after another
            each = finding("member-kind", pointer)
        found[pointer] = each
    return tuple(found.values())


def _place(raw: Any, error: ErrorDetails) -> tuple[str, bool]:
    """The pointer into what was written, and whether every step of the error's place led there.

    Where one of several kinds may stand, the name of a kind is among the steps: it is no place.
    """
    here: Any = raw
    steps, whole = list[str | int](), True
    for place, step in enumerate(error["loc"]):
        item = isinstance(here, list | tuple) and isinstance(step, int) and step < len(here)
        if item or (isinstance(here, dict) and step in here):
            here = here[step]
        elif error["type"] != "missing" or place != len(error["loc"]) - 1:
            whole = False
            continue
        steps.append(step)
    at = error.get("ctx", {}).get(_AT, "")
    return "".join(f"/{escaped(step)}" for step in steps) + at, whole


def _finding(error: ErrorDetails, pointer: str) -> Finding:
    kind, context = error["type"], error.get("ctx", {})
    name = pointer.rpartition("/")[2]
    if kind.startswith(_OWN):
        return finding(
            kind.removeprefix(_OWN), pointer, **{k: v for k, v in context.items() if k not in {_AT, "sentence"}}
        )
    if kind == "missing":
        return finding("member-missing", pointer, name=name)
    if kind == "extra_forbidden":
        return finding("member-unknown", pointer, name=name[:_LONGEST])
    if kind in _TYPES:
        expected_en, expected_ko = _TYPES[kind]
        return finding("wrong-kind", pointer, expected_en=expected_en, expected_ko=expected_ko)
    if kind in {"literal_error", "enum"}:
        expected = _listed(str(context["expected"]))
        return finding("member-choice", pointer, expected=expected)
    if kind == "string_pattern_mismatch" and context["pattern"] in _PATTERNS:
        expected_en, expected_ko = _PATTERNS[context["pattern"]]
        return finding("member-pattern", pointer, expected_en=expected_en, expected_ko=expected_ko)
    if kind == "too_short":
        return finding("too-few", pointer, limit=context["min_length"])
    if kind == "string_too_short":
        return finding("text-empty", pointer)
    if kind == "string_too_long":
        return finding("text-too-long", pointer, limit=context["max_length"])
    if kind.startswith("date_"):
        return finding("member-date", pointer)
    if kind.startswith(("datetime", "timezone")):
        return finding("member-instant", pointer)
    return finding("malformed", pointer, detail=error["msg"])


def _listed(expected: str) -> str:
    """`'a', 'b' or 'c'` without its quotes and its word."""
    return expected.replace(" or ", ", ").replace("'", "")
