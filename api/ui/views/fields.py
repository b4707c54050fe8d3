"""What is wrong with a field, said on the page of a refusal: for what no form of ours says beside the field itself.

Forms say beside each field what it needs. What comes otherwise was sent by something else than that form (a page that
is older than this release, a program, somebody who tries), and is told here, field by field, all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.ui.words import Words

_LONGEST_NAME = 40


@dataclass(frozen=True)
class WrongField:
    """name: in the form.  label: what people call it.  sentence: what it needs."""

    name: str
    label: str
    sentence: str


def wrong_field(words: Words, field: str, kind: str = "") -> WrongField:
    """field: a name or JSON Pointer.  kind: pydantic's word for what is wrong, where it is known."""
    name = field.strip("/").partition("/")[0][:_LONGEST_NAME]
    return WrongField(name, _label(words, name), _sentence(words, kind))


def _label(words: Words, name: str) -> str:
    _ = words.gettext
    return {
        "account": _("Account"),
        "bed": _("Bed"),
        "code": _("Code"),
        "hospital": _("Hospital"),
        "language": _("Language"),
        "password": _("Password"),
        "present": _("Present password"),
        "proof": _("Code"),
        "reason": _("Reason"),
        "remark": _("Remark"),
        "verdict": _("Verdict"),
    }.get(name, name)


def _sentence(words: Words, kind: str) -> str:
    _ = words.gettext
    if kind == "missing":
        return _("Nothing was given.")
    if kind in {"string_too_long", "too_long"}:
        return _("This is too long.")
    if kind in {"string_too_short", "too_short"}:
        return _("This is too short.")
    if kind in {"enum", "literal_error"}:
        return _("This is none of the choices.")
    return _("This cannot be accepted.")
