"""What the living page of the design language shows: each component in each state, with invented people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.ui.templating import icon_names
from api.ui.views.frame import Notice
from api.ui.views.people import PatientView
from api.ui.views.stays import Choice
from api.ui.views.times import Due, due
from api.ui.words import Words

COLOURS = (
    *("ground", "surface", "sunken", "line", "line-strong", "ink", "ink-soft"),
    *("accent", "accent-strong", "accent-soft"),
    *("late", "late-soft", "soon", "soon-soft", "done", "done-soft", "info", "info-soft"),
)


@dataclass(frozen=True)
class Sample:
    """A form with its values and what is wrong with them."""

    values: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class DesignView:
    """theme: `light`, `dark`, or empty for the reader's own."""

    theme: str
    colours: Sequence[str]
    icons: Sequence[str]
    notices: tuple[Notice, ...]
    dues: tuple[Due, ...]
    form: Sample
    wrong: Sample
    choices: tuple[Choice, ...]
    patient: PatientView


def design_view(words: Words, theme: str, now: datetime) -> DesignView:
    _ = words.gettext
    return DesignView(
        theme=theme if theme in {"light", "dark"} else "",
        colours=COLOURS,
        icons=icon_names(),
        notices=(
            Notice("done", _("The bed is assigned"), next=_("The patient is admitted to it.")),
            Notice("refused", _("This cannot be accepted."), next=_("Ask a ward manager, or give the task back.")),
            Notice("soon", _("Twelve patients wait for a bed"), next=_("Three beds are being cleaned.")),
            Notice("info", _("This page shows every component in every state.")),
        ),
        dues=tuple(due(words, now + timedelta(minutes=each), now) for each in (-12, 9, 140)),
        form=Sample({"sample-name": "한가람", "sample-ward": "2", "sample-sex": "1"}, {}),
        wrong=Sample(
            {"wrong-name": "", "wrong-words": "?"},
            dict.fromkeys(("wrong-name", "wrong-ward", "wrong-sex", "wrong-words"), _("This cannot be accepted.")),
        ),
        choices=(Choice("1", _("female")), Choice("2", _("male")), Choice("3", _("sex unknown"))),
        patient=PatientView(
            name="한가람",
            line=f"{_('female')} · {_('{years} years old').format(years=46)}",
            birth="1980-02-29",
            phone="010-0000-0000",
        ),
    )
