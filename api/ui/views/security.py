"""The security page: what happened that deserves a look, and how what protects the house stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from api.commands.security import Seen
from api.ui.views.care import reason_name
from api.ui.views.times import Moment, moment
from api.ui.words import Words
from domain.manifest import Files
from store.care.glass import Reason
from store.watching import BURST, MANY, WITHIN, Told, Watched

_LATE = timedelta(minutes=1)
"""A tail of the audit as old as this is longer than the sealer's second explains."""


@dataclass(frozen=True)
class Row:
    """who, then what happened in words; `more`: what the person gave as a reason."""

    who: str
    what: str
    at: Moment
    more: str = ""


@dataclass(frozen=True)
class Part:
    """What happened. `none`: the sentence for an empty list."""

    id: str
    title: str
    explained: str
    none: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Standing:
    """How one protection stands. tone: `done` well, `soon` to be looked at, `late` wrong."""

    title: str
    tone: str
    said: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecurityView:
    standings: tuple[Standing, ...]
    parts: tuple[Part, ...]
    cut_off: str


def security_view(words: Words, seen: Seen, people: Mapping[str, str]) -> SecurityView:
    """people: displays of accounts; programs are shown by their labels."""
    _ = words.gettext
    found = seen.watched
    return SecurityView(
        standings=(_files(words, seen), _chain(words, seen), _keys(words, seen), *_advisories(words, seen)),
        parts=_parts(words, seen, people),
        cut_off=_("There were so many accesses today that the figures are of the latest only.")
        if found.cut_off
        else "",
    )


def _parts(words: Words, seen: Seen, people: Mapping[str, str]) -> tuple[Part, ...]:
    _, found, now = words.gettext, seen.watched, seen.at

    def name(actor: str) -> str:
        return people.get(actor, actor)

    locked = tuple(
        Row(
            name(each.account) if each.account else _("Unknown accounts"),
            words.ngettext("{n} place waits", "{n} places wait", each.places).format(n=each.places)
            + " · "
            + words.ngettext("{n} failure", "{n} failures", each.failures).format(n=each.failures),
            moment(words, each.until, now),
        )
        for each in found.locked_out
    )
    bursts = tuple(
        Row(
            name(each.actor),
            _("{n} refusals, up to {most} at once").format(n=each.refusals, most=each.most),
            moment(words, each.last_at, now),
        )
        for each in found.bursts
    )
    many = tuple(
        Row(
            name(each.actor),
            words.ngettext("{n} patient within an hour", "{n} patients within an hour", each.patients).format(
                n=each.patients
            ),
            moment(words, each.hour, now),
        )
        for each in found.many
    )
    return (
        Part(
            "locked",
            _("Locked out"),
            _("Sign-ins that must wait after failures. Failures of others lock nobody out of their own device."),
            _("Nobody waits."),
            locked,
        ),
        Part(
            "bursts",
            _("Bursts of refusals"),
            _("{n} or more refusals of one person within {minutes} minutes, in the last 24 hours.").format(
                n=BURST, minutes=WITHIN // timedelta(minutes=1)
            ),
            _("There were none."),
            bursts,
        ),
        Part(
            "many",
            _("Unusually many patients"),
            _("{n} or more patients read by one person within an hour, in the last 24 hours.").format(n=MANY),
            _("Nobody read that many."),
            many,
        ),
        Part(
            "glass",
            _("Emergency access"),
            words.ngettext(
                "In the last 30 days. {n} case waits for a review.",
                "In the last 30 days. {n} cases wait for a review.",
                found.glass_open,
            ).format(n=found.glass_open),
            _("There was none."),
            tuple(_row(words, each, people, seen) for each in found.glass),
        ),
        Part(
            "exports",
            _("Records that left the house"),
            _("Exports and downloads of the last 30 days, with the reasons given."),
            _("There were none."),
            tuple(_row(words, each, people, seen) for each in found.exports),
        ),
    )


