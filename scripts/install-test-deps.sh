#!/usr/bin/env bash
# Installs the foreign programs that end-to-end tests talk to, where they are missing:
# nc, curl and Chromium, from Debian's packages. Without apt or the rights to use it,
# the tests that need them skip and say so; with CI=true that is a failure.
set -euo pipefail

missing=()
command -v nc >/dev/null || missing+=(netcat-openbsd)
command -v curl >/dev/null || missing+=(curl)
command -v chromium >/dev/null || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0

fail() {
	echo "install-test-deps: $1; tests that need ${missing[*]} will skip" >&2
	[ "${CI:-}" = true ] && exit 1
	exit 0
}

command -v apt-get >/dev/null || fail "there is no apt-get here"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null && sudo -n true 2>/dev/null || fail "installing needs root"
	sudo=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq >/dev/null || fail "apt-get update failed"
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null </dev/null || fail "apt-get install failed"
