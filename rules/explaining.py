"""Why a rule said what it said, and why it did not say something else, in plain English and Korean."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rules.document import RuleDocument
from rules.engine import Compiled, Evaluated, RuleEngine, Why, normalised
from rules.facts import Facts, look_up
from rules.oracle import Trace, Undecided, answer
from rules.syntax import Call, Literal, Node, walk
from rules.wording import Words

_REASONS: Mapping[Why, tuple[str, str]] = {
    Why.MISSING_FACT: ("a fact that it needs is missing", "필요한 사실이 없습니다"),
    Why.WRONG_FACT: ("a fact is not what it claims to be", "사실의 값이 정의와 다릅니다"),
    Why.NO_ROW: ("no row of the table answers", "표에 답하는 행이 없습니다"),
    Why.ROWS_DISAGREE: ("rows of the table contradict each other", "표의 행이 서로 다르게 답합니다"),
    Why.BUDGET: ("it would take too long", "계산이 너무 오래 걸립니다"),
    Why.ERROR: ("it cannot be worked out", "계산할 수 없습니다"),
}


@dataclass(frozen=True)
class Explanation:
    """The sentences of one language.

    answer: what was said.  reads: the facts that were looked at, with their values.  why: the conditions that led
    there, in order.  why_not: for each other answer that was weighed, the condition that kept it away.
    """

    answer: str
    reads: tuple[str, ...]
    why: tuple[str, ...]
    why_not: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return (self.answer, *self.reads, *self.why, *self.why_not)


def explain(engine: RuleEngine, document: RuleDocument, facts: Facts, language: str) -> Explanation:
    """The rule's answer to these facts, explained in `en` or `ko`. The answer itself is the engine's."""
    evaluated = engine.evaluate(document, facts)
    compiled = engine.compiled(document)
    given = normalised(compiled, facts)
    trace = Trace()
    with suppress(Undecided):  # the trace holds how far it came; the engine says why it stopped
        answer(compiled.tree, given, trace)
    words = Words(language, engine.registry.facts, given)
    why, why_not = _paths(compiled.tree, trace, document, words, evaluated)
    reads = tuple(f"{words.title(name)}: {words.value(name, value)}" for name, value in trace.reads.items())
    wrong = tuple(_lie(words, name, facts) for name in evaluated.wrong)
    return Explanation(_answer(document, compiled, evaluated, words), reads + wrong, why, why_not)


def _answer(document: RuleDocument, compiled: Compiled, evaluated: Evaluated, words: Words) -> str:
    ko = words.language == "ko"
    if evaluated.reason is None:
        if evaluated.number is not None:
            return f"{document.title.in_(words.language)}: {evaluated.outcome}"
        texts = [document.outcomes[key].text.in_(words.language) for key in evaluated.outcomes]
        nothing = "해당 없음" if ko else "nothing applies"
        return f"{document.title.in_(words.language)}: {'; '.join(texts) or nothing}"
    reason = _REASONS[evaluated.reason][1 if ko else 0]
    names = ", ".join(words.title(name) for name in evaluated.missing or evaluated.wrong)
    meanwhile = compiled.point.fallback.effect.in_(words.language)
    if ko:
        return f"판정하지 못했습니다. {reason}{f' ({names})' if names else ''}. 그동안: {meanwhile}"
    return f"Not decided: {reason}{f' ({names})' if names else ''}. Meanwhile: {meanwhile}"


def _lie(words: Words, name: str, facts: Facts) -> str:
    """What was supplied is not repeated: it is not known what it is, so it may be anything about anybody."""
    kind = type(look_up(facts, tuple(name.split(".")))).__name__
    if words.language == "ko":
        return f"{words.title(name)}: 정의와 맞지 않는 값({kind})"
    return f"{words.title(name)}: a value that does not fit its declaration ({kind})"


def _paths(
    tree: Node, trace: Trace, document: RuleDocument, words: Words, evaluated: Evaluated
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The branches of the `if`s that were asked: those taken, and those not with what they would have given."""
    taken: list[str] = []
    refused: dict[str, str] = {}
    ko = words.language == "ko"
    for node in walk(tree):
        if not isinstance(node, Call) or node.operator != "if":
            continue
        for condition, branch in zip(node.arguments[:-1:2], node.arguments[1::2], strict=True):
            met = _met(condition, trace)
            if met is None:
                continue
            said = words.condition(condition)
            if met:
                taken.append(f"{'충족' if ko else 'Met'}: {said}")
                continue
            for key in _outcomes(branch, document):
                if key not in evaluated.outcomes and key not in refused:
                    text = document.outcomes[key].text.in_(words.language)
                    refused[key] = f"‘{text}’ 아님: 충족되지 않음 — {said}" if ko else f"Not ‘{text}’: not met — {said}"
    return tuple(dict.fromkeys(taken)), tuple(refused.values())


def _met(condition: Node, trace: Trace) -> bool | None:
    if isinstance(condition, Literal):
        return bool(condition.value)
    return trace.conditions.get(condition.pointer)


def _outcomes(branch: Node, document: RuleDocument) -> list[Any]:
    return (
        [node.value for node in walk(branch) if isinstance(node, Literal) and node.value in document.outcomes]
        if not isinstance(branch, Call) or branch.operator != "if"
        else []
    )
