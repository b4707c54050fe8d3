"""The grammar of regular expressions that the language's patterns are read by: the common core of PCRE and XML Schema.

Characters, classes, groups, alternatives, repeats, `^` and `$`. Laziness (`*?`) says only which match is taken first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from domain.errors import Invalid

_LONGEST: Final = 4_000
_DEEPEST: Final = 30
_MOST_TIMES: Final = 1_000
_DIGITS: Final = ((48, 57),)
_WORD: Final = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final = ((9, 13), (32, 32))
_CLASSES: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_EVERYTHING: Final = ((0, 0x10FFFF),)
_COUNTED: Final = re.compile(r"\{(\d{1,6})(?:(,)(\d{1,6})?)?\}", re.ASCII)

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of the ranges."""

    ranges: Ranges

    def take(self, character: str) -> bool:
        code = ord(character)
        return any(first <= code <= last for first, last in self.ranges)

    def python(self) -> str:
        return f"[{''.join(f'{_code(first)}-{_code(last)}' for first, last in self.ranges)}]"


@dataclass(frozen=True, slots=True)
class Edge:
    """`^` or `$`: an end of the text, never of a line."""

    side: str

    def python(self) -> str:
        return r"\A" if self.side == "^" else r"\Z"


@dataclass(frozen=True, slots=True)
class Group:
    inner: Part
    captured: bool

    def python(self) -> str:
        return f"({'' if self.captured else '?:'}{self.inner.python()})"


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Part, ...]

    def python(self) -> str:
        return "".join(part.python() for part in self.parts)


@dataclass(frozen=True, slots=True)
class Alternatives:
    choices: tuple[Part, ...]

    def python(self) -> str:
        return f"(?:{'|'.join(part.python() for part in self.choices)})"


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` None: without end."""

    inner: Part
    least: int
    most: int | None
    lazy: bool = False

    def python(self) -> str:
        most = "" if self.most is None else self.most
        return f"(?:{self.inner.python()}){{{self.least},{most}}}{'?' if self.lazy else ''}"


Part = Characters | Edge | Group | Sequence | Alternatives | Repeat


def _code(code: int) -> str:
    return f"\\U{code:08x}"


def _complement(ranges: Ranges) -> Ranges:
    found, start = [], 0
    for first, last in sorted(ranges):
        if start < first:
            found.append((start, first - 1))
        start = max(start, last + 1)
    if start <= 0x10FFFF:
        found.append((start, 0x10FFFF))
    return tuple(found)


def _refuse(problem: str) -> NoReturn:
    raise Invalid(f"FHIRPath: a regular expression {problem}")


def read(pattern: str) -> Part:
    """Raises Invalid for what is malformed, or not of this core."""
    if len(pattern) > _LONGEST:
        _refuse(f"longer than {_LONGEST} characters")
    reader = _Reader(pattern)
    part = reader.alternatives()
    if reader.rest:
        _refuse("closes a bracket that is not open")
    return part


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    @property
    def rest(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        character = self.rest
        if not character:
            _refuse("ends too early")
        self._at += 1
        return character

    def alternatives(self) -> Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            _refuse(f"nested deeper than {_DEEPEST} levels")
        choices = [self._sequence()]
        while self.rest == "|":
            self._at += 1
            choices.append(self._sequence())
        self._depth -= 1
        return choices[0] if len(choices) == 1 else Alternatives(tuple(choices))

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self.rest and self.rest not in "|)":
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _atom(self) -> Part:
        character = self._take()
        match character:
            case "(":
                captured = not self._pattern.startswith("?", self._at)
                if not captured:
                    if not self._pattern.startswith("?:", self._at):
                        _refuse("looks around, which is not supported")
                    self._at += 2
                inner = self.alternatives()
                if self._take() != ")":
                    _refuse("does not close a bracket")
                return Group(inner, captured)
            case "[":
                return self._class()
            case ".":
                return Characters(_EVERYTHING)
            case "^" | "$":
                return Edge(character)
            case "\\":
                return Characters(self._escape())
            case "*" | "+" | "?":
                _refuse("repeats nothing")
            case _:
                return Characters(((ord(character), ord(character)),))

    def _escape(self) -> Ranges:
        character = self._take()
        if character.lower() in _CLASSES:
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _complement(ranges)
        if character in "xu":
            length = 2 if character == "x" else 4
            digits = self._pattern[self._at : self._at + length]
            if not re.fullmatch(rf"[0-9A-Fa-f]{{{length}}}", digits):
                _refuse("has a malformed character code")
            self._at += length
            return ((int(digits, 16), int(digits, 16)),)
        plain = _ESCAPED.get(character, character)
        if plain == character and character.isalnum() and character.isascii():
            _refuse("has an escape that is not supported")
        return ((ord(plain), ord(plain)),)

    def _class(self) -> Part:
        negated = self.rest == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self.rest != "]":
            first = False
            one = self._member()
            dash = self._pattern.startswith("-", self._at) and not self._pattern.startswith("-]", self._at)
            if dash and len(one) == 1 and one[0][0] == one[0][1]:
                self._at += 1
                other = self._member()
                if len(other) != 1 or other[0][0] < one[0][0]:
                    _refuse("has a range that runs backwards")
                one = ((one[0][0], other[0][1]),)
            ranges.extend(one)
        self._at += 1
        return Characters(_complement(tuple(ranges)) if negated else tuple(ranges))

    def _member(self) -> Ranges:
        character = self._take()
        return self._escape() if character == "\\" else ((ord(character), ord(character)),)

    def _repeated(self, part: Part) -> Part:
        while self.rest and self.rest in "*+?{":
            match = _COUNTED.match(self._pattern, self._at)
            if match is not None:
                least = int(match.group(1))
                most = None if match.group(2) and not match.group(3) else int(match.group(3) or least)
                self._at = match.end()
            elif self.rest == "{":
                _refuse("has a malformed count")
            else:
                sign = self._take()
                least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
            if max(least, most or 0) > _MOST_TIMES or (most is not None and most < least):
                _refuse(f"counts beyond {_MOST_TIMES}, or backwards")
            lazy = self.rest == "?"
            self._at += lazy
            part = Repeat(part, least, most, lazy)
        return part
