"""One-time codes of an authenticator (RFC 6238) and recovery codes for the day it is lost."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from hmac import compare_digest

import pyotp
import segno

from store import second_factors
from store.database import Transaction

STEP = 30  # seconds
_DRIFT = 1  # steps that a telephone's clock may be off, either way
_RECOVERY_CODES = 10
_GROUP = 4


def new_secret() -> str:
    """160 random bits, base32, as RFC 4226 recommends."""
    return pyotp.random_base32(32)


def address_of(secret: str, account: str, hospital: str) -> str:
    """What an authenticator reads from the picture: otpauth://totp/…"""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=account, issuer_name=hospital)


def picture_of(address: str) -> str:
    """The address as a QR code: an SVG in a data address, so that a page shows it as a picture, not as its markup."""
    return segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")


def grouped(secret: str) -> str:
    """A secret for people who type it."""
    return " ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP))


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step that a code belongs to, the present one or a neighbour; None for a wrong code."""
    given = "".join(code.split())
    present = int(now.timestamp()) // STEP
    totp = pyotp.TOTP(secret, interval=STEP)
    found = None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if compare_digest(totp.generate_otp(step).encode(), given.encode()):
            found = step
    return found


async def accept(tx: Transaction, account: str, code: str, now: datetime) -> bool:
    """Whether a code, or an unused recovery code, is the account's. It is used up by that. Raises SealBroken."""
    factor = await second_factors.of(tx, account, lock=True)
    if factor is None or not factor.confirmed:
        return False
    step = step_of(factor.secret, code, now)
    if step is not None:
        return await second_factors.accept(tx, account, step, now)
    return await second_factors.use_recovery_code(tx, account, normal(code), now)


async def confirm(tx: Transaction, account: str, code: str, now: datetime) -> list[str] | None:
    """Confirm a second factor with its first code and return fresh recovery codes; None for a wrong code."""
    factor = await second_factors.of(tx, account, lock=True)
    if factor is None or factor.confirmed:
        return None
    step = step_of(factor.secret, code, now)
    if step is None or not await second_factors.accept(tx, account, step, now):
        return None
    return await renew_recovery_codes(tx, account)


async def renew_recovery_codes(tx: Transaction, account: str) -> list[str]:
    """Ten codes of 80 random bits, each good once; earlier ones are not any more. They are kept as hashes only."""
    made = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(_RECOVERY_CODES)]
    await second_factors.replace_recovery_codes(tx, account, made)
    return ["-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP)) for code in made]


def normal(code: str) -> str:
    """A recovery code without what people add to it."""
    return "".join(letter for letter in code.lower() if letter.isalnum())
