"""The audit is sealed: what a row says more, the seals, the months ahead, and nobody changes a row.

A row is found by hospital and transaction number, as the sealer and the check read it; one index does all of that, so
that an access costs no second one.
"""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261129_audit_seals"
down_revision = "20261127_patient_links"

ID = 'text collate "C"'

ROWS = f"""
alter table audit_event
    add column roles text[] collate "C",
    add column purpose {ID},
    add column on_behalf_of {ID},
    add column request {ID},
    add column found integer,
    add column key_id {ID},
    add column sealed bytea;
alter table audit_event drop constraint audit_event_pkey;
alter table audit_event add primary key (hospital, xid, id, recorded_at);
"""

SEALS = f"""
create table audit_seal (
    hospital {ID},
    number bigint,
    layout smallint not null,
    previous bytea not null,
    first bigint not null,
    from_xid bigint not null,
    until_xid bigint not null,
    floor bigint not null,
    top bigint not null,
    ids bigint[] not null,
    digests bytea not null,
    sealed_at timestamptz not null,
    key_id {ID} not null,
    hash bytea not null,
    signature bytea not null,
    primary key (hospital, number)
);
"""

# The grants forbid it to the application already; this stops the roles that own the tables and migrate them, too.
APPEND_ONLY = """
create function audit_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete on audit_event
    for each row execute function audit_refuse_change();
create trigger append_only before update or delete on audit_seal
    for each row execute function audit_refuse_change();
create trigger never_emptied before truncate on audit_event
    for each statement execute function audit_refuse_change();
create trigger never_emptied before truncate on audit_seal
    for each statement execute function audit_refuse_change();
do $$
declare part regclass;
begin
    for part in select inhrelid::regclass from pg_inherits where inhparent = 'audit_event'::regclass loop
        execute format('create trigger never_emptied before truncate on %s '
                       'for each statement execute function audit_refuse_change()', part);
    end loop;
end $$;
"""

# Runs as the owner, for the sealer, which may create no table. A month whose rows lie in the default part stays there.
MONTHS = """
create function audit_lay_months(since date, months integer) returns integer
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
    starts date;
    part text;
    laid integer := 0;
begin
    if months not between 1 and 36 then
        raise exception 'between 1 and 36 months are laid at once' using errcode = 'invalid_parameter_value';
    end if;
    for ahead in 0 .. months - 1 loop
        starts := (date_trunc('month', since::timestamp) + make_interval(months => ahead))::date;
        part := 'audit_event_' || to_char(starts, 'YYYY_MM');
        continue when to_regclass('public.' || part) is not null;
        begin
            execute format('create table public.%I partition of public.audit_event for values from (%L) to (%L)', part,
                           to_char(starts, 'YYYY-MM-DD') || 'T00:00Z',
                           to_char(starts + interval '1 month', 'YYYY-MM-DD') || 'T00:00Z');
            execute format('alter table public.%I enable row level security', part);
            execute format('alter table public.%I force row level security', part);
            execute format('create trigger never_emptied before truncate on public.%I '
                           'for each statement execute function public.audit_refuse_change()', part);
            laid := laid + 1;
        exception when check_violation then
            null;
        end;
    end loop;
    return laid;
end $$;
revoke execute on function audit_lay_months(date, integer) from public;
grant execute on function audit_lay_months(date, integer) to phis_system;
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for statements in (ROWS, SEALS, APPEND_ONLY, MONTHS):
        op.execute(statements)
    isolate("audit_seal", "select", "select, insert")
    op.execute("create policy every_hospital on audit_event for select to phis_system using (true)")
    op.execute("grant select on audit_event to phis_system")


def downgrade() -> None:
    raise NotImplementedError("seals are evidence: restore a backup")
