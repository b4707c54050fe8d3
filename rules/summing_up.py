"""What a rule's tests show, in lines for people to read."""

from __future__ import annotations

from collections.abc import Iterator

from rules.findings import Severity
from rules.mutating import Mutation
from rules.proof import Proof

_SEVERITIES = {Severity.ERROR: "오류", Severity.WARNING: "경고", Severity.NOTE: "참고"}


def severity_in(severity: Severity, language: str) -> str:
    return _SEVERITIES[severity] if language == "ko" else severity.value


def covered(proof: Proof, mutation: Mutation | None, language: str) -> str:
    """How many tests pass, what they take, and how many slips they notice, on one line."""
    ko = language == "ko"
    passed, tests = sum(tried.passed for tried in proof.tests), len(proof.tests)
    said = [f"시험 {tests}개 중 {passed}개 통과" if ko else f"{passed} of {tests} tests"]
    taken, branches = proof.branches_taken, proof.branches
    said.append(f"가지 {branches}개 중 {taken}개" if ko else f"{taken} of {branches} branches")
    if proof.rows:
        answered, rows = proof.rows_taken, proof.rows
        said.append(f"행 {rows}개 중 {answered}개" if ko else f"{answered} of {rows} rows")
    if mutation is not None:
        said.append(_noticed(mutation, ko=ko))
    return ", ".join(said)


def remarks(proof: Proof, mutation: Mutation | None, language: str) -> Iterator[str]:
    """What failed, what no test takes, what no test would notice; each with its place."""
    ko = language == "ko"
    for found in proof.findings:
        yield f"{severity_in(found.severity, language)} {found.pointer}: {found.ko if ko else found.en}"
    for pointer, change in mutation.survived if mutation is not None else ():
        unnoticed = f"{change} 변경을 알아채는 시험이 없습니다." if ko else f"No test notices the change {change}."
        yield f"{severity_in(Severity.NOTE, language)} {pointer}: {unnoticed}"


def _noticed(mutation: Mutation, *, ko: bool) -> str:
    if not mutation.passed:
        return "실패한 시험이 있어 변이는 시험하지 않음" if ko else "no mutation tried because a test fails"
    noticed, tried = mutation.noticed, mutation.tried
    said = f"변이 {tried}개 중 {noticed}개 알아챔" if ko else f"{noticed} of {tried} mutations noticed"
    if tried == mutation.possible:
        return said
    return f"{said}(가능한 변이 {mutation.possible}개)" if ko else f"{said}, of {mutation.possible} possible ones"
