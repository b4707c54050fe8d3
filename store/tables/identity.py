"""How people prove who they are, and which programs may ask for tokens. Secrets are sealed or kept as hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant, Json


class SignInPolicy(HospitalTable, table=True):
    """What a hospital asks of its people. No row: what the roles ask."""

    second_factor: str = Field(sa_type=Code)


class SignIn(HospitalTable, table=True):
    """A sign-in under way: something was proved, something is missing. No session, and never taken for one."""

    secret_hash: bytes = Field(primary_key=True)
    account: str = Field(sa_type=Code)
    csrf: str
    method: str = Field(sa_type=Code)
    proofs: list[str] = Field(sa_type=Codes)
    next: str
    started_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)

    __table_args__ = (Index("sign_in_of_account", "hospital", "account"),)


class SecondFactor(HospitalTable, table=True):
    """The sealed secret of an account's one-time codes. `last_step`: the time step of the last code accepted."""

    account: str = Field(primary_key=True, sa_type=Code)
    key_id: str = Field(sa_type=Code)
    secret: bytes
    made_at: datetime = Field(sa_type=Instant)
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    last_step: int | None = Field(default=None, sa_type=BigInteger)


class RecoveryCode(HospitalTable, table=True):
    """A code for the day the telephone is gone, good once."""

    account: str = Field(primary_key=True, sa_type=Code)
    code_hash: bytes = Field(primary_key=True)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class SetupLink(HospitalTable, table=True):
    """Lets a person choose the first password, once."""

    secret_hash: bytes = Field(primary_key=True)
    account: str = Field(sa_type=Code)
    expires_at: datetime = Field(sa_type=Instant)

    __table_args__ = (Index("setup_link_of_account", "hospital", "account"),)


class SignInAttempt(HospitalTable, table=True):
    """Failures of one account from one place. `key` is a hash of both; `account` stands where one exists."""

    key: bytes = Field(primary_key=True)
    account: str | None = Field(default=None, sa_type=Code)
    failures: int
    last_at: datetime = Field(sa_type=Instant)
    blocked_until: datetime = Field(sa_type=Instant)

    __table_args__ = (Index("sign_in_attempt_age", "hospital", "last_at"),)


class SingleSignOn(HospitalTable, table=True):
    """A journey to the hospital's own sign-on and back."""

    state_hash: bytes = Field(primary_key=True)
    browser_hash: bytes
    issuer: str = Field(sa_type=Code)
    nonce: str = Field(sa_type=Code)
    verifier: str = Field(sa_type=Code)
    next: str
    expires_at: datetime = Field(sa_type=Instant)


class Client(HospitalTable, table=True):
    """A program that may ask for tokens with its own key."""

    id: str = Field(primary_key=True, sa_type=Code)
    display: str
    keys: dict[str, Any] | None = Field(default=None, sa_type=Json)
    keys_url: str | None = None
    scope: str
    token_seconds: int
    disabled: bool
    made_at: datetime = Field(sa_type=Instant)

    __table_args__ = (
        CheckConstraint("token_seconds between 1 and 3600"),
        CheckConstraint("(keys is null) <> (keys_url is null)", name="client_keys"),
    )


class ClientAssertion(HospitalTable, table=True):
    """An assertion that was accepted and must not be again."""

    client: str = Field(primary_key=True, sa_type=Code)
    jti_hash: bytes = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=Instant)
