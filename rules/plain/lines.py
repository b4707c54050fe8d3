"""Answering plain rules, one by one or as lines of a file. It never fails, whatever a line holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from rules.json_texts import NotJson, parsed
from rules.limits import depth_of
from rules.plain.errors import INVALID_LINE, TOO_DEEP, NoResult
from rules.plain.evaluator import evaluate
from rules.plain.native import NativeEvaluator, is_needed

MAX_DEPTH: Final = 500  # the native library ends the process at some thousand
_FRAMES: Final = 10 * MAX_DEPTH
_LOCK: Final = Lock()


class PlainEvaluator:
    """Evaluates under the semantics of jsonlogic.com's shared tests."""

    def __init__(self) -> None:
        self._native = NativeEvaluator()

    def evaluate(self, rule: Any, data: Any) -> Any:
        """The result as a JSON value. Raises NoResult."""
        if depth_of(rule) > MAX_DEPTH or depth_of(data) > MAX_DEPTH:
            raise NoResult(TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
        try:
            with _room():
                result = self._native.evaluate(rule, data) if is_needed(rule) else evaluate(rule, data)
        except RecursionError:
            raise NoResult(TOO_DEEP, f"something as deep as {MAX_DEPTH} was made on the way") from None
        if depth_of(result) > MAX_DEPTH:
            raise NoResult(TOO_DEEP, f"the result is nested deeper than {MAX_DEPTH}")
        return result

    def line(self, text: str | bytes) -> dict[str, Any]:
        """One `{"rule": …, "data": …}` line as `{"result": …}` or `{"error": {"type": …, "message": …}}`.

        It never fails, whatever the line holds; an empty line is one that cannot be answered.
        """
        try:
            rule, data = _asked(text)
        except NoResult as error:
            return _error(error)
        return self.answer(rule, data)

    def answer(self, rule: Any, data: Any) -> dict[str, Any]:
        """The same for a rule and data that were read."""
        try:
            return {"result": self.evaluate(rule, data)}
        except NoResult as error:
            return _error(error)


def _error(error: NoResult) -> dict[str, Any]:
    return {"error": {"type": error.kind, "message": str(error)}}


def _asked(text: str | bytes) -> tuple[Any, Any]:
    """Rule and data of a line. Raises NoResult."""
    try:
        asked = parsed(text, doubled=True)
    except NotJson as error:
        raise NoResult(TOO_DEEP if error.deep else INVALID_LINE, f"the line is no JSON: {error}") from None
    if not isinstance(asked, dict) or "rule" not in asked:
        raise NoResult(INVALID_LINE, "a line is an object with rule and data")
    return asked["rule"], asked.get("data")


@contextmanager
def _room() -> Iterator[None]:
    """As many frames as the depth that is allowed needs: some five for each level of a rule."""
    with _LOCK:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(before, _FRAMES))
        try:
            yield
        finally:
            sys.setrecursionlimit(before)
