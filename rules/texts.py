"""A document as the store keeps it: its columns, its bytes, its identity."""

from __future__ import annotations

from domain.rule_versions import RuleText
from rules.document import RuleDocument


def text_of(document: RuleDocument, parent: str | None = None) -> RuleText:
    """parent: digest of the version that applies without this one."""
    return RuleText(
        rule=document.id,
        version=document.version,
        point=document.decision_point,
        level=document.scope.level.value,
        place=document.scope.place,
        document=document.canonical,
        digest=document.digest,
        parent=parent,
    )
