#!/usr/bin/env bash
# Makes .venv and fills it with exactly what requirements/dev.txt names, then with P-HIS itself (editable).
set -euo pipefail
cd "$(dirname "$0")/.."

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3; do
    # a version manager's stand-in may be on the path and still refuse to run
    if "$candidate" -c "$new_enough" >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  echo "P-HIS needs Python 3.11 or newer. Install it (Debian: apt-get install python3 python3-venv)," >&2
  echo "or name one: make setup PYTHON=/path/to/python3" >&2
  return 1
}

if ! .venv/bin/python -c "$new_enough" >/dev/null 2>&1; then
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    # Debian keeps this part of Python in a package of its own
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq && apt-get install -y -qq "$package"
    else
      echo "$python cannot make an environment. As an administrator: apt-get install $package" >&2
      exit 1
    fi
  fi
  "$python" -m venv --clear .venv
fi

.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
