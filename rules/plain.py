"""JSONLogic as everybody writes it, without the profile: for comparing with other people's engines and suites.

Nothing in the house decides by this: it coerces, and takes what is missing for null. The guards of the native library
stand all the same.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from datalogic_py import DataLogicError, Engine

from rules.language import OPERATIONS_BUDGET
from rules.limits import depth_of
from rules.untimed import holds_times, operators, untimed

MAX_DEPTH = 500  # the native library ends the process at some thousand


class NoResult(Exception):
    """The rule gives an error. `kind` is the error's type: `NaN`, `UnknownOperator`, `BudgetExceeded`, …"""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class PlainEvaluator:
    """Evaluates under the semantics of jsonlogic.com's shared tests."""

    def __init__(self) -> None:
        # jsonlogic.com's `log` gives back what it is given. Where it writes is nobody's business here.
        config, log = {"ops_budget": OPERATIONS_BUDGET}, {"log": _first}
        self._engine = Engine(config=config, custom_operators=log)
        self._untimed = Engine(config=config, custom_operators=log | operators(self._engine))

    def evaluate(self, rule: Any, data: Any) -> Any:
        """The result as a JSON value. Raises NoResult."""
        if depth_of(rule) > MAX_DEPTH or depth_of(data) > MAX_DEPTH:
            raise NoResult("TooDeep", f"nested deeper than {MAX_DEPTH}")
        engine = self._engine
        if holds_times(rule, data):
            engine, rule = self._untimed, untimed(rule)
        try:
            text, _operations = engine.eval_metered(_text(rule), _text(data))
            return json.loads(text)
        except DataLogicError as error:
            raise NoResult(*_kind(error)) from None
        except (KeyboardInterrupt, SystemExit, NoResult):
            raise
        except BaseException as panic:  # PanicException: the native library's own, outside of Exception
            if type(panic).__name__ != "PanicException":
                raise
            raise NoResult("Panic", "the evaluator failed") from None

    def line(self, text: str | bytes) -> dict[str, Any]:
        """One `{"rule": …, "data": …}` line as `{"result": …}` or `{"error": {"type": …, "message": …}}`.

        It never fails, whatever the line holds; an empty line is one that cannot be answered.
        """
        try:
            asked = json.loads(text.decode() if isinstance(text, bytes) else text)
            if not isinstance(asked, dict) or "rule" not in asked:
                return {"error": {"type": "InvalidLine", "message": "a line is an object with rule and data"}}
            return {"result": self.evaluate(asked["rule"], asked.get("data"))}
        except RecursionError:
            return {"error": {"type": "TooDeep", "message": f"nested deeper than {MAX_DEPTH}"}}
        except ValueError:  # also a number of more than 4,300 digits
            return {"error": {"type": "InvalidLine", "message": "the line is no JSON in UTF-8"}}
        except NoResult as error:
            return {"error": {"type": error.kind, "message": str(error)}}


def _text(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        raise NoResult("InvalidLine", "NaN and infinities are no JSON numbers") from None


def _first(arguments: str) -> str:
    return json.dumps(next(iter(json.loads(arguments)), None))


def _kind(error: DataLogicError) -> tuple[str, str]:
    """`Thrown` carries what was thrown; the suites compare its type."""
    message = str(error)
    kind = str(getattr(error, "error_type", type(error).__name__))
    _, _, thrown = message.partition("Thrown: ")
    if thrown:
        with suppress(ValueError, KeyError, TypeError):
            kind = str(json.JSONDecoder().raw_decode(thrown)[0]["type"])
    elif "Invalid arguments: " in message:  # also through an operator of ours
        kind = "NaN" if message.partition("Invalid arguments: ")[2].startswith("NaN") else "Invalid Arguments"
    return kind, message
