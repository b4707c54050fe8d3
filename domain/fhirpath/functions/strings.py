"""Functions of strings.

hl7.org/fhirpath/N1/#string-manipulation; encode, escape, trim, split, join, matchesFull as hl7.org/fhirpath/ has them.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from domain.fhirpath import patterns
from domain.fhirpath.evaluation import LONGEST_TEXT, Run
from domain.fhirpath.functions.registry import Eager, eager, text_of, whole_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import STRING
from domain.fhirpath.nodes import Node, Nodes, text, truth, whole

_CHARACTERS_A_STEP: Final = 4
"""A string costs by its length: toChars() makes an item of each character, and a search goes over them all."""
_BARE_QUOTE: Final = re.compile(r'((?<!\\)(?:\\\\)*)"')


def _of_text(name: str, apply: Callable[[str], Nodes]) -> None:
    @eager(name)
    def called(run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
        value = text_of(focus, at)
        if value is None:
            return []
        run.spend(1 + len(value) // _CHARACTERS_A_STEP)
        return apply(value)


def _of_two(name: str, apply: Callable[[str, str], Nodes]) -> None:
    @eager(name, 1)
    def called(run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
        value, other = text_of(focus, at), text_of(arguments[0], at)
        if value is None or other is None:
            return []
        run.spend(1 + len(value) // _CHARACTERS_A_STEP)
        return apply(value, other)


_of_text("length", lambda value: whole(len(value)))
_of_text("upper", lambda value: text(value.upper()))
_of_text("lower", lambda value: text(value.lower()))
_of_text("trim", lambda value: text(value.strip()))
_of_text("toChars", lambda value: [Node(character, STRING) for character in value])
_of_two("startsWith", lambda value, other: truth(value.startswith(other)))
_of_two("endsWith", lambda value, other: truth(value.endswith(other)))
_of_two("contains", lambda value, other: truth(other in value))
_of_two("indexOf", lambda value, other: whole(value.find(other)))
_of_two("lastIndexOf", lambda value, other: whole(value.rfind(other)))
_of_two("split", lambda value, other: [Node(each, STRING) for each in (value.split(other) if other else value)])
_of_two("matches", lambda value, other: truth(patterns.compiled(other).found_in(value)))
_of_two("matchesFull", lambda value, other: truth(patterns.compiled(other, full=True).found_in(value)))


@eager("substring", 1, 2)
def substring(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    value, start = text_of(focus, at), whole_of(arguments[0], at)
    if value is None or start is None or not 0 <= start < len(value):
        return []
    length = whole_of(arguments[1], at) if len(arguments) == 2 else None
    return text(value[start:] if length is None else value[start : start + max(0, length)])


@eager("replace", 2)
def replace(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    value, old, new = text_of(focus, at), text_of(arguments[0], at), text_of(arguments[1], at)
    if value is None or old is None or new is None:
        return []
    if len(value) + value.count(old) * len(new) > LONGEST_TEXT:
        raise refused(f"the string grows beyond {LONGEST_TEXT} characters", at)
    return text(value.replace(old, new))


@eager("replaceMatches", 2)
def replace_matches(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    value, pattern, new = text_of(focus, at), text_of(arguments[0], at), text_of(arguments[1], at)
    if value is None or pattern is None or new is None:
        return []
    if not pattern:
        return text(value)
    if len(value) * (len(new) + 1) > LONGEST_TEXT:
        raise refused(f"the string may grow beyond {LONGEST_TEXT} characters", at)
    return text(patterns.replaced(value, pattern, new))


@eager("join", 0, 1)
def join(run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    separator = text_of(arguments[0], at) if arguments else ""
    if not focus or separator is None:
        return []
    run.spend(len(focus))
    parts = [text_of([node], at) or "" for node in focus]
    if sum(map(len, parts)) + len(parts) * len(separator) > LONGEST_TEXT:
        raise refused(f"the string grows beyond {LONGEST_TEXT} characters", at)
    return text(separator.join(parts))


def _coded(name: str, codings: dict[str, Callable[[str], str]]) -> Eager:
    """encode, decode, escape, unescape: by the name of a coding, empty where the text is not in it."""

    @eager(name, 1)
    def run(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
        value, coding = text_of(focus, at), text_of(arguments[0], at)
        if value is None or coding is None:
            return []
        if coding not in codings:
            raise refused(f"{name} knows {', '.join(sorted(codings))}", at)
        try:
            return text(codings[coding](value))
        except (ValueError, binascii.Error):
            return []

    return run


def _unescaped_json(value: str) -> str:
    """A quote that is not escaped stands for itself: there is no string here that it could end."""
    quoted = _BARE_QUOTE.sub(r'\1\\"', value)
    return str(json.loads(f'"{quoted}"'))


_coded(
    "encode",
    {
        "base64": lambda value: base64.b64encode(value.encode()).decode(),
        "urlbase64": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
        "hex": lambda value: value.encode().hex(),
    },
)
_coded(
    "decode",
    {
        "base64": lambda value: base64.b64decode(value, validate=True).decode(),
        "urlbase64": lambda value: base64.b64decode(value, altchars=b"-_", validate=True).decode(),
        "hex": lambda value: bytes.fromhex(value).decode(),
    },
)
_coded("escape", {"html": html.escape, "json": lambda value: json.dumps(value, ensure_ascii=False)[1:-1]})
_coded("unescape", {"html": html.unescape, "json": _unescaped_json})
