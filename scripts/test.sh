#!/usr/bin/env bash
# `make test`: runs every check in order, stops at the first that fails, and ends with a plain
# account of what ran. Each step is a target of the Makefile and can be run alone.
set -euo pipefail
cd "$(dirname "$0")/.."

# The steps are makes of their own, not children of the one that started this script.
unset MAKEFLAGS MFLAGS MAKELEVEL
account=()

# step TARGET DESCRIPTION: runs `make TARGET` and keeps its time.
step() {
  local target=$1 description=$2 start=$SECONDS code=0
  printf '\n=== %s (make %s)\n' "$description" "$target"
  make --no-print-directory "$target" || code=$?
  if ((code != 0)); then
    printf '\nmake test: FAILED in: %s\n' "$description"
    printf 'run it alone with: make %s\n' "$target"
    exit "$code"
  fi
  account+=("$(printf '%5d s  %s' $((SECONDS - start)) "$description")")
}

# skip DESCRIPTION: says what did not run, and why.
skip() {
  account+=("skipped  $1")
}

step prerequisites 'programs that the tests use'
step fmt-check 'format of Rust'
step web 'web client: install and build'
step lint-web 'web client: types, lint and format'
step lint-rust 'clippy, warnings denied'
if cargo deny --version >/dev/null 2>&1; then
  step deny-offline 'licences, sources and bans of dependencies'
else
  skip 'licences, sources and bans of dependencies: cargo-deny is not installed'
fi
step test-rust 'Rust tests and doctests, house rules among them'
step test-otel 'spans on their way to a collector'
step test-web 'web client: unit tests, and its pages in Chromium'
step test-e2e 'web client in Chromium against a real gateway'

printf '\nmake test: everything passed in %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
printf '%s\n' "${account[@]}"
