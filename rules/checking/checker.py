"""Checking a whole document: everything that an author is told before it is saved.

`check` returns all findings, worst first within their place. A document with an error is not saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.checking.outcomes import check_answer, check_outcomes
from rules.checking.reaching import check_reach
from rules.checking.typing import Typing
from rules.document import RuleDocument, read_document
from rules.facts import look_up
from rules.findings import Finding, Severity, did_you_mean, finding
from rules.points import PointDefinition, Registry
from rules.syntax import Node, read
from rules.tables.analysis import examine
from rules.tables.compiling import compile_table
from rules.trees import compile_tree


@dataclass(frozen=True)
class CheckedLogic:
    """The logic read and typed: its tree, where each fact is first read, and what is wrong."""

    tree: Node
    reads: Mapping[str, str]
    findings: tuple[Finding, ...]


def check(raw: Any, registry: Registry) -> tuple[Finding, ...]:
    """Everything there is to say about a document as it was written. Runs no attached test: `rules.proof` does."""
    document, findings = read_document(raw)
    if document is None:
        return findings
    return check_document(document, registry)


def check_document(document: RuleDocument, registry: Registry) -> tuple[Finding, ...]:
    """The same for a document that has been read."""
    if document.decision_point not in registry.points:
        hint = did_you_mean(document.decision_point, registry.points)
        return (finding("unknown-point", "/decision_point", name=document.decision_point, **hint),)
    point = registry.point(document.decision_point)
    logic = check_logic(document, registry)
    findings = [*logic.findings, *_form(document), *check_outcomes(document, point), *_tests(document, point, registry)]
    if not any(found.refuses for found in findings):
        facts = {name: registry.facts[name] for name in logic.reads}
        findings.extend(check_reach(logic.tree, facts))
        if document.table is not None:
            findings.extend(examine(document.table, registry.facts).findings)
    order = list(Severity)
    return tuple(sorted(findings, key=lambda found: order.index(found.severity)))


def check_logic(document: RuleDocument, registry: Registry) -> CheckedLogic:
    """The part without which a rule cannot run: syntax, types, facts, and whether its answer is one of the table's."""
    point = registry.point(document.decision_point)
    tree, unread = read(document.logic)
    typing = Typing(registry.facts, frozenset(point.facts))
    answer = typing.infer(tree)
    findings = list(unread)
    if not unread:
        findings.extend(typing.findings)
        findings.extend(check_answer(document, point, tree, answer))
        listed = set(document.facts)
        findings.extend(
            finding("fact-not-listed", where, name=name) for name, where in typing.reads.items() if name not in listed
        )
        findings.extend(
            finding("fact-not-read", f"/facts/{index}", Severity.WARNING, name=name)
            for index, name in enumerate(document.facts)
            if name not in typing.reads
        )
    return CheckedLogic(tree, dict(typing.reads), tuple(findings))


def _form(document: RuleDocument) -> list[Finding]:
    if document.table is not None and compile_table(document.table) != document.logic:
        return [finding("form-differs", "/logic", form_en="table", form_ko="표")]
    if document.tree is not None and compile_tree(document.tree) != document.logic:
        return [finding("form-differs", "/logic", form_en="tree", form_ko="조건 나무")]
    return []


def _tests(document: RuleDocument, point: PointDefinition, registry: Registry) -> list[Finding]:
    """Whether the attached tests supply facts as declared. A test of what must stay undecided may lie."""
    findings: list[Finding] = []
    for index, test in enumerate(document.tests):
        if test.indeterminate:
            continue
        for name in point.facts:
            value = look_up(test.facts, tuple(name.split(".")))
            if value is not None and not registry.facts[name].fits(value):
                findings.append(finding("test-fact", f"/tests/{index}/facts", name=test.name, fact=name))
    if not any(test.indeterminate for test in document.tests):
        findings.append(finding("fallback-untested", "/tests", Severity.WARNING))
    return findings
