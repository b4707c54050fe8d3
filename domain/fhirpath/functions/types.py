"""Converting between the language's types, and asking for a type.

hl7.org/fhirpath/N1/#conversion, #types-and-reflection
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.fhirpath import quantities
from domain.fhirpath.conversion import CONVERSIONS, to_quantity
from domain.fhirpath.evaluation import Run
from domain.fhirpath.functions.registry import eager, single, text_of
from domain.fhirpath.model import TYPE_INFO, Value
from domain.fhirpath.nodes import Node, Nodes, literal, truth
from domain.fhirpath.quantities import CALENDAR, Quantity


def _conversion(name: str, convert: Callable[[Value], Value | None]) -> None:
    @eager(f"to{name}")
    def converted(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
        node = single(focus, at)
        value = None if node is None else node.system
        result = None if value is None else convert(value)
        return [] if result is None else [literal(result)]

    @eager(f"convertsTo{name}")
    def converts(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
        node = single(focus, at)
        if node is None:
            return []
        value = node.system
        return truth(value is not None and convert(value) is not None)


for _name, _convert in CONVERSIONS.items():
    if _name != "Quantity":
        _conversion(_name, _convert)


def _in_unit(focus: Nodes, arguments: Sequence[Nodes], at: int) -> Quantity | None:
    """As a quantity, in the unit asked for where one is."""
    node = single(focus, at)
    value = None if node is None else node.system
    quantity = None if value is None else to_quantity(value)
    if not arguments or quantity is None:
        return quantity
    unit = text_of(arguments[0], at)
    if unit is None:
        return None
    wanted = Quantity(quantity.value - quantity.value, CALENDAR.get(unit, unit), calendar=unit in CALENDAR)
    return quantities.added(wanted, quantity, 1)


@eager("toQuantity", 0, 1)
def to_quantity_(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    result = _in_unit(focus, arguments, at)
    return [] if result is None else [literal(result)]


@eager("convertsToQuantity", 0, 1)
def converts_to_quantity(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    return truth(_in_unit(focus, arguments, at) is not None) if focus else []


@eager("type")
def type_(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return [Node({"namespace": node.type.namespace, "name": node.type.shown}, TYPE_INFO) for node in focus]
