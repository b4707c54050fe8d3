"""Reading JSON as strictly as it is kept: no NaN, no Infinity, no number beyond a double, no text half read."""

from __future__ import annotations

import json
import math
from typing import Any

_SHOWN = 40


class NotJson(ValueError):
    """The text is no JSON that can be taken. It says what is wrong. deep: it is nested too deep."""

    def __init__(self, message: str, *, deep: bool = False) -> None:
        super().__init__(message)
        self.deep = deep


def parsed(text: str | bytes, *, doubled: bool = False) -> Any:
    """The value of a JSON text; a byte order mark before it is passed over. Raises NotJson.

    doubled: whether a name may stand twice in one object, of which the last counts. Nobody means that in a rule: one
    of the two is read by people and the other by the engine.
    """
    try:
        written = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        once = None if doubled else _once
        return json.loads(written, parse_float=_finite, parse_constant=_refused, object_pairs_hook=once)
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("it is nested too deep", deep=True) from None
    except UnicodeDecodeError:
        raise NotJson("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except ValueError:  # more digits than Python converts
        raise NotJson("a number has too many digits") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen = set[str]()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise NotJson(f"the name {name[:_SHOWN]} stands twice in one object")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise NotJson(f"the number {text[:_SHOWN]} is too large")
    return value


def _refused(name: str) -> Any:
    raise NotJson(f"{name} is no JSON number")
