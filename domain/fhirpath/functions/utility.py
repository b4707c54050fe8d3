"""The moment, traces and variables.

hl7.org/fhirpath/N1/#utility-functions; defineVariable as hl7.org/fhirpath/ has it. The moment is handed in with the
evaluation: nothing here asks a clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.fhirpath.evaluation import Evaluate, Run
from domain.fhirpath.functions.registry import eager, lazy, text_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.nodes import Nodes, literal
from domain.fhirpath.temporal import DAY, Temporal, from_datetime


def _moment(run: Run, at: int) -> Temporal:
    if run.now is None:
        raise refused("this expression asks for the time, and none was given", at)
    return from_datetime(run.now)


@eager("now")
def now(run: Run, _focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    return [literal(_moment(run, at))]


@eager("today")
def today(run: Run, _focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    return [literal(Temporal("Date", _moment(run, at).parts[:DAY]))]


@eager("timeOfDay")
def time_of_day(run: Run, _focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    moment = _moment(run, at)
    return [literal(Temporal("Time", (2000, 1, 1, *moment.parts[DAY:]), moment.fraction))]


@lazy("trace", 1, 2)
def trace(_run: Run, focus: Nodes, _arguments: Sequence[Evaluate], _at: int) -> Nodes:
    """Its input. Nothing is written anywhere: what it would show are a patient's values."""
    return focus


@lazy("defineVariable", 1, 2)
def define_variable(run: Run, focus: Nodes, arguments: Sequence[Evaluate], at: int) -> Nodes:
    name = text_of(arguments[0](run), at)
    if run.defined is None:
        run.defined = {}
    if name is None or name in run.defined:
        raise refused("a variable needs a name that is not taken", at)
    outer = run.this
    if len(arguments) == 2:
        run.this = focus
        run.defined[name] = arguments[1](run)
        run.this = outer
    else:
        run.defined[name] = focus
    return focus
