"""A command that no process has answered yet: kept, and on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.ui.words import Words
from domain.commands import CommandState
from domain.ids import Reference


@dataclass(frozen=True)
class KeptView:
    """waiting: look again by itself.  href: where the result stands; empty where it is not known yet."""

    title: str
    text: str
    tone: str
    mark: str
    waiting: bool
    here: str
    href: str
    href_text: str


def kept_view(words: Words, state: CommandState, answer: Mapping[str, Any], target: str, here: str) -> KeptView:
    """target: the process's subject, an Encounter; empty for a command that no process receives."""
    _ = words.gettext
    subject = str(answer.get("encounter", "")) or target
    stay = f"/stays/{Reference(subject).id}" if subject.startswith("Encounter/") else "/worklist"
    stay_text = _("The stay and its story") if subject.startswith("Encounter/") else _("My work")
    match state:
        case CommandState.ANSWERED:
            return KeptView(
                _("Done"),
                _("What you asked for has happened."),
                "done",
                "done",
                waiting=False,
                here=here,
                href=stay,
                href_text=stay_text,
            )
        case CommandState.REFUSED:
            return KeptView(
                _("This could not be done"),
                _("It was kept and tried, and refused. The task shows the present state."),
                "stopped",
                "stopped",
                waiting=False,
                here=here,
                href=stay,
                href_text=stay_text,
            )
        case _:
            return KeptView(
                _("Kept, goes on by itself"),
                _(
                    "Your request is stored safely and carried out as soon as the process engine answers. "
                    "There is no need to send it again."
                ),
                "waiting",
                "waiting",
                waiting=True,
                here=here,
                href="/worklist",
                href_text=_("My work"),
            )
