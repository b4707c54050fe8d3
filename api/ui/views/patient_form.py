"""The form of the desk: what is asked of each kind of person, what was typed, what is wrong beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from babel import Locale

from api.ui.views.patients import PatientRow, insurance_names, kin_names
from api.ui.views.stays import Choice
from api.ui.words import Words
from domain.patients import Kind


@dataclass(frozen=True)
class PatientForm:
    """kinds: tabs, address and name.  duplicates: who may be the same; none_of: of them, those who are not.

    correcting: the patient whose details these are; empty for a new one.
    """

    kind: str
    action: str
    key: str
    version: int
    kinds: tuple[Choice, ...]
    genders: tuple[Choice, ...]
    kin: tuple[Choice, ...]
    insurances: tuple[Choice, ...]
    countries: tuple[Choice, ...]
    latest_birth: str
    mother: PatientRow | None = None
    duplicates: tuple[PatientRow, ...] = ()
    correcting: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""


def patient_form(  # a form has as many sides
    words: Words,
    *,
    kind: Kind,
    key: str,
    today: date,
    values: Mapping[str, str],
    wrong: set[str] | None = None,
    mother: PatientRow | None = None,
    duplicates: tuple[PatientRow, ...] = (),
    correcting: str = "",
    version: int = 0,
) -> PatientForm:
    _ = words.gettext
    errors = {name: field_error(words, name) for name in sorted(wrong or ())}
    names = {
        Kind.RESIDENT: _("Resident"),
        Kind.FOREIGNER: _("Foreigner"),
        Kind.NEWBORN: _("Newborn"),
        Kind.UNKNOWN: _("Identity unknown"),
    }
    count = len(errors)
    said = words.ngettext("{count} field needs attention", "{count} fields need attention", count).format(count=count)
    return PatientForm(
        kind=kind.value,
        action=f"/patients/{correcting}/correct" if correcting else "/patients/new",
        key=key,
        version=version,
        kinds=tuple(Choice(each.value, name) for each, name in names.items()),
        genders=(
            Choice("female", _("female")),
            Choice("male", _("male")),
            Choice("other", _("other sex")),
            Choice("unknown", _("sex unknown")),
        ),
        kin=tuple(Choice(each.value, name) for each, name in kin_names(words)),
        insurances=tuple(Choice(each.value, name) for each, name in insurance_names(words)),
        countries=_countries(words.locale),
        latest_birth=today.isoformat(),
        mother=mother,
        duplicates=duplicates,
        correcting=correcting,
        values=values,
        errors=errors,
        summary=said if errors else "",
    )


def _countries(locale: Locale) -> tuple[Choice, ...]:
    """Countries by their names in the reader's language (CLDR, ISO 3166 alpha-2)."""
    known = [(code, str(name)) for code, name in locale.territories.items() if len(code) == 2 and code.isalpha()]
    listed = [Choice(code, name) for code, name in known if code not in {"ZZ", "EU", "EZ", "UN", "XA", "XB", "QO"}]
    return tuple(sorted(listed, key=lambda each: each.label))


def field_error(words: Words, name: str) -> str:
    """What a field of the form needs."""
    _ = words.gettext
    return {
        "name": _("Enter the patient's name, at most 100 letters."),
        "latin_name": _("At most 100 letters."),
        "birth_date": _("Enter a date of birth that is not in the future and fits the resident number."),
        "age": _("Enter years, 0 to 130, or leave it empty."),
        "born_at": _("Enter the day and time of birth, not in the future."),
        "order_of_birth": _("Enter 1 for the first born, 2 for the second, or leave it empty."),
        "gender": _("Choose one. It must fit the resident number."),
        "phone": _("Use digits, spaces, + and -, 7 to 30."),
        "address": _("At most 300 letters."),
        "resident_number": _(
            "Thirteen digits as on the document, of a number that nobody else here has; foreigners have their own kind."
        ),
        "passport": _("Capital letters and digits, 5 to 20, as in the passport."),
        "nationality": _("Choose a country of the list."),
        "mother": _("Find the mother first: a newborn is registered from her page."),
        "contact_name": _("Enter the contact's name."),
        "contact_relationship": _("Choose what the contact is to the patient."),
        "contact_phone": _("Use digits, spaces, + and -, 7 to 30."),
        "cover_subscriber": _("Digits, letters and -, at most 20, as on the certificate."),
        "cover_since": _("Enter a day, or leave it empty."),
        "cover_insurance": _("Choose one of the list."),
    }.get(name, _("This cannot be accepted."))
