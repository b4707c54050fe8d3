"""Finding a patient by what somebody types into one field: part of a name, a number, a telephone, a date of birth.

A patient is kept under keys (`find_keys`), and what is typed is taken apart into terms that must all be met (`terms`),
each by any of its keys. Korean is found by its beginning (김하), its given name (하나), and its initial consonants
(ㄱㅎㄴ); other scripts by the beginning of each word; and either by sound, so that Kim Hana finds 김하나.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain import resident_numbers
from domain.matching.keys import name_keys, phone, phone_keys
from domain.matching.names import names_of, plain
from domain.matching.sounds import is_hangul, sound

MOST_TERMS = 6
LONGEST = 100
_SYLLABLES, _LETTERS = 6, 12
_CONSONANTS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_DATE = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})\.?")
_BORN = "b"


@dataclass(frozen=True)
class Term:
    """One thing that a patient must have. keys: of `find_keys`.  sounds: of `name_keys`.

    weight: the higher, the fewer people are likely to have it.
    """

    keys: frozenset[str]
    sounds: frozenset[str]
    weight: int


def find_keys(patient: Mapping[str, Any]) -> set[str]:
    """The keys that a Patient is found by, besides those of `domain.matching.keys`."""
    found: set[str] = set()
    for family, given in names_of(patient):
        found.update(_name(family, given))
    for number in phone_keys(patient):
        found.update({f"t{number[-4:]}", f"t{number[-8:]}"})
    born = patient.get("birthDate")
    if isinstance(born, str) and re.fullmatch(r"\d{4}(-\d{2}){0,2}", born):
        found.update({f"{_BORN}{born}", f"{_BORN}{born[:4]}"})
    listed = patient.get("identifier")
    for each in listed[:20] if isinstance(listed, list) else ():
        value = each.get("value") if isinstance(each, dict) else None
        if isinstance(value, str) and resident_numbers.parse(value) is None and (key := _number(value)):
            found.add(key)
    return found


def _name(family: str, given: str) -> Iterator[str]:
    whole = family + given
    if is_hangul(whole):
        for text in (whole, given):
            least = 1 if text is whole else min(2, len(text))
            yield from (f"n{text[:end]}" for end in range(max(1, least), min(len(text), _SYLLABLES) + 1))
            consonants = initials(text)
            yield from (f"n{consonants[:end]}" for end in range(2, min(len(consonants), _SYLLABLES) + 1))
    else:
        for word in (family, given):
            yield from (f"l{word[:end]}" for end in range(2, min(len(word), _LETTERS) + 1))


def initials(text: str) -> str:
    """초성: the initial consonant of each syllable of Hangul; other signs are left out."""
    return "".join(_CONSONANTS[(ord(sign) - 0xAC00) // 588] for sign in text if "가" <= sign <= "힣")


def _number(text: str) -> str:
    """A number as it is kept and typed: without hyphens, spaces, case and leading zeros; '' for nothing."""
    bare = "".join(sign for sign in text.casefold() if sign.isalnum()).lstrip("0")
    return f"i{bare}" if bare and len(bare) <= 40 else ""


def terms(text: str, today: date) -> list[Term]:
    """What was typed as terms, the most telling first; none where there is nothing to go by."""
    words = text[:LONGEST].split()
    named = [word for word in words if not any(sign.isdigit() for sign in word)]
    found = [*_names(named), *(_digits(word, today) for word in _joined(words, named))]
    told = [each for each in found if each.keys or each.sounds]
    return sorted(told, key=lambda each: -each.weight)[:MOST_TERMS]


def _joined(words: Sequence[str], named: Sequence[str]) -> list[str]:
    """Words with digits; a telephone number written in groups is one."""
    digits = [word for word in words if word not in named]
    together = "".join(digits)
    counts = [len(re.sub(r"\D", "", each)) for each in digits]
    grouped = len(digits) > 1 and 9 <= sum(counts) <= 13 and (together[0] == "+" or max(counts) <= 4)
    return [together] if grouped and phone(together) else digits


def _names(words: Sequence[str]) -> Iterator[Term]:
    """Hangul words are one name (김 하나); of others each word must be there; or the whole sounds the same."""
    consonants = [word for word in words if all(sign in _CONSONANTS for sign in word)]
    hangul = "".join(bare for word in words if word not in consonants and is_hangul(bare := plain(word)))
    latin = [bare for word in words if word not in consonants and (bare := plain(word)) and not is_hangul(bare)]
    sounds = {each for each in name_keys({"name": [{"text": " ".join(words)}]}) if each.startswith("n")}
    if len(latin) == 1 and not hangul and len(latin[0]) > 2:
        sounds.add(f"g{sound(latin[0])}")
    alike = frozenset(sounds)
    for word in consonants:
        if len(word) > 1:
            yield Term(frozenset({f"n{word[:_SYLLABLES]}"}), frozenset(), len(word))
    if hangul:
        yield Term(frozenset({f"n{hangul[:_SYLLABLES]}"}), alike, 2 * len(hangul))
    for word in latin:
        if len(word) > 1:
            yield Term(frozenset({f"l{word[:_LETTERS]}"}), alike, min(6, len(word)))


def _digits(word: str, today: date) -> Term:
    keys = {number} if (number := _number(word)) else set()
    bare = re.sub(r"\D", "", word)
    written = _DATE.fullmatch(word)
    if written is not None:
        day = _day(int(written[1]), int(written[2]), int(written[3]), today)
        return Term(frozenset({f"{_BORN}{day}"} if day else ()), frozenset(), 7)
    if len(bare) == 8 and (day := _day(int(bare[:4]), int(bare[4:6]), int(bare[6:]), today)):
        keys.add(f"{_BORN}{day}")
    if len(bare) == 6:
        short = (_day(century + int(bare[:2]), int(bare[2:4]), int(bare[4:]), today) for century in (1900, 2000))
        keys.update(f"{_BORN}{day}" for day in short if day)
    if len(bare) == 4 and 1880 <= int(bare) <= today.year:
        keys.add(f"{_BORN}{bare}")
    if len(bare) == 4:
        keys.add(f"t{bare}")
    elif dialled := phone(word) or phone(bare):
        keys.add(f"t{dialled[-8:]}")
    return Term(frozenset(keys), frozenset(), 5 if len(bare) <= 4 else 9)


def _day(year: int, month: int, day: int, today: date) -> str:
    """A day of birth that can be; '' for another."""
    try:
        found = date(year, month, day)
    except ValueError:
        return ""
    return found.isoformat() if year >= 1880 and found <= today else ""
