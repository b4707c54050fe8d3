"""Who may sign in, who is signed in, and clients' tokens. Of every secret only a hash."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant


class Account(HospitalTable, table=True):
    """A person's account, named `bed-manager@hanbit`."""

    name: str = Field(primary_key=True, sa_type=Code)
    display_ko: str
    display_en: str
    roles: list[str] = Field(sa_type=Codes)
    password_hash: str
    disabled: bool


class Session(HospitalTable, table=True):
    """A signed-in browser. Times are real."""

    secret_hash: bytes = Field(primary_key=True)
    account: str = Field(sa_type=Code)
    csrf: str
    started_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)


class AccessToken(HospitalTable, table=True):
    """A client's token. `label` names the client or account that acts with it."""

    secret_hash: bytes = Field(primary_key=True)
    label: str = Field(sa_type=Code)
    roles: list[str] = Field(sa_type=Codes)
    scope: str
    expires_at: datetime = Field(sa_type=Instant)
