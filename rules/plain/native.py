"""Rules that use more than jsonlogic.com's operators: `try`, `exists`, scopes of `val`, and what our profile adds.

The native library evaluates these, as it decides, but with the loose semantics of the compatibility suites.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from datalogic_py import DataLogicError, Engine

from rules.language import OPERATIONS_BUDGET
from rules.plain.errors import INVALID_ARGUMENTS, INVALID_LINE, NOT_A_NUMBER, TOO_DEEP, UNKNOWN_OPERATOR, NoResult
from rules.plain.evaluator import KNOWN
from rules.plain.untimed import holds_times, operators, untimed

ADDED: Final = frozenset({"try", "throw", "exists", "??", "length"}) | frozenset(
    {"abs", "ceil", "floor", "switch", "starts_with", "ends_with", "parse_date", "date_diff"}
)
"""Operators of the compatibility suites and of `jl-strict/1`. No other: a clock has no place in a comparison."""

_HALF: Final = "half a character cannot be evaluated"


def is_needed(rule: Any) -> bool:
    """Whether a rule uses an operator of `ADDED`, or looks out of a list with `val`."""
    return any(
        name in ADDED or (name == "val" and isinstance(given, list) and any(isinstance(part, list) for part in given))
        for name, given in _operators(rule)
    )


class NativeEvaluator:
    """The native library with its default configuration."""

    def __init__(self) -> None:
        config, log = {"ops_budget": OPERATIONS_BUDGET}, {"log": _first}
        self._engine = Engine(config=config, custom_operators=log)
        self._untimed = Engine(config=config, custom_operators=log | operators(self._engine))

    def evaluate(self, rule: Any, data: Any) -> Any:
        """The result. The depth is known to be bearable. Raises NoResult."""
        for name, _ in _operators(rule):
            if name not in ADDED and name not in KNOWN:
                raise NoResult(UNKNOWN_OPERATOR, f"there is no operator {name}")
        engine = self._engine
        if holds_times(rule, data):
            engine, rule = self._untimed, untimed(rule)
        try:
            answer, _operations = engine.eval_metered(json.dumps(rule), json.dumps(data))
            return json.loads(answer)
        except DataLogicError as error:
            raise NoResult(*_kind(error)) from None
        except (KeyboardInterrupt, SystemExit, NoResult):
            raise
        except BaseException as panic:  # PanicException: the native library's own, outside of Exception
            if type(panic).__name__ != "PanicException":
                raise
            raise NoResult("Panic", "the evaluator failed") from None


def _operators(rule: Any) -> Iterator[tuple[str, Any]]:
    """The operators of a rule with their arguments, without recursion."""
    waiting = [rule]
    while waiting:
        match waiting.pop():
            case dict() as inner if len(inner) == 1:
                ((name, given),) = inner.items()
                yield name, given
                if name != "preserve":
                    waiting.append(given)
            case dict() as inner:
                waiting.extend(inner.values())
            case list() as inner:
                waiting.extend(inner)


def _first(arguments: str) -> str:
    return json.dumps(next(iter(json.loads(arguments)), None))


def _kind(error: DataLogicError) -> tuple[str, str]:
    """`Thrown` carries what was thrown; the suites compare its type."""
    message = str(error)
    kind = str(getattr(error, "error_type", type(error).__name__))
    _, _, thrown = message.partition("Thrown: ")
    if kind == "ParseError":
        deep = "nesting depth" in message
        return (TOO_DEEP, "nested deeper than the native library reads") if deep else (INVALID_LINE, _HALF)
    if thrown:
        with suppress(ValueError, KeyError, TypeError):
            kind = str(json.JSONDecoder().raw_decode(thrown)[0]["type"])
    elif "Invalid arguments: " in message:  # also through an operator of ours
        nan = message.partition("Invalid arguments: ")[2].startswith(NOT_A_NUMBER)
        kind = NOT_A_NUMBER if nan else INVALID_ARGUMENTS
    return kind, message
