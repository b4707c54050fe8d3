"""The form "new admission": what was typed, what is wrong beside its field, what may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.ui.views.codes import priority_name
from api.ui.views.patients import PatientRow
from api.ui.views.stays import Choice
from api.ui.words import Words
from domain.worklist import Priority


@dataclass(frozen=True)
class AdmissionForm:
    """values, errors: by the field's name. A page without errors is the empty form.

    patient: who is registered already; None for somebody new.
    """

    key: str
    genders: tuple[Choice, ...]
    wards: tuple[Choice, ...]
    priorities: tuple[Choice, ...]
    latest_birth: str
    next: str
    patient: PatientRow | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""


def admission_form(
    words: Words,
    *,
    key: str,
    wards: Mapping[str, str],
    today: str,
    patient: PatientRow | None = None,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> AdmissionForm:
    _ = words.gettext
    found = dict(errors or {})
    return AdmissionForm(
        key=key,
        genders=(
            Choice("female", _("female")),
            Choice("male", _("male")),
            Choice("other", _("other sex")),
            Choice("unknown", _("sex unknown")),
        ),
        wards=tuple(Choice(reference, name) for reference, name in sorted(wards.items(), key=lambda ward: ward[1])),
        priorities=tuple(Choice(priority.value, priority_name(words, priority)) for priority in Priority),
        latest_birth=today,
        next=_(
            "The patient is registered and the request goes to the bed managers, who are asked to assign a bed in time."
        ),
        patient=patient,
        values=values or {"priority": Priority.ROUTINE.value},
        errors=found,
        summary=(
            words.ngettext("{count} field needs attention", "{count} fields need attention", len(found)).format(
                count=len(found)
            )
            if found
            else ""
        ),
    )


def field_error(words: Words, name: str) -> str:
    """What a field of the form needs."""
    _ = words.gettext
    return {
        "name": _("Enter the patient's name, at most 100 letters."),
        "birth_date": _("Enter a date of birth that is not in the future, as year-month-day."),
        "gender": _("Choose one."),
        "phone": _("Use digits, spaces, + and -, at most 30."),
        "reference": _("This patient cannot be found here."),
        "ward": _("Choose a ward of this hospital."),
        "priority": _("Choose one."),
    }.get(name, _("This cannot be accepted."))
