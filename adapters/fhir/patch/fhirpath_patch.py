"""FHIRPath Patch (hl7.org/fhir/R4/fhirpatch.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.fhir.patch.documents import Copier
from adapters.fhir.patch.operations import Operation, operations
from adapters.fhir.patch.values import content, field_named, insert, place
from domain.errors import Invalid
from domain.fhirpath import Expression, Node, Place, parse

_STEPS: Final = 100_000

Json = dict[str, Any]


def apply_fhirpath_patch(resource: Mapping[str, Any], parameters: Any) -> Json:
    """The resource with the operations applied in order, all or none.

    Raises Invalid; `field` points into the Parameters.
    """
    copier = Copier()
    document: Json = copier.copy(dict(resource), "")
    for operation in operations(parameters):
        brought = copier.copy(dict(operation.value), operation.field)
        _Change(document, operation, brought).apply()
    return document


class _Change:
    def __init__(self, document: Json, operation: Operation, brought: Json) -> None:
        self._document = document
        self._operation = operation
        self._brought = brought
        self._at = operation.at("path")
        try:
            self._path: Expression = parse(operation.path)
            self._path.check(str(document.get("resourceType")))
        except Invalid as invalid:
            raise Invalid(str(invalid), field=self._at) from None

    def apply(self) -> None:
        match self._operation.type:
            case "add":
                self._add()
            case "insert":
                self._insert()
            case "delete":
                self._delete()
            case "replace":
                self._replace()
            case _:
                self._move()

    def _found(self) -> list[Node]:
        try:
            nodes = self._path.located(self._document, steps=_STEPS)
        except Invalid as invalid:
            raise Invalid(str(invalid), field=self._at) from None
        if len(nodes) > 1:
            raise Invalid("the path finds more than one element", field=self._at)
        if nodes and nodes[0].place is None:
            raise Invalid("the path does not end at an element of the resource", field=self._at)
        return nodes

    def _one(self) -> Node:
        nodes = self._found()
        if not nodes:
            raise Invalid("the path finds nothing", field=self._at)
        return nodes[0]

    def _add(self) -> None:
        """To the element that the path finds, as another item of a list or as a value that was not there."""
        owner_node, operation = self._one(), self._operation
        field = field_named(owner_node.type, operation.parts["name"], operation.at("name"))
        given = content(field, self._brought, operation.at("value"))
        owner = _container(owner_node)
        if given.field.repeats:
            _listed(owner, given.field.key, self._at)
            insert(owner, given, len(owner.get(given.field.key, [])))
            return
        whole = owner_node.type.fields[field.name]
        if any(each.key in owner or each.twin in owner for each in whole.options or (whole,)):
            raise Invalid("the element is there already and does not repeat", field=operation.at("name"))
        place(owner, given)

    def _list(self) -> tuple[Json, Node, str]:
        """The object that has the list at the path, also one without items; with its node and the element's name."""
        try:
            found = self._path.located_owner(self._document, steps=_STEPS)
        except Invalid as invalid:
            raise Invalid(str(invalid), field=self._at) from None
        if found is None or len(found[0]) != 1 or found[0][0].place is None:
            raise Invalid("the path does not name one list", field=self._at)
        (node,), name = found
        return _container(node), node, name

    def _insert(self) -> None:
        owner, node, name = self._list()
        given = content(field_named(node.type, name, self._at), self._brought, self._operation.at("value"))
        if not given.field.repeats:
            raise Invalid("the element does not repeat", field=self._at)
        values = _listed(owner, given.field.key, self._at)
        if self._operation.parts["index"] > len(values):
            raise Invalid("the list is shorter than that", field=self._operation.at("index"))
        insert(owner, given, self._operation.parts["index"])

    def _move(self) -> None:
        owner, node, name = self._list()
        field = field_named(node.type, name, self._at)
        values = _listed(owner, field.key, self._at)
        source, destination = (self._operation.parts[each] for each in ("source", "destination"))
        for part, index in (("source", source), ("destination", destination)):
            if not field.repeats or index >= len(values):
                raise Invalid("the list is shorter than that", field=self._operation.at(part))
        for key in (field.key, field.twin):
            if isinstance(items := owner.get(key), list):
                items.extend([None] * (len(values) - len(items)))
                items.insert(destination, items.pop(source))

    def _delete(self) -> None:
        """What is not there need not be deleted. An object that is left empty goes too: FHIR has none."""
        for node in self._found():
            if node.place is not None and node.place.parent is None:
                raise Invalid("a patch cannot delete the resource itself", field=self._at)
            _remove(node)

    def _replace(self) -> None:
        node = self._one()
        where = node.place
        if where is None or where.parent is None:
            raise Invalid("a patch cannot replace the resource itself", field=self._at)
        field = field_named(where.parent.type, where.key, self._at)
        name = field.name if where.parent.type.fields[field.name].options else where.key
        given = content(field_named(where.parent.type, name, self._at), self._brought, self._operation.at("value"))
        owner = _container(where.parent)
        if where.index is None:
            owner.pop(where.key, None)
            owner.pop(f"_{where.key}", None)
            place(owner, given)
            return
        _drop(owner, where, keep_empty=True)
        insert(owner, given, where.index)
        _tidy(owner, where.key)


def _listed(owner: Json, key: str, at: str) -> list[Any]:
    values = owner.get(key, [])
    if not isinstance(values, list):
        raise Invalid("the element is not a list in this resource", field=at)
    return values


def _container(node: Node) -> Json:
    """The object in which a node's children stand: for a primitive the twin beside it, made where there is none."""
    if isinstance(node.value, dict):
        return node.value
    if isinstance(node.twin, dict):
        return node.twin
    where = node.place
    twin: Json = {}
    if where is not None and where.parent is not None:
        owner = _container(where.parent)
        if where.index is None:
            owner[f"_{where.key}"] = twin
        else:
            twins = owner.setdefault(f"_{where.key}", [])
            twins.extend([None] * (len(owner[where.key]) - len(twins)))
            twins[where.index] = twin
    return twin


def _remove(node: Node) -> None:
    where = node.place
    if where is None or where.parent is None:
        return
    owner = _container(where.parent)
    _drop(owner, where)
    if owner:
        return
    above = where.parent.place
    if isinstance(where.parent.value, dict) or where.parent.value is None or above is None or above.parent is None:
        _remove(where.parent)
        return
    # What was emptied is the twin of a primitive that has its value: only the twin goes.
    beside = _container(above.parent)
    if above.index is None:
        beside.pop(f"_{above.key}", None)
    else:
        beside[f"_{above.key}"][above.index] = None
        _tidy(beside, above.key)


def _drop(owner: Json, where: Place, *, keep_empty: bool = False) -> None:
    for key in (where.key, f"_{where.key}"):
        if where.index is None:
            owner.pop(key, None)
        elif isinstance(items := owner.get(key), list) and where.index < len(items):
            del items[where.index]
    if not keep_empty:
        _tidy(owner, where.key)


def _tidy(owner: Json, key: str) -> None:
    """No empty lists, and no list of nothing but nulls."""
    for each in (key, f"_{key}"):
        if isinstance(items := owner.get(each), list) and all(item is None for item in items):
            del owner[each]
