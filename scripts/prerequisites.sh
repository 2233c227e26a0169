#!/usr/bin/env bash
# Makes sure that the programs are there which building (`tools`) and testing (`tests`) need.
# Installs what is missing where that can be done unasked: with rustup, and with apt-get as root.
set -euo pipefail

NODE_MIN=20

fail() {
  printf 'hither: %s\n' "$1" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

require_tools() {
  have cargo || fail 'cargo is missing; install Rust from https://rustup.rs'
  have node || fail "Node.js is missing; install version $NODE_MIN or later from https://nodejs.org"
  have npm || fail 'npm is missing; it comes with Node.js from https://nodejs.org'
  local major
  major=$(node --print 'process.versions.node.split(".")[0]')
  ((major >= NODE_MIN)) ||
    fail "Node.js $major is too old; install version $NODE_MIN or later from https://nodejs.org"
}

# A minimal Rust has neither; rustup can add them.
require_rust_components() {
  local component
  for component in fmt clippy; do
    cargo "$component" --version >/dev/null 2>&1 && continue
    have rustup || fail "cargo $component is missing; install it beside cargo"
    rustup component add "${component/fmt/rustfmt}"
  done
}

have_chromium() {
  have chromium || have chromium-browser || have google-chrome
}

have_font() {
  have fc-list && fc-list : family | grep -qi "$1"
}

# Prints the Debian package of everything that is missing.
missing_packages() {
  have_chromium || echo chromium
  local program
  for program in vim htop less strace zsh fish; do
    have "$program" || echo "$program"
  done
  [[ -x /usr/bin/python3 ]] || echo python3
  have_font 'dejavu sans mono' || echo fonts-dejavu-core
  have_font 'color emoji' || echo fonts-noto-color-emoji
}

install_packages() {
  local try
  # A mirror that changes between two packages stops apt-get half-way; the second run finishes.
  for try in 1 2; do
    apt-get update --quiet || true
    if DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends "$@"; then
      return
    fi
    printf 'hither: apt-get install failed (try %d of 2)\n' "$try" >&2
  done
}

# Tests that need these say so and pass where they are not to be had.
install_optional_packages() {
  have pebble && return
  if have apt-get && ((EUID == 0)); then
    install_packages pebble ||
      echo 'hither: no pebble; the tests of ACME will be skipped' >&2
  fi
}

require_test_programs() {
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) && return
  if have apt-get && ((EUID == 0)); then
    printf 'installing: %s\n' "${missing[*]}"
    install_packages "${missing[@]}"
    mapfile -t missing < <(missing_packages)
  fi
  ((${#missing[@]} == 0)) ||
    fail "the tests need ${missing[*]}; install them, on Debian with: sudo apt-get install ${missing[*]}"
}

case "${1-}" in
  tools)
    require_tools
    ;;
  tests)
    require_tools
    require_rust_components
    require_test_programs
    install_optional_packages
    ;;
  *)
    fail 'usage: scripts/prerequisites.sh tools|tests'
    ;;
esac
