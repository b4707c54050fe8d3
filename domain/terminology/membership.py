"""Is a code in a value set? Asked of its definition, so that sets which cannot be listed can be asked, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import TooCostly
from domain.terminology.canonicals import Canonical
from domain.terminology.filters import predicate
from domain.terminology.grammars import grammar
from domain.terminology.library import Library
from domain.terminology.value_sets import Part, ValueSet

DEEPEST = 20
"""Value sets that import value sets."""

MOST_STEPS = 2000
"""Imports looked at for one question: sets that import each other many times over are refused."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`inside` is None where it cannot be told, `unknown` then says for want of what."""

    inside: bool | None
    unknown: str = ""


YES, NO = Verdict(True), Verdict(False)


@dataclass
class _Asking:
    library: Library
    steps: int = 0
    within: tuple[str, ...] = ()


def contains(library: Library, value_set: ValueSet, system: str, code: str, version: str = "") -> Verdict:
    """Whether the code of a system is in the value set. Raises Invalid for unusable filters, TooCostly."""
    return _in_set(_Asking(library), value_set, Canonical(system, version), code)


def in_part(library: Library, part: Part, system: str, code: str) -> Verdict:
    """The same for one include or exclude."""
    return _in_part(_Asking(library), part, Canonical(system), code)


def _in_set(asking: _Asking, value_set: ValueSet, system: Canonical, code: str) -> Verdict:
    asking.steps += 1
    if asking.steps > MOST_STEPS:
        raise TooCostly("the value set imports too many value sets", limit=str(MOST_STEPS))
    if value_set.given is not None:
        listed = any(each.get("system") == system.url and each.get("code") == code for each in value_set.given)
        return YES if listed else NO
    if not value_set.inactive and _is_inactive(asking, system, code):
        return NO
    inside = _any(asking, value_set.includes, system, code)
    if inside.inside is False:
        return NO
    outside = _any(asking, value_set.excludes, system, code)
    if outside.inside:
        return NO
    return outside if outside.inside is None else inside


def _any(asking: _Asking, parts: Sequence[Part], system: Canonical, code: str) -> Verdict:
    unsettled = NO
    for part in parts:
        verdict = _in_part(asking, part, system, code)
        if verdict.inside:
            return YES
        if verdict.inside is None:
            unsettled = verdict
    return unsettled


def _in_part(asking: _Asking, part: Part, system: Canonical, code: str) -> Verdict:
    verdict = YES
    if part.system:
        verdict = _in_system(asking, part, system, code)
    elif not part.value_sets:
        return NO
    for url in part.value_sets:
        if verdict.inside is False:
            return NO
        found = _imported(asking, url, system, code)
        if found.inside is not True:
            verdict = found
    return verdict


def _in_system(asking: _Asking, part: Part, system: Canonical, code: str) -> Verdict:
    if part.system != system.url or (part.version and system.version and part.version != system.version):
        return NO
    if part.concepts is not None:
        return YES if _listed(asking, part, code) else NO
    canonical = Canonical(part.system, part.version or system.version)
    known = asking.library.code_system(canonical)
    if known is None or not known.is_here:
        return _recognised(part, canonical, code)
    concept = known.find(code)
    if concept is None:
        if known.is_whole:
            return NO
        return Verdict(None, f"only a part of the code system {canonical} is known here, and the code is not in it")
    return YES if all(predicate(known, each)(concept) for each in part.filters) else NO


def _recognised(part: Part, canonical: Canonical, code: str) -> Verdict:
    """A code of a system that is not here: of some a look is enough."""
    recognises = grammar(part.system)
    recognised = recognises(code) if recognises and not part.filters else None
    if recognised is None:
        return Verdict(None, f"the code system {canonical} is not known here")
    return YES if recognised else NO


def _listed(asking: _Asking, part: Part, code: str) -> bool:
    assert part.concepts is not None  # noqa: S101  # asked by the caller
    if code in part.concepts:
        return True
    known = asking.library.code_system(Canonical(part.system, part.version))
    if known is None or known.case_sensitive:
        return False
    concept = known.find(code)
    return concept is not None and concept.code in part.concepts


def _imported(asking: _Asking, url: str, system: Canonical, code: str) -> Verdict:
    if url in asking.within:
        return Verdict(None, f"the value set {url} imports itself")
    if len(asking.within) >= DEEPEST:
        raise TooCostly("value sets import each other too deeply", limit=str(DEEPEST))
    found = asking.library.value_set(Canonical.of(url))
    if found is None:
        return Verdict(None, f"the value set {url} is not known here")
    outer, asking.within = asking.within, (*asking.within, url)
    verdict = _in_set(asking, found, system, code)
    asking.within = outer
    return verdict


def _is_inactive(asking: _Asking, system: Canonical, code: str) -> bool:
    known = asking.library.code_system(system)
    concept = known.find(code) if known else None
    return known is not None and concept is not None and concept.place in known.inactive
