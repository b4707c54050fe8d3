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

MAX_DEPTH = 500  # the native library ends the process at some thousand


class NoResult(Exception):
    """The rule gives an error. `kind` is the error's type: `NaN`, `UnknownOperator`, `BudgetExceeded`, …"""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class PlainEvaluator:
    """Evaluates under the semantics of jsonlogic.com's shared tests."""

    def __init__(self) -> None:
        self._engine = Engine(config={"ops_budget": OPERATIONS_BUDGET})

    def evaluate(self, rule: Any, data: Any) -> Any:
        """The result as a JSON value. Raises NoResult."""
        if depth_of(rule) > MAX_DEPTH or depth_of(data) > MAX_DEPTH:
            raise NoResult("TooDeep", f"nested deeper than {MAX_DEPTH}")
        try:
            text, _operations = self._engine.eval_metered(_text(rule), _text(data))
            return json.loads(text)
        except DataLogicError as error:
            raise NoResult(*_kind(error)) from None
        except (KeyboardInterrupt, SystemExit, NoResult):
            raise
        except BaseException as panic:  # PanicException: the native library's own, outside of Exception
            if type(panic).__name__ != "PanicException":
                raise
            raise NoResult("Panic", "the evaluator failed") from None

    def line(self, text: str) -> dict[str, Any]:
        """One `{"rule": …, "data": …}` line as `{"result": …}` or `{"error": {"type": …, "message": …}}`."""
        try:
            asked = json.loads(text)
            if not isinstance(asked, dict) or "rule" not in asked:
                return {"error": {"type": "InvalidLine", "message": "a line is an object with rule and data"}}
            return {"result": self.evaluate(asked["rule"], asked.get("data"))}
        except (ValueError, RecursionError):
            return {"error": {"type": "InvalidLine", "message": "the line is no JSON"}}
        except NoResult as error:
            return {"error": {"type": error.kind, "message": str(error)}}


def _text(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        raise NoResult("InvalidLine", "NaN and infinities are no JSON numbers") from None


def _kind(error: DataLogicError) -> tuple[str, str]:
    """`Thrown` carries what was thrown; the suites compare its type."""
    message = str(error)
    kind = str(getattr(error, "error_type", type(error).__name__))
    _, _, thrown = message.partition("Thrown: ")
    if thrown:
        with suppress(ValueError, KeyError, TypeError):
            kind = str(json.JSONDecoder().raw_decode(thrown)[0]["type"])
    elif kind == "InvalidArguments":
        kind = "NaN" if message.partition("Invalid arguments: ")[2].startswith("NaN") else "Invalid Arguments"
    return kind, message
