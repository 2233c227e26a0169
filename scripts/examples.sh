#!/usr/bin/env bash
# `make examples`: tries the files of dist/ with the program $1 and what is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1

have() {
  command -v "$1" >/dev/null 2>&1 || [[ -x /usr/sbin/$1 ]]
}

for name in nginx caddy; do
  have "$name" || echo "skipped: $name is not installed"
done
(cd web && HITHER_BIN=$program npx vitest run --project e2e deployed sign-on)

if have systemd-analyze; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  # The unit names the installed program, which need not be there.
  sed "s#/usr/bin/hither#$program#" 'dist/systemd/hither@.service' >"$folder/hither@$(id -un).service"
  cp 'dist/systemd/hither@.socket' "$folder/hither@$(id -un).socket"
  said=$(systemd-analyze verify "$folder/hither@$(id -un)".{service,socket} 2>&1)
  [[ -z $said ]] || { printf '%s\n' "$said" >&2; exit 1; }
  echo 'systemd-analyze verify: the units are fine'
else
  echo 'skipped: systemd-analyze is not installed'
fi