def _row(words: Words, each: Told, people: Mapping[str, str], seen: Seen) -> Row:
    _, line = words.gettext, each.line
    count = len(line.patients)
    said = words.ngettext("{n} patient", "{n} patients", count).format(n=count)
    refused = " · " + _("refused") if line.outcome == "denied" else ""
    at = moment(words, line.recorded_at, seen.at)
    return Row(people.get(line.actor, line.actor), said + refused, at, _reason(words, each.reason))


def _reason(words: Words, given: str) -> str:
    """An emergency's begins with its code."""
    code, colon, text = given.partition(": ")
    known = next((each for each in get_args(Reason) if each == code), None)
    return f"{reason_name(words, known)}: {text}" if colon and known else given


def _files(words: Words, seen: Seen) -> Standing:
    _, files = words.gettext, seen.files
    title = _("Installed files")
    looked = _("Last looked at {when}.").format(when=words.exact(files.checked_at)) if files.checked_at else ""
    match files.files:
        case Files.INTACT:
            signed = _("Signed {when}.").format(when=words.exact(files.signed_at)) if files.signed_at else ""
            return Standing(title, "done", _("As they were signed"), _some(signed, looked))
        case Files.CHANGED:
            refuses = _("Nothing is written until this is mended.") if files.refuses_writes else ""
            return Standing(title, "late", _("Not as they were signed"), _some(*files.changed[:10], refuses, looked))
        case Files.UNSIGNED:
            return Standing(
                title, "soon", _("Not signed"), _some(_("Changes would not be noticed: phis manifest sign."), looked)
            )
        case Files.UNKNOWN:
            return Standing(title, "soon", _("Not looked at"))


def _chain(words: Words, seen: Seen) -> Standing:
    _, chain = words.gettext, seen.watched.chain
    late = chain.tail_since is not None and seen.at - chain.tail_since > _LATE
    sealed = (
        _("{n} links, the last of {when}.").format(n=chain.links, when=words.exact(chain.sealed_at))
        if chain.sealed_at
        else _("Nothing has been sealed yet.")
    )
    tail = words.ngettext("{n} access waits for its link.", "{n} accesses wait for their link.", chain.tail)
    said = _("The seal is late") if late else _("Sealed")
    return Standing(_("Audit"), "late" if late else "done", said, _some(sealed, tail.format(n=chain.tail)))


def _keys(words: Words, seen: Seen) -> Standing:
    _, found = words.gettext, seen.watched
    live = [key for key in found.keys if key.retired_at is None]
    own = [key for key in live if not key.from_ring]
    if not own:
        return Standing(
            _("Encryption keys"),
            "soon",
            _("Sealed by the ring"),
            (_("The hospital has no data key: phis keys rotate."),),
        )
    newest = own[-1]
    lines = [_("Key {id}, made {when}.").format(id=newest.id, when=words.exact(newest.made_at))]
    if len(live) == 1:
        return Standing(_("Encryption keys"), "done", _("One key seals everything"), tuple(lines))
    lines += _progress(words, found)
    return Standing(
        _("Encryption keys"), "soon", _("Keys are changing: {n} are in use").format(n=len(live)), tuple(lines)
    )


def _progress(words: Words, found: Watched) -> list[str]:
    _ = words.gettext
    listed = [each for each in found.resealing if not each.finished]
    if not listed:
        return [_("What earlier keys sealed is sealed anew; they can be retired.")] if found.resealing else []
    return [_("{place}: {n} rows sealed anew").format(place=each.place, n=each.done) for each in listed]


def _advisories(words: Words, seen: Seen) -> tuple[Standing, ...]:
    _, known = words.gettext, seen.advisories
    if known is None:
        return ()
    age = words.ngettext("Reviewed {n} day ago.", "Reviewed {n} days ago.", known.age.days).format(n=known.age.days)
    if known.age.days == 0:
        age = words.gettext("Reviewed today.")
    if known.unmended:
        lines = (f"{package} {version}: {id_}" for package, version, id_ in known.unmended)
        return (Standing(_("Advisories"), "late", _("Known weaknesses are installed"), _some(*lines, age)),)
    if known.stale:
        return (Standing(_("Advisories"), "soon", _("The list is old"), (age,)),)
    return (Standing(_("Advisories"), "done", _("Nothing known is open"), (age,)),)


def _some(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
