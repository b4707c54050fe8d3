"""What validation finds, one finding at a time, as an OperationOutcome tells it.

https://hl7.org/fhir/R4/operationoutcome.html. A diagnostic never repeats what the document holds: it may be a name or
a number of a patient. Element names and codes of value sets are no such thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "information"]
IssueType = Literal[
    "structure", "required", "value", "invariant", "code-invalid", "too-long", "not-found", "informational"
]

MOST = 100  # findings; a document that is wrong everywhere need not be told everywhere


@dataclass(frozen=True, slots=True)
class Issue:
    """`expression` is FHIRPath to the element: `Patient.name[0].given[1]`."""

    severity: Severity
    code: IssueType
    expression: str
    diagnostics: str


class Full(Exception):
    """There are as many findings as anybody reads."""


class Findings:
    """Collects issues, and ends the search when there are enough."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def error(self, code: IssueType, expression: str, diagnostics: str) -> None:
        self.add(Issue("error", code, expression, diagnostics))

    def add(self, issue: Issue) -> None:
        self.issues.append(issue)
        if len(self.issues) >= MOST:
            raise Full


def shown(name: str) -> str:
    """A name from the document, short and harmless enough for a sentence."""
    return ascii(name[:64])[1:-1]
