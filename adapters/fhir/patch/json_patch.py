"""JSON Patch (RFC 6902) with JSON Pointer (RFC 6901).

Our own: the library `jsonpatch` quotes the document in its messages, and a document is a patient's; it does not say
which operation failed; and it lets `copy` double a document without end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.fhir.patch.documents import MOST_OPERATIONS, Copier, same
from domain.errors import Invalid

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_MALFORMED: Final = re.compile(r"~(?![01])")
_WITH_VALUE: Final = frozenset({"add", "replace", "test"})
_WITH_FROM: Final = frozenset({"move", "copy"})
_MISSING: Final = object()

Json = dict[str, Any]


def apply_json_patch(resource: Mapping[str, Any], patch: Any) -> Json:
    """The resource with the operations applied in order, all or none. Raises Invalid; `field` points into the patch."""
    if not isinstance(patch, list):
        raise Invalid("a JSON Patch is an array of operations", field="")
    if len(patch) > MOST_OPERATIONS:
        raise Invalid(f"more than {MOST_OPERATIONS} operations", field=f"/{MOST_OPERATIONS}")
    copier = Copier()
    document: Any = copier.copy(dict(resource), "")
    for number, operation in enumerate(patch):
        document = _Operation(document, operation, f"/{number}", copier).apply()
    if not isinstance(document, dict):
        raise Invalid("the patch leaves something that is not an object", field="")
    return document


class _Operation:
    def __init__(self, document: Any, operation: Any, field: str, copier: Copier) -> None:
        if not isinstance(operation, dict):
            raise Invalid("an operation is an object", field=field)
        self._document = document
        self._field = field
        self._copier = copier
        self._name = str(operation.get("op"))
        if self._name not in _WITH_VALUE | _WITH_FROM | {"remove"}:
            raise Invalid("`op` is one of add, remove, replace, move, copy, test", field=f"{field}/op")
        if self._name in _WITH_VALUE and "value" not in operation:
            raise Invalid("`value` is missing", field=field)
        self._value = operation.get("value")
        self._path = self._pointer(operation, "path")
        self._from = self._pointer(operation, "from") if self._name in _WITH_FROM else ()

    def _pointer(self, operation: Json, member: str) -> tuple[str, ...]:
        pointer = operation.get(member)
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")) or _MALFORMED.search(pointer):
            raise Invalid(f"`{member}` is a JSON Pointer", field=f"{self._field}/{member}")
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])

    def apply(self) -> Any:
        """The document afterwards."""
        match self._name:
            case "add":
                return self._add(self._path, self._copier.copy(self._value, f"{self._field}/value"))
            case "remove":
                return self._remove(self._path, "path")
            case "replace":
                return self._replace()
            case "copy":
                found = self._get(self._from, "from")
                return self._add(self._path, self._copier.copy(found, self._field))
            case "move":
                return self._move()
            case _:
                if not same(self._get(self._path, "path"), self._value):
                    raise Invalid("the value is not the one tested for", field=self._field)
                return self._document

    def _missing(self, member: str) -> Invalid:
        return Invalid(f"`{member}` points at nothing", field=f"{self._field}/{member}")

    def _child(self, owner: Any, part: str) -> Any:
        if isinstance(owner, dict):
            return owner.get(part, _MISSING)
        if isinstance(owner, list) and _INDEX.fullmatch(part) and int(part) < len(owner):
            return owner[int(part)]
        return _MISSING

    def _get(self, path: tuple[str, ...], member: str) -> Any:
        found = self._document
        for part in path:
            found = self._child(found, part)
            if found is _MISSING:
                raise self._missing(member)
        return found

    def _add(self, path: tuple[str, ...], value: Any) -> Any:
        if not path:
            return value
        owner, last = self._get(path[:-1], "path"), path[-1]
        if isinstance(owner, dict):
            owner[last] = value
        elif isinstance(owner, list) and last == "-":
            owner.append(value)
        elif isinstance(owner, list) and _INDEX.fullmatch(last) and int(last) <= len(owner):
            owner.insert(int(last), value)
        else:
            raise self._missing("path")
        return self._document

    def _remove(self, path: tuple[str, ...], member: str) -> Any:
        if not path:
            return None
        owner, last = self._get(path[:-1], member), path[-1]
        if self._child(owner, last) is _MISSING:
            raise self._missing(member)
        del owner[last if isinstance(owner, dict) else int(last)]
        return self._document

    def _replace(self) -> Any:
        self._get(self._path, "path")
        value = self._copier.copy(self._value, f"{self._field}/value")
        if not self._path:
            return value
        owner, last = self._get(self._path[:-1], "path"), self._path[-1]
        owner[last if isinstance(owner, dict) else int(last)] = value
        return self._document

    def _move(self) -> Any:
        if self._path[: len(self._from)] == self._from:
            if self._path == self._from:
                self._get(self._from, "from")
                return self._document
            raise Invalid("a value cannot be moved into itself", field=f"{self._field}/path")
        found = self._get(self._from, "from")
        self._remove(self._from, "from")
        return self._add(self._path, found)
