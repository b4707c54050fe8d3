"""Forms of signing in: account and password, a code, a new password, a second factor to set up."""

from __future__ import annotations

from dataclasses import dataclass

from api.ui.views.stays import Choice
from api.ui.words import Words
from rules.passwords import LONGEST, Weakness


@dataclass(frozen=True)
class SignInForm:
    """error: one sentence for every reason, so that it tells nobody which accounts exist.

    sso: hospitals with a sign-on of their own.  waits: what was typed was not looked at.  ended: a session was there.
    """

    hospitals: tuple[Choice, ...]
    hospital: str
    account: str
    next: str
    error: str = ""
    sso: tuple[Choice, ...] = ()
    waits: bool = False
    ended: bool = False


@dataclass(frozen=True)
class CodeForm:
    """Asks for a code, or for the password where there is no second factor."""

    action: str
    csrf: str
    title: str
    lead: str
    asks_password: bool = False
    next: str = ""
    again: str = ""
    error: str = ""
    sso: str = ""


@dataclass(frozen=True)
class PasswordForm:
    """Chooses a password. asks_present: the present one must be given too, and `wrong_present` is what is wrong."""

    action: str
    csrf: str
    title: str
    lead: str
    account: str
    shortest: int
    asks_present: bool = False
    wrong_present: bool = False
    error: str = ""


@dataclass(frozen=True)
class FactorForm:
    """Sets a second factor up. picture: a QR code as a data address."""

    action: str
    csrf: str
    picture: str
    secret: str
    address: str
    error: str = ""


@dataclass(frozen=True)
class RecoveryCodes:
    """Shown once. next: where to go when they are kept."""

    codes: tuple[str, ...]
    next: str


@dataclass(frozen=True)
class Again:
    """A form that waited for a fresh proof and can be sent now. fields: names and values in their order."""

    action: str
    fields: tuple[tuple[str, str], ...]


def weakness_sentence(words: Words, weakness: Weakness, shortest: int) -> str:
    """Why a password was refused, and what to do."""
    _ = words.gettext
    sentences = {
        Weakness.TOO_SHORT: _("It needs at least {count} characters. Several words in a row are easy to keep in mind."),
        Weakness.TOO_LONG: _("It may have {longest} characters at most."),
        Weakness.COMMON: _("Many people use this or something like it, so it is guessed first. Choose another one."),
        Weakness.SAME: _("This is the password that is to be replaced. Choose another one."),
        Weakness.ABOUT_YOU: _("It contains your name, your account or the hospital. Choose another one."),
    }
    return sentences[weakness].format(count=shortest, longest=LONGEST)
