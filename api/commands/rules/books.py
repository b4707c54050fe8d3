"""What every command about rules needs: the rules that apply, a document read and checked, a person's eyes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from api.caller import Caller
from api.state import AppState
from domain.errors import Invalid, RuleUnusable
from domain.rule_versions import Draft, Person, Proven, RuleText
from rules.bundle import Bundle
from rules.checking.checker import check
from rules.differing import Change, changes
from rules.document import Level, RuleDocument, load
from rules.findings import Finding
from rules.proof import Proof, prove
from rules.resolution import Published
from rules.texts import text_of
from store.database import Transaction
from store.rules import notices, versions

_SHOWN = 50  # differences
_LONGEST = 300  # characters of a value


def person(caller: Caller) -> Person:
    return Person(account=caller.actor, on_behalf_of=caller.on_behalf_of)


async def bundle(tx: Transaction, state: AppState) -> Bundle:
    """The rules of the caller's hospital, as they are in this transaction."""
    edition = await versions.edition(tx)
    if (found := state.rule_book.get(tx.hospital, edition)) is not None:
        return found
    network, kept = await versions.applying(tx)
    return state.rule_book.take(edition, tx.hospital, network, kept)


async def tell_owners(tx: Transaction, now: datetime) -> None:
    """Notices for the overrides whose parent is another one now. Told once each."""
    network, kept = await versions.applying(tx)
    for changed, owner in Bundle(tx.hospital, network, kept).changed_parents(now):
        await notices.tell(
            tx,
            override=changed.override.digest,
            rule=changed.override.rule,
            owner=owner,
            written_against=changed.written_against,
            parent=changed.now.digest if changed.now else "",
            at=now,
        )


async def checked(raw: dict[str, Any], state: AppState) -> RuleDocument:
    """A document that may be saved. Raises Invalid with the place of the first thing that is wrong.

    In a thread, as all that looks at a whole document: the largest take a second, and others wait for the loop.
    """
    for found in await asyncio.to_thread(check, raw, state.rule_engine.registry):
        if found.refuses:
            raise Invalid(found.en, field=found.pointer or "/", finding=found.code)
    try:
        return load(raw)
    except RuleUnusable as unusable:
        raise Invalid(str(unusable), field=unusable.params.get("pointer") or "/") from unusable


def kept_text(document: RuleDocument, rules: Bundle, at: datetime) -> RuleText:
    """The document with its parent. Raises Invalid for a place that is not of this hospital."""
    level, place, hospital = document.scope.level, document.scope.place, rules.hospital
    ours = (level is Level.HOSPITAL and place == hospital) or (
        level is Level.DEPARTMENT and place.startswith(f"{hospital}/")
    )
    if not ours:
        raise Invalid("a hospital writes rules of itself and of its departments", field="/scope")
    one = Published(
        document.decision_point, document.id, document.version, document.digest, document.scope, document.effective, at
    )
    parent = rules.parent(one, at)
    return text_of(document, parent.digest if parent else None)


async def proof_of(state: AppState, document: RuleDocument) -> tuple[Proof, Proven]:
    """The document's own tests, run. Raises Invalid for one that this release cannot evaluate."""
    try:
        proof = await asyncio.to_thread(prove, state.rule_engine, document)
    except RuleUnusable as unusable:
        raise Invalid(str(unusable), field=unusable.params.get("pointer") or "/") from unusable
    return proof, Proven(
        passed=proof.passed,
        tests=len(proof.tests),
        branch_coverage=proof.branch_coverage,
        row_coverage=proof.row_coverage,
    )


def read(text: str | bytes) -> RuleDocument:
    """A document from its kept bytes. Raises RuleUnusable for one that this release cannot read."""
    return load(json.loads(text))


def document_of(draft: Draft) -> RuleDocument:
    return read(draft.document)


def difference(before: RuleDocument, after: RuleDocument) -> list[dict[str, Any]]:
    """The first differences of two documents as JSON."""
    return [_change(one) for one in changes(before, after)[:_SHOWN]]


def findings_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [asdict(found) for found in findings]


def published_json(one: Published) -> dict[str, Any]:
    """A version as programs see it, without its document."""
    return {
        "rule": one.rule,
        "version": one.version,
        "digest": one.digest,
        "decision_point": one.decision_point,
        "level": one.scope.level.value,
        "place": one.scope.place,
        "since": one.effective.since.isoformat() if one.effective.since else None,
        "until": one.effective.until.isoformat() if one.effective.until else None,
        "published_at": one.published_at.isoformat(),
        "parent": one.parent,
    }


def draft_json(draft: Draft) -> dict[str, Any]:
    """A draft as programs see it, without its document."""
    return draft.model_dump(mode="json", exclude={"document"}) | {"draft": str(draft.id)}


def _change(one: Change) -> dict[str, Any]:
    return {"kind": one.kind.value, "pointer": one.pointer, "before": _cut(one.before), "after": _cut(one.after)}


def _cut(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
