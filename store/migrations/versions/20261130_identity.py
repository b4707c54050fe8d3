"""Identity: second factors, sign-ins under way, set-up links, failed attempts, single sign-on, clients.

The previous release goes on beside it: what is added to its tables has a default, and a sign-in that is not complete
stands in a table of its own, which that release cannot take for a session.
"""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261130_identity"
down_revision = "20261129_audit_seals"

ID = 'text collate "C"'

PEOPLE = f"""
alter table account
    add column must_change boolean not null default false,
    add column external {ID};
create unique index account_external on account (hospital, external) where external is not null;
alter table session
    add column proved_at timestamptz,
    add column method {ID} not null default 'password',
    add column address {ID},
    add column agent varchar;
create index session_of_account on session (hospital, account);
create table sign_in_policy (
    hospital {ID} primary key,
    second_factor {ID} not null
);
create table sign_in (
    hospital {ID},
    secret_hash bytea,
    account {ID} not null,
    csrf varchar not null,
    method {ID} not null,
    proofs text[] collate "C" not null,
    next varchar not null,
    started_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (hospital, secret_hash)
);
create index sign_in_of_account on sign_in (hospital, account);
create table second_factor (
    hospital {ID},
    account {ID},
    key_id {ID} not null,
    secret bytea not null,
    made_at timestamptz not null,
    confirmed_at timestamptz,
    last_step bigint,
    primary key (hospital, account)
);
create table recovery_code (
    hospital {ID},
    account {ID},
    code_hash bytea,
    used_at timestamptz,
    primary key (hospital, account, code_hash)
);
create table setup_link (
    hospital {ID},
    secret_hash bytea,
    account {ID} not null,
    expires_at timestamptz not null,
    primary key (hospital, secret_hash)
);
create index setup_link_of_account on setup_link (hospital, account);
create table sign_in_attempt (
    hospital {ID},
    key bytea,
    account {ID},
    failures integer not null,
    last_at timestamptz not null,
    blocked_until timestamptz not null,
    primary key (hospital, key)
);
create index sign_in_attempt_age on sign_in_attempt (hospital, last_at);
create table single_sign_on (
    hospital {ID},
    state_hash bytea,
    browser_hash bytea not null,
    issuer {ID} not null,
    nonce {ID} not null,
    verifier {ID} not null,
    next varchar not null,
    expires_at timestamptz not null,
    primary key (hospital, state_hash)
);
"""

CLIENTS = f"""
create table client (
    hospital {ID},
    id {ID},
    display varchar not null,
    keys jsonb,
    keys_url varchar,
    scope varchar not null,
    token_seconds integer not null check (token_seconds between 1 and 3600),
    disabled boolean not null,
    made_at timestamptz not null,
    primary key (hospital, id),
    constraint client_keys check ((keys is null) <> (keys_url is null))
);
create table client_assertion (
    hospital {ID},
    client {ID},
    jti_hash bytea,
    expires_at timestamptz not null,
    primary key (hospital, client, jti_hash)
);
create index access_token_of_label on access_token (hospital, label);
"""

_PASSING = ("sign_in", "setup_link", "sign_in_attempt", "single_sign_on", "client_assertion")
"""What ends by itself: the system role forgets it, in all hospitals."""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(PEOPLE)
    op.execute(CLIENTS)
    isolate("sign_in_policy", "select, insert, update")
    isolate("second_factor", "select, insert, update, delete")
    isolate("recovery_code", "select, insert, update, delete")
    isolate("client", "select, insert, update")
    for table in _PASSING:
        isolate(table, "select, insert, update, delete", "select, delete")
    op.execute("create policy every_hospital on access_token to phis_system using (true) with check (true)")
    op.execute("grant select, delete on access_token to phis_system")


def downgrade() -> None:
    raise NotImplementedError("second factors and clients would be lost: restore a backup")
