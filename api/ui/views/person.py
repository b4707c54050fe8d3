"""People with their licences and duty, and one's own calls, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from api.ui.views.duty import position_name
from api.ui.views.frame import role_names
from api.ui.views.names import Names
from api.ui.views.notices import notice_text, state_name
from api.ui.views.stays import Choice
from api.ui.views.times import Moment, moment
from api.ui.words import ZONE, Language, Words
from domain.duty import AbsenceReason
from domain.licences import NEEDED, Licence, LicenceKind
from domain.notices import ChannelKind
from store.accounts import Account
from store.people.contacts import Contact
from store.people.credentials import May
from store.people.notices import Notice
from store.people.rosters import Away, Entered


@dataclass(frozen=True)
class LicenceRow:
    """tone: `late` for one that is over, `soon` for one that ends within two months, `done` otherwise."""

    kind: str
    code: str
    number: str
    issuer: str
    first: str
    last: str
    state: str
    tone: str


@dataclass(frozen=True)
class PersonRow:
    href: str
    name: str
    account: str
    roles: str
    lost: str
    licences: tuple[LicenceRow, ...]
    missing: bool
    reachable: bool
    closed: bool


@dataclass(frozen=True)
class DutyRow:
    text: str
    at: str


@dataclass(frozen=True)
class AbsenceRow:
    id: str
    text: str
    who: str


@dataclass(frozen=True)
class PersonView:
    row: PersonRow
    key: str
    duties: tuple[DutyRow, ...]
    absences: tuple[AbsenceRow, ...]
    kinds: tuple[Choice, ...]
    reasons: tuple[Choice, ...]
    colleagues: tuple[Choice, ...]
    may_change: bool
    may_roster: bool
    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CallRow:
    """open: still to be acknowledged."""

    id: str
    text: str
    state: str
    at: Moment
    open: bool


@dataclass(frozen=True)
class ContactRow:
    id: str
    text: str
    quiet: str


@dataclass(frozen=True)
class CallsView:
    key: str
    calls: tuple[CallRow, ...]
    contacts: tuple[ContactRow, ...]
    kinds: tuple[Choice, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def person_row(
    words: Words, account: Account, held: May, own: Sequence[Licence], *, reachable: bool, today: date
) -> PersonRow:
    lost = account.roles - held.roles
    return PersonRow(
        href=f"/people/{account.name}",
        name=account.display_ko if words.language is Language.KO else account.display_en,
        account=account.name,
        roles=role_names(words, account.roles),
        lost=role_names(words, lost),
        licences=tuple(_licence(words, each, today) for each in own),
        missing=not own and not account.roles.isdisjoint(NEEDED),
        reachable=reachable,
        closed=account.disabled,
    )


def person_view(
    words: Words,
    row: PersonRow,
    *,
    key: str,
    duties: Sequence[Entered],
    absences: Sequence[Away],
    names: Names,
    colleagues: Mapping[str, str],
    may_change: bool,
    may_roster: bool,
    form: str = "",
    values: Mapping[str, str] | None = None,
    wrong: frozenset[str] = frozenset(),
) -> PersonView:
    _ = words.gettext
    return PersonView(
        row=row,
        key=key,
        duties=tuple(
            DutyRow(
                f"{position_name(words, each.position)} · {names.place(each.place) or _('The whole hospital')}",
                _span(words, each.duty.since, each.duty.until),
            )
            for each in duties
        ),
        absences=tuple(
            AbsenceRow(
                str(each.id),
                f"{_reason(words, each.reason)} · {_span(words, each.since, each.until)}",
                _("{person} stands in").format(person=names.person(each.substitute))
                if each.substitute
                else _("Nobody stands in"),
            )
            for each in absences
            if each.ended_at is None
        ),
        kinds=tuple(Choice(each.value, licence_name(words, each)) for each in LicenceKind),
        reasons=tuple(Choice(each.value, _reason(words, each)) for each in AbsenceReason),
        colleagues=tuple(Choice(name, shown) for name, shown in colleagues.items() if name != row.account),
        may_change=may_change,
        may_roster=may_roster,
        form=form,
        values=values or {},
        errors={name: _wrong(words, name) for name in sorted(wrong)},
    )


def calls_view(
    words: Words,
    told: Sequence[Notice],
    ways: Sequence[Contact],
    *,
    names: Names,
    now: datetime,
    key: str,
    values: Mapping[str, str] | None = None,
    wrong: frozenset[str] = frozenset(),
) -> CallsView:
    return CallsView(
        key=key,
        calls=tuple(
            CallRow(
                str(each.id),
                notice_text(words, each, names, now),
                state_name(words, each.state),
                moment(words, each.made_at, now),
                each.acknowledged_at is None,
            )
            for each in told
        ),
        contacts=tuple(
            ContactRow(
                str(each.id), f"{each.rank}. {channel_name(words, each.kind)} {each.masked}", _quiet(words, each)
            )
            for each in ways
        ),
        kinds=tuple(Choice(each.value, channel_name(words, each)) for each in ChannelKind),
        values=values or {"rank": "1"},
        errors={name: _wrong(words, name) for name in sorted(wrong)},
    )


def licence_name(words: Words, kind: LicenceKind) -> str:
    _ = words.gettext
    return {
        LicenceKind.PHYSICIAN: _("physician's licence"),
        LicenceKind.NURSE: _("nurse's licence"),
        LicenceKind.NURSING_ASSISTANT: _("nursing assistant's certificate"),
        LicenceKind.PHARMACIST: _("pharmacist's licence"),
        LicenceKind.LABORATORY: _("laboratory technologist's licence"),
        LicenceKind.RADIOGRAPHER: _("radiographer's licence"),
        LicenceKind.RECORDS: _("health information manager's licence"),
    }[kind]


def channel_name(words: Words, kind: ChannelKind) -> str:
    _ = words.gettext
    return {
        ChannelKind.PAGER: _("pager"),
        ChannelKind.SMS: _("text message"),
        ChannelKind.TELEPHONE: _("telephone, by people"),
    }[kind]


def _licence(words: Words, held: Licence, today: date) -> LicenceRow:
    _ = words.gettext
    state, tone = _("valid"), "done"
    if held.ends_soon(today) and held.last is not None:
        left = (held.last - today).days
        state, tone = words.ngettext("ends in {days} day", "ends in {days} days", left).format(days=left), "soon"
    elif not held.valid(today):
        over = held.last is not None and held.last < today
        state, tone = _("has ended") if over else _("has not begun"), "late"
    return LicenceRow(
        kind=licence_name(words, held.kind),
        code=held.kind.value,
        number=held.number,
        issuer=held.issuer,
        first=held.first.isoformat() if held.first else "",
        last=held.last.isoformat() if held.last else "",
        state=state,
        tone=tone,
    )


def _reason(words: Words, reason: AbsenceReason) -> str:
    _ = words.gettext
    return {
        AbsenceReason.LEAVE: _("leave"),
        AbsenceReason.SICK: _("ill"),
        AbsenceReason.TRAINING: _("training"),
        AbsenceReason.DUTY_ELSEWHERE: _("on duty elsewhere"),
        AbsenceReason.OTHER: _("other reason"),
    }[reason]


def _quiet(words: Words, contact: Contact) -> str:
    if contact.quiet_from is None or contact.quiet_until is None:
        return ""
    hours = f"{contact.quiet_from:%H:%M}–{contact.quiet_until:%H:%M}"
    return words.gettext("Quiet {hours}: only emergencies").format(hours=hours)


def _span(words: Words, since: datetime, until: datetime) -> str:
    return f"{words.exact(since)} – {words.exact(until)}"


def _wrong(words: Words, name: str) -> str:
    _ = words.gettext
    return {
        "kind": _("Choose a kind."),
        "last": _("It ends after it begins."),
        "first": _("Give a day."),
        "since": _("Give a day and a time."),
        "until": _("It ends after it begins."),
        "reason": _("Choose a reason."),
        "substitute": _("Choose a colleague who is here."),
        "address": _("A number has 3 to 15 digits."),
        "quiet_until": _("Give both ends of the quiet hours, or none."),
        "rank": _("Give a place in the order, 1 to 9."),
        "most": _("Nobody is reached in more ways: end one first."),
    }.get(name, _("This is not right."))


def today_of(now: datetime) -> date:
    return now.astimezone(ZONE).date()
