"""The monthly review of the audit as tables of words, for people to read and for programs to sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.ui.words import Words
from store.audit_report import MANY, NIGHT, Review, Told
from store.search.instants import HOSPITAL_ZONE


@dataclass(frozen=True)
class Section:
    """`key`: for programs; the same in every language."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def sections(words: Words, review: Review) -> list[Section]:
    """In the order in which a reviewer asks."""
    _ = words.gettext
    who, times, patients = _("Who"), _("Times"), _("Patients")
    told = (_("When"), who, patients, _("Purpose"), _("Reason"))
    night = _("Records opened between {begins} and {ends} o'clock").format(begins=NIGHT[0], ends=NIGHT[1])
    return [
        Section(
            "broken-glass",
            _("Emergency accesses"),
            told,
            [_told(each) for each in review.broken_glass],
        ),
        Section("downloads", _("Downloads"), told, [_told(each) for each in review.downloads]),
        Section(
            "many",
            _("Records of {count} patients or more opened in one day").format(count=MANY),
            (who, _("Day"), patients),
            _rows(review.many, "actor", "day", "patients"),
        ),
        Section("night", night, (who, times, patients), _rows(review.night, "actor", "times", "patients")),
        Section(
            "denials",
            _("Refused accesses"),
            (who, _("What"), times),
            _rows(review.denials, "actor", "detail", "times"),
        ),
        Section(
            "accesses",
            _("Accesses by person"),
            (who, _("What"), _("Allowed"), _("Refused")),
            _rows(review.accesses, "actor", "action", "allowed", "denied"),
        ),
    ]


def _rows(rows: Sequence[dict[str, object]], *names: str) -> list[tuple[str, ...]]:
    return [tuple(str(row[name]) for name in names) for row in rows]


def _told(told: Told) -> tuple[str, ...]:
    line = told.line
    at = line.recorded_at.astimezone(HOSPITAL_ZONE)
    return f"{at:%Y-%m-%d %H:%M}", line.actor, " ".join(line.patients), line.purpose or "", told.reason
