#!/usr/bin/env bash
# Builds the binary, without cgo, for every system that is served.
set -euo pipefail
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for os in linux darwin windows; do
	for arch in amd64 arm64; do
		CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -o "$out/linnet" ./cmd/linnet
		echo "built for $os/$arch"
	done
done
