"""The sign-in form."""

from __future__ import annotations

from dataclasses import dataclass

from api.ui.views.stays import Choice


@dataclass(frozen=True)
class SignInForm:
    """error: one sentence for every reason, so that it tells nobody which accounts exist."""

    hospitals: tuple[Choice, ...]
    hospital: str
    account: str
    next: str
    error: str = ""
