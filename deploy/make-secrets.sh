#!/bin/sh
# Makes the secrets of docker-compose.yml in a folder that only you may enter. What exists is kept: run it again after an
# upgrade and it adds what is missing. The certificate is one to try with; put your own in its place.
set -eu

folder="${1:?usage: deploy/make-secrets.sh FOLDER}"
umask 077
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

# Compose mounts these files as they are, and each part runs as its own user: readable files in a closed folder.
umask 022

password() { openssl rand -hex 32; }
keep() { # NAME: writes standard input there unless it exists
    if [ -s "$1" ]; then cat > /dev/null; else cat > "$1.new" && mv "$1.new" "$1" && echo "made $folder/$1"; fi
}
address() { printf 'postgresql://%s:%s@postgres:5432/%s' "$1" "$2" "$3"; }

password | tr -d '\n' | keep postgres_password
password | tr -d '\n' | keep temporal_database_password
address phis_migrate "$(password)" phis | keep phis_database_migrate_url
address phis_app "$(password)" phis | keep phis_database_url
address phis_system "$(password)" phis | keep phis_database_system_url
printf '%sa:%s' "$(date +%Y)" "$(openssl rand -base64 32)" | keep phis_keys

if [ ! -s proxy_certificate ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.new -out certificate.new 2> /dev/null
    cat certificate.new key.new | keep proxy_certificate
    rm certificate.new key.new
fi
