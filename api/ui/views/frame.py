"""What surrounds every screen: where am I, who am I, where can I go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.caller import Caller
from api.ui.words import Language, Words
from domain.roles import Role
from rules.access import Action, may


@dataclass(frozen=True)
class NavItem:
    """key: the letter that leads here after `g`; empty for none."""

    href: str
    label: str
    current: bool
    key: str = ""


@dataclass(frozen=True)
class Frame:
    """person: empty while nobody is signed in; then there is no navigation either.

    acting_for: the colleague for whom the person acts; empty for oneself.
    here: address to come back to after changing the language.  csrf: what forms repeat.
    nonce: of this answer's scripts.  live: whether the page listens for what others change.
    """

    title: str
    language: str
    other_language: str
    other_language_name: str
    hospital: str
    person: str
    roles: str
    acting_for: str
    nav: tuple[NavItem, ...]
    here: str
    csrf: str
    nonce: str
    live: bool


@dataclass(frozen=True)
class Notice:
    """What a person just did came to this. next: what happens now or what to do instead.

    tone: `done`, `refused`, `soon` or `info`.
    """

    tone: str
    title: str
    detail: str = ""
    next: str = ""


def frame(
    words: Words,
    caller: Caller | None,
    *,
    title: str,
    at: str,
    here: str,
    nonce: str,
    hospital: str = "",
    live: bool = False,
) -> Frame:
    _ = words.gettext
    other = Language.EN if words.language is Language.KO else Language.KO
    nav: list[NavItem] = []
    if caller is not None:
        places = [
            (Action.SEE_WORKLIST, "/worklist", _("My work"), "w"),
            (Action.FIND_PATIENT, "/patients", _("Patients"), "p"),
            (Action.REQUEST_ADMISSION, "/admissions/new", _("New admission"), "n"),
            (Action.REVIEW_BREAK_GLASS, "/break-glass", _("Emergency access"), "e"),
            (Action.WRITE_SETUP, "/setup", _("Set-up"), "u"),
            (Action.SEE_SECURITY, "/security", _("Security"), "s"),
            (Action.SEE_ACCOUNTS, "/admin/accounts", _("Accounts"), "a"),
            (Action.SEE_DUTY, "/rosters", _("Rosters"), "r"),
            (Action.SEE_PEOPLE, "/people", _("People"), "o"),
            (Action.ANSWER_CALLS, "/calls", _("Calls"), "l"),
        ]
        nav = [
            NavItem(href, label, at.startswith(href), key)
            for action, href, label, key in places
            if may(caller.roles, action)
        ]
    return Frame(
        title=title,
        language=words.language.value,
        other_language=other.value,
        other_language_name="English" if other is Language.EN else "한국어",
        hospital=hospital,
        person=caller.display.get(words.language.value, caller.actor) if caller else "",
        roles=role_names(words, caller.roles) if caller else "",
        acting_for=(caller.on_behalf_of or "") if caller else "",
        nav=tuple(nav),
        here=here,
        csrf=(caller.csrf or "") if caller else "",
        nonce=nonce,
        live=live and caller is not None,
    )


def role_name(words: Words, role: Role) -> str:
    _ = words.gettext
    names = {
        Role.RECEPTIONIST: _("receptionist"),
        Role.PHYSICIAN: _("physician"),
        Role.NURSE: _("nurse"),
        Role.CHARGE_NURSE: _("charge nurse"),
        Role.PHLEBOTOMIST: _("phlebotomist"),
        Role.WARD_MANAGER: _("ward manager"),
        Role.BED_MANAGER: _("bed manager"),
        Role.ADMISSION_CLERK: _("admission clerk"),
        Role.LAB_TECHNOLOGIST: _("laboratory technologist"),
        Role.PATHOLOGIST: _("pathologist"),
        Role.RADIOGRAPHER: _("radiographer"),
        Role.RADIOLOGIST: _("radiologist"),
        Role.PHARMACIST: _("pharmacist"),
        Role.HOUSEKEEPING: _("housekeeping"),
        Role.TRANSPORTER: _("transporter"),
        Role.CASHIER: _("cashier"),
        Role.CODER: _("coder"),
        Role.CLAIM_REVIEWER: _("claim reviewer"),
        Role.MEDICAL_RECORDS: _("medical records"),
        Role.ANALYST: _("analyst"),
        Role.RULE_APPROVER: _("rule approver"),
        Role.ADMINISTRATOR: _("administrator"),
        Role.AUDITOR: _("auditor"),
    }
    return names[role]


def role_names(words: Words, roles: Iterable[Role]) -> str:
    """Names of roles in the order of the enum, so that a list reads the same each time."""
    held = set(roles)
    return ", ".join(role_name(words, role) for role in Role if role in held)
