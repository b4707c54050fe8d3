"""Duty positions, and what belongs to them, in words."""

from __future__ import annotations

from api.ui.views.frame import role_name
from api.ui.words import Words
from domain.duty import DutyPosition
from domain.roles import Role


def position_name(words: Words, position: DutyPosition) -> str:
    _ = words.gettext
    return {
        DutyPosition.RESIDENT_ON_CALL: _("resident on call"),
        DutyPosition.ATTENDING: _("attending physician"),
        DutyPosition.DUTY_CHIEF: _("chief on duty"),
        DutyPosition.COVERING_PHYSICIAN: _("covering physician"),
        DutyPosition.WARD_SUPERVISOR: _("ward supervisor"),
        DutyPosition.NIGHT_SUPERVISOR: _("night supervisor"),
        DutyPosition.DUTY_DIRECTOR: _("director on duty"),
        DutyPosition.PHARMACY_LEAD: _("lead of the pharmacy"),
        DutyPosition.CLAIMS_LEAD: _("lead of claims"),
    }[position]


def asked_name(words: Words, asked: Role | DutyPosition) -> str:
    """Whom a rule names: a role or a position."""
    return position_name(words, asked) if isinstance(asked, DutyPosition) else role_name(words, asked)
