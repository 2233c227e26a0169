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

export SHELL=/bin/cat XDG_STATE_HOME=$place/state
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
# A wait of ten minutes would be right, and too long for a test.
for schema in ["Wait", "CommandLine"]:
    document["components"]["schemas"][schema]["properties"]["timeoutMs"].update(type="integer", maximum=50)
    document["components"]["schemas"][schema].setdefault("required", []).append("timeoutMs")
for parameter in document["paths"]["/api/sessions/{id}/output"]["get"]["parameters"]:
    if parameter["name"] == "wait":
        parameter["schema"]["maximum"] = 50
json.dump(document, open(sys.argv[2], "w"))
PYTHON

# With a limit of time that is only the test's, a request without one is not against the rules.
cat >"$place/schemathesis.toml" <<'TOML'
[[operations]]
include-path = ["/api/sessions/{id}/wait", "/api/sessions/{id}/run"]
[operations.checks]
negative_data_rejection.enabled = false
TOML

"$venv/bin/schemathesis" --config-file "$place/schemathesis.toml" run "$place/openapi.json" --url "$url" \
  --header "Authorization: Bearer $token" --phases examples,coverage,fuzzing,stateful \
  --checks all --exclude-checks positive_data_acceptance --request-timeout 40 --continue-on-failure \
  --no-color "$@"
