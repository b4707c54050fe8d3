"""A patient and a place as people name them, from FHIR JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from api.ui.words import ZONE, Language, Words


@dataclass(frozen=True)
class PatientView:
    """line: sex and age.  birth: full date.  phone: empty where unknown."""

    name: str
    line: str
    birth: str
    phone: str


def patient_view(words: Words, body: Mapping[str, Any], now: datetime) -> PatientView:
    _ = words.gettext
    sex = {"male": _("male"), "female": _("female"), "other": _("other sex"), "unknown": _("sex unknown")}
    born = _birth(body.get("birthDate"))
    parts = [sex.get(str(body.get("gender", "unknown")), sex["unknown"])]
    if born is not None:
        parts.append(age(words, born, now.astimezone(ZONE).date()))
    return PatientView(
        name=_name(body) or _("name not known"),
        line=" · ".join(parts),
        birth=born.isoformat() if born else "",
        phone=next((str(one["value"]) for one in body.get("telecom", []) if one.get("system") == "phone"), ""),
    )


def age(words: Words, born: date, today: date) -> str:
    """Completed years (만 나이); months under two years, days under one month."""
    _ = words.gettext
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months < 1:
        return _("{days} days old").format(days=max(0, (today - born).days))
    if months < 24:
        return _("{months} months old").format(months=months)
    return _("{years} years old").format(years=months // 12)


def place_name(words: Words, body: Mapping[str, Any]) -> str:
    """A Location's name as signs read it; in English its alias, where it has one."""
    aliases = body.get("alias", [])
    if words.language is Language.EN and aliases:
        return str(aliases[0])
    return str(body.get("name", body.get("id", "")))


def _name(body: Mapping[str, Any]) -> str:
    names = sorted(body.get("name", []), key=lambda name: name.get("use") != "official")
    for name in names:
        if name.get("text"):
            return str(name["text"])
        spelled = " ".join([*name.get("given", []), name.get("family", "")]).strip()
        if spelled:
            return spelled
    return ""


def _birth(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None  # a year or year and month alone, which FHIR allows
