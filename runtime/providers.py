"""PHIS_OIDC: which hospital has a sign-on of its own, as the installation writes it down."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, StringConstraints, TypeAdapter, ValidationError

from adapters.oidc.provider import ALGORITHMS, Provider
from domain.errors import Misconfigured
from domain.ids import HospitalCode

_Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Written(BaseModel, extra="forbid", hide_input_in_errors=True):
    hospital: HospitalCode
    issuer: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$")]
    client_id: _Text
    client_secret: str = ""
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)] = ("RS256",)
    claim: _Text = "sub"


_LIST: TypeAdapter[list[_Written]] = TypeAdapter(list[_Written])


def providers_of(setting: SecretStr) -> dict[str, Provider]:
    """Providers by hospital. Raises Misconfigured, never showing a secret."""
    text = setting.get_secret_value().strip()
    if not text:
        return {}
    try:
        written = _LIST.validate_json(text)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "it"
        raise Misconfigured(f"PHIS_OIDC: {place}: {first['msg']}.") from None
    found: dict[str, Provider] = {}
    for one in written:
        strange = set(one.algorithms) - ALGORITHMS
        if strange:
            raise Misconfigured(f"PHIS_OIDC: {', '.join(sorted(strange))} is no signature with a public key.")
        if one.hospital in found:
            raise Misconfigured(f"PHIS_OIDC: {one.hospital} has two sign-ons; one is enough.")
        found[one.hospital] = Provider(**one.model_dump())
    return found
