#!/bin/sh
# Temporal reads its database password from the environment only: it is put there here, from the secret file, so that it
# stands neither in the compose file nor in what `docker inspect` shows.
set -eu

POSTGRES_PWD="$(cat /run/secrets/temporal_database_password)"
export POSTGRES_PWD

exec /etc/temporal/entrypoint.sh
