#!/usr/bin/env bash
# Tries the HTTP API of a real gateway with schemathesis, from its own OpenAPI document: 0 server
# errors, 0 undocumented answers, 0 ignored authentication, 0 schema violations.
#
#   scripts/api-fuzz.sh PROGRAM [OPTION...]     options are those of `schemathesis run`
#
# The gateway runs `cat` for a shell, so nothing that is made up is ever executed.
set -euo pipefail

program=$1
shift
venv=${HITHER_FUZZ_VENV:-target/schemathesis}
if [ ! -x "$venv/bin/schemathesis" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'schemathesis==4.32.5'
fi

place=$(mktemp -d)
chmod 700 "$place"
gateway=
finish() {
  if [ -n "$gateway" ]; then
    "$program" kill --all --runtime-dir "$place" >/dev/null || true
    kill "$gateway" 2>/dev/null || true
    wait "$gateway" 2>/dev/null || true
  fi
  rm -rf "$place"
}
trap finish EXIT

export SHELL=/bin/cat XDG_STATE_HOME=$place/state PYTHONDONTWRITEBYTECODE=1
"$program" serve --port 0 --runtime-dir "$place" --cwd / -- cat >"$place/out" 2>"$place/err" &
gateway=$!
url=
for _ in $(seq 1 200); do
  url=$(grep -om1 'http://[^ #]*/' "$place/out" || true)
  [ -n "$url" ] && break
  kill -0 "$gateway" || { cat "$place/err"; exit 1; }
  sleep 0.05
done
[ -n "$url" ] || { echo "the gateway printed no address"; cat "$place/err"; exit 1; }
token=$(cat "$place/token")

# Streams never end, and what upgrades is no HTTP any more: those are tried by tests of their own.
python3 - "$url" "$place/openapi.json" <<'PYTHON'
import json, sys, urllib.request
document = json.load(urllib.request.urlopen(sys.argv[1] + "api/openapi.json"))
for path in ["/api/events", "/api/sessions/{id}/stream", "/ws"]:
    del document["paths"][path]
# The login that is tried with must stay.
del document["paths"]["/api/auth/logout"]
document["components"]["schemas"]["OutputFormat"]["oneOf"] = [
    choice for choice in document["components"]["schemas"]["OutputFormat"]["oneOf"]
    if choice["const"] != "events"
]
json.dump(document, open(sys.argv[2], "w"))
PYTHON

# A wait of ten minutes would be right, and too long for a test: what asks for a good while, or says
# nothing, waits 50 ms. What asks for what is not allowed goes out as it is.
cat >"$place/hooks.py" <<'PYTHON'
import schemathesis

LONGEST = {"timeoutMs": 600_000, "wait": 60_000}


def shorten(values, name):
    value = values.get(name)
    if value is None:
        values[name] = 50
    elif type(value) is int and 0 <= value <= LONGEST[name]:
        values[name] = min(value, 50)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.path.endswith(("/wait", "/run")) and isinstance(case.body, dict):
        shorten(case.body, "timeoutMs")
    if case.operation.path.endswith("/output") and "wait" in (case.query or {}):
        shorten(case.query, "wait")
PYTHON

SCHEMATHESIS_HOOKS="$place/hooks.py" "$venv/bin/schemathesis" run "$place/openapi.json" --url "$url" \
  --header "Authorization: Bearer $token" --phases examples,coverage,fuzzing,stateful \
  --checks all --exclude-checks positive_data_acceptance --request-timeout 40 --continue-on-failure \
  --no-color "$@"
