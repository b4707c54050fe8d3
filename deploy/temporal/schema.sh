#!/bin/sh
# Brings the schemas of Temporal's two databases to this version's. Safe to run again: an upgrade does.
set -eu

SQL_PASSWORD="$(cat /run/secrets/temporal_database_password)"
export SQL_PASSWORD

for database in temporal temporal_visibility; do
    case "$database" in
        temporal) schema=/etc/temporal/schema/postgresql/v12/temporal/versioned ;;
        *) schema=/etc/temporal/schema/postgresql/v12/visibility/versioned ;;
    esac
    # Both databases exist (deploy/postgres/temporal-databases.sh). A new one has no version table, which `setup-schema` makes;
    # on one that has it, that command changes nothing.
    if ! temporal-sql-tool --database "$database" update-schema --schema-dir "$schema"; then
        temporal-sql-tool --database "$database" setup-schema --version 0.0
        temporal-sql-tool --database "$database" update-schema --schema-dir "$schema"
    fi
done
