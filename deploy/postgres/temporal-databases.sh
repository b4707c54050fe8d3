#!/bin/bash
# Runs once, when the database cluster is new: Temporal's role and its two databases. The role owns them and nothing else;
# P-HIS's own roles and database are made by `phis migrate`.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set password `cat /run/secrets/temporal_database_password`
create role temporal login password :'password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
revoke connect on database temporal, temporal_visibility from public;
SQL
