"""Who may sign in, who is signed in, and clients' tokens. Of every secret only a hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Column, Index, Integer, text
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant


class Account(HospitalTable, table=True):
    """A person's account, named `bed-manager@hanbit`. `external`: how the hospital's sign-on knows the person.

    failed_since: attempts with it that failed after the last one that did not.
    """

    name: str = Field(primary_key=True, sa_type=Code)
    display_ko: str
    display_en: str
    roles: list[str] = Field(sa_type=Codes)
    password_hash: str
    disabled: bool
    must_change: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    external: str | None = Field(default=None, sa_type=Code)
    signed_in_at: datetime | None = Field(default=None, sa_type=Instant)
    signed_in_from: str | None = Field(default=None, sa_type=Code)
    failed_since: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))

    __table_args__ = (
        Index("account_external", "hospital", "external", unique=True, postgresql_where=text("external is not null")),
    )


class Session(HospitalTable, table=True):
    """A signed-in browser. Times are real. `proved_at`: when the person last proved to be still there.

    before_…: of the sign-in before this one, and what failed in between.
    """

    secret_hash: bytes = Field(primary_key=True)
    account: str = Field(sa_type=Code)
    csrf: str
    started_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    proved_at: datetime | None = Field(default=None, sa_type=Instant)
    method: str = Field(default="password", sa_column=Column(Code, nullable=False, server_default="password"))
    address: str | None = Field(default=None, sa_type=Code)
    agent: str | None = None
    acting_for: str | None = Field(default=None, sa_type=Code)
    before_at: datetime | None = Field(default=None, sa_type=Instant)
    before_from: str | None = Field(default=None, sa_type=Code)
    before_failed: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))

    __table_args__ = (Index("session_of_account", "hospital", "account"),)


class AccessToken(HospitalTable, table=True):
    """A client's token. `label` names the client or account that acts with it."""

    secret_hash: bytes = Field(primary_key=True)
    label: str = Field(sa_type=Code)
    roles: list[str] = Field(sa_type=Codes)
    scope: str
    expires_at: datetime = Field(sa_type=Instant)

    __table_args__ = (Index("access_token_of_label", "hospital", "label"),)
