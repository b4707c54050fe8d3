#!/usr/bin/env bash
# Installs Debian's Chromium for the browser tests where that is possible; where it is not, those tests say so and skip.
set -u
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium && exit 0
fi
echo "No Chromium: the browser tests will be skipped. As an administrator: apt-get install chromium" >&2
exit 0
