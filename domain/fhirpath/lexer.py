"""The words of a FHIRPath text, each with the place where it begins.

Lexical elements: hl7.org/fhirpath/N1/#lexical-elements and the grammar at hl7.org/fhirpath/N1/grammar.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from domain.errors import Invalid

LONGEST: Final = 64 * 1024
"""Characters of the longest text that is read. HL7's longest own expression has under 4,000."""

Kind = Literal["name", "keyword", "string", "number", "date", "time", "symbol", "variable", "special", "end"]

KEYWORDS: Final = frozenset(
    {"and", "as", "contains", "div", "false", "implies", "in", "is", "mod", "or", "true", "xor"}
)
_WORD: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+|//[^\r\n]*|/\*(?:[^*]|\*(?!/))*+\*/)
    |(?P<time>@T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)
    |(?P<date>@[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?
        (?:T(?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<string>'(?:[^'\\]|\\.)*+')
    |(?P<quoted>`(?:[^`\\]|\\.)*+`)
    |(?P<variable>%(?:[A-Za-z_][A-Za-z0-9_]*|'(?:[^'\\]|\\.)*+'|`(?:[^`\\]|\\.)*+`))
    |(?P<special>\$(?:this|index|total)\b)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<symbol><=|>=|!=|!~|[-.,()\[\]{}+*&|<>=~]|/(?!\*))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"} | {each: each for each in "'\"`/\\"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `text` is unescaped and without its quotes, `%`, `$` or `@`; `at` counts characters from 0."""

    kind: Kind
    text: str
    at: int


def refused(message: str, at: int) -> Invalid:
    """Never quotes the text: a patch's path may hold a patient's number."""
    return Invalid(f"FHIRPath at character {at + 1}: {message}", position=str(at))


def tokens(text: str) -> list[Token]:
    """Every word of `text`, ended by an `end`. Raises Invalid with its position."""
    if len(text) > LONGEST:
        raise refused(f"the expression is longer than {LONGEST} characters", LONGEST)
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise refused("this is not a word of the language, or a quote or comment is not closed", at)
        if match.lastgroup != "space":
            found.append(_token(match, at))
        at = match.end()
    return [*found, Token("end", "", at)]


def _token(match: re.Match[str], at: int) -> Token:  # noqa: PLR0911  (one a kind of word)
    word = match.group()
    match match.lastgroup:
        case "string":
            return Token("string", _unescaped(word[1:-1], at), at)
        case "quoted":
            return Token("name", _unescaped(word[1:-1], at), at)
        case "variable":
            return Token("variable", _unescaped(word[2:-1], at) if word[1] in "'`" else word[1:], at)
        case "special":
            return Token("special", word[1:], at)
        case "date":
            return Token("date", word[1:], at)
        case "time":
            return Token("time", word[2:], at)
        case "number":
            return Token("number", word, at)
        case "name":
            return Token("keyword" if word in KEYWORDS else "name", word, at)
        case _:
            return Token("symbol", word, at)


def _unescaped(text: str, at: int) -> str:
    if "\\" not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPED:
            raise refused("an unknown escape in a string", at + 1 + match.start())
        return _ESCAPED[escape]

    plain = _ESCAPE.sub(replaced, text)
    # \uD83D\uDE00 is one character beyond the basic plane, as in JSON; half of a pair is none and could not be written
    try:
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise refused("half of a surrogate pair in a string", at) from None
