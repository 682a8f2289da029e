#!/usr/bin/env bash
# Installs the foreign programs that end-to-end tests talk to, where they are missing,
# from Debian's packages, the packages of test/e2e/node from npm by its lock file,
# and builds those that tools/go.mod names.
# Without the rights or the network for it, the tests that need them skip and say so;
# with CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# The netcats are called by their full names: which of them is nc is the system's choice.
PATH=$PATH:/usr/sbin # where servers are, and not every user looks
missing=()
have() { command -v "$1" >/dev/null || missing+=("${@:2}"); }
have nc.openbsd netcat-openbsd
have nc.traditional netcat-traditional
have ncat ncat
have socat socat
have curl curl
have chromium chromium
have node nodejs
have npm npm
have tmux tmux
have openssl openssl
have haproxy haproxy
have nginx nginx libnginx-mod-stream
/usr/bin/python3 -c 'import websockets' 2>/dev/null || missing+=(python3-websockets)

fail() {
	echo "install-test-deps: $1; tests that need ${missing[*]} will skip" >&2
	[ "${CI:-}" = true ] && exit 1
	exit 0
}

install() {
	command -v apt-get >/dev/null || fail "there is no apt-get here"
	local sudo=()
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null && sudo -n true 2>/dev/null || fail "installing needs root"
		sudo=(sudo -n)
	fi
	export DEBIAN_FRONTEND=noninteractive
	"${sudo[@]}" apt-get update -qq >/dev/null || fail "apt-get update failed"
	"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null </dev/null || fail "apt-get install failed"
	# Their packages start them as services, on ports of this machine; the tests run their own.
	local service
	for service in haproxy nginx; do
		[[ " ${missing[*]} " == *" $service "* && -d /run/systemd/system ]] &&
			"${sudo[@]}" systemctl disable --now "$service" 2>/dev/null || true
	done
}
[ ${#missing[@]} -eq 0 ] || install

missing=("the packages of test/e2e/node")
lock=test/e2e/node/node_modules/.package-lock.json # npm writes it last
[ "$lock" -nt test/e2e/node/package-lock.json ] ||
	npm ci --prefix test/e2e/node --ignore-scripts --no-audit --no-fund --silent </dev/null || fail "npm ci failed"

missing=("the tools of tools/go.mod")
for tool in pebble pebble-challtestsrv h2spec; do
	go tool -modfile=tools/go.mod -n "$tool" >/dev/null || fail "building $tool failed"
done
