#!/usr/bin/env bash
# Checks the description of the admin API with a validator, then has schemathesis make up requests from it: no answer may
# be a failure of the server, none may be undocumented, and each has to have the shape that is documented for it.
#
#     tests/fuzz_api.sh PROGRAM [REQUESTS]
#
# PROGRAM is `perennial`; REQUESTS, 40 when nobody says, is how many are made up for each route. The requests are the same
# in every run. They go to a server on virtual time over a scratch database with the demo's resources. Python's packages
# are kept in CARGO_TARGET_DIR; it takes one or two minutes.
set -euo pipefail
program=$(realpath "${1:?the program is missing: tests/fuzz_api.sh target/release/perennial}")
requests=${2:-40}
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")

# Pinned, because another version makes up other requests.
packages="schemathesis==4.32.5 openapi-spec-validator==0.9.0"
python=$target/fuzz-api/bin/python
mkdir -p "$target"
if ! [ -f "$target/fuzz-api/$packages" ]; then
    rm -rf "$target/fuzz-api"
    python3 -m venv "$target/fuzz-api"
    # shellcheck disable=SC2086
    "$python" -m pip install --quiet --disable-pip-version-check $packages
    touch "$target/fuzz-api/$packages"
fi

folder=$(mktemp -d)
server=
cleanup() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap cleanup EXIT

export PERENNIAL_DB=$folder/fuzz.db PERENNIAL_LISTEN=127.0.0.1:0 NO_COLOR=1
(cd "$folder" && "$program" demo --save . >"$folder/demo.txt")
"$program" key new-secrets-key "$folder/secrets.key" >"$folder/key.txt"
export PERENNIAL_SECRETS_KEY_FILE=$folder/secrets.key
token=$("$program" token create --name fuzz --role admin)
RUST_LOG=info "$program" serve --virtual-clock 2026-01-01T00:00:00Z 2>"$folder/log.txt" &
server=$!
address=
for _ in $(seq 600); do
    address=$(sed -n 's/.*address=//p' "$folder/log.txt" | head -n 1)
    [ -n "$address" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$folder/log.txt"; exit 1; }
    sleep 0.1
done
[ -n "$address" ] || { echo "the server did not say where it listens" >&2; exit 1; }

"$python" - "$address" "$token" "$folder" <<'PYTHON'
import json, sys, urllib.request
address, token, folder = sys.argv[1:]
def ask(path, body=None):
    request = urllib.request.Request(f"http://{address}{path}", data=body)
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    return urllib.request.urlopen(request).read()
inventory = open(f"{folder}/demo-inventory.json").read()
ask("/v1/resources:import", inventory.encode())
# A name that is never known, so that nothing leaves the machine.
ask("/v1/webhooks", json.dumps({"url": "https://hook.invalid/"}).encode())
open(f"{folder}/openapi.json", "wb").write(ask("/openapi.json"))

# Most ids that are made up are those of something, so that more is answered than that there is none.
inventory = json.loads(inventory)
def ids(of): return json.dumps([item["id"] for item in inventory[of]])
open(f"{folder}/schemathesis.toml", "w").write(f"""
[dictionaries]
accounts.values = {ids("accounts")}
resources.values = {ids("resources")}
providers.values = ["huawei", "baidu"]
kinds.values = ["ecs", "evs", "eip", "bcc", "cds"]
commands.values = ["cancel_auto_renew", "convert_on_expiry", "cancel_conversion"]
# Later than each other, and not so late that everything has come to its end.
instants.values = ["2026-01-02T00:00:00Z", "2026-01-20T00:00:00Z", "2026-02-03T00:00:00Z"]

[parameters]
"query.account" = {{ dictionary = "accounts", probability = 0.8 }}
"body.account" = {{ dictionary = "accounts", probability = 0.8 }}
"body.provider" = {{ dictionary = "providers", probability = 0.8 }}
"body.accounts[*].provider" = {{ dictionary = "providers", probability = 0.8 }}
"body.command" = {{ dictionary = "commands", probability = 0.8 }}
"body.ids[*]" = {{ dictionary = "resources", probability = 0.8 }}
"body.to" = {{ dictionary = "instants", probability = 1.0 }}
"body.resources[*].account" = {{ dictionary = "accounts", probability = 0.8 }}
"body.resources[*].kind" = {{ dictionary = "kinds", probability = 0.8 }}

[[operations]]
include-path-regex = "^/v1/resources/"
parameters = {{ "path.id" = {{ dictionary = "resources", probability = 0.8 }} }}

[[operations]]
include-path-regex = "^/v1/accounts/"
parameters = {{ "path.id" = {{ dictionary = "accounts", probability = 0.8 }} }}
""")
PYTHON

"$python" -m openapi_spec_validator "$folder/openapi.json"

cd "$folder"
status=0
# The stream of events has no end, so there is no answer to look at; a webhook at an address that is made up would have
# events sent there, and an account of a cloud would have it called. All have tests of their own.
timeout 300 "$target/fuzz-api/bin/schemathesis" run openapi.json --url "http://$address" \
    --header "Authorization: Bearer $token" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --exclude-path /v1/events:stream --exclude-operation-id webhooks_create --exclude-operation-id webhooks_change \
    --exclude-operation-id connections_create \
    --generation-deterministic --max-examples "$requests" --workers 1 \
    --request-timeout 60 --continue-on-failure --suppress-health-check all --warnings off || status=$?
if [ "$status" -ne 0 ]; then
    echo "the last lines of the server's log:" >&2
    grep -v ' INFO ' log.txt | tail -n 50 >&2
fi
exit "$status"
