#!/usr/bin/env bash
# The whole story on one machine: a real Keycloak, an API without a line of authentication, Holdfast between them, and every
# kind of answer that a client can get, printed with what was sent. Needs a Debian 12 and nothing else; installs what is
# missing, keeps downloads under ~/.cache/holdfast and the build under build/release, stops everything it started and exits
# non-zero where one answer is not what the table in the README says. HOLDFAST_BIN names a binary to use instead of building.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast
keycloak_version=${KEYCLOAK_VERSION:-26.7.5}

folder=$(mktemp -d)
processes=()
finish() {
  local status=$?
  trap - EXIT
  for process in "${processes[@]}"; do kill -TERM "$process" 2>/dev/null || true; done
  for process in "${processes[@]}"; do wait "$process" 2>/dev/null || true; done
  rm -rf "$folder"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

bold=''; red=''; green=''; plain=''
if [[ -t 1 ]]; then bold=$'\e[1m'; red=$'\e[31m'; green=$'\e[32m'; plain=$'\e[0m'; fi
heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
fail() { printf '%s\n' "$1" >&2; exit 1; }

# --- what it takes ----------------------------------------------------------------------------------------------------

heading "Preparing"
deploy/install-packages.sh build demo
if [[ -z ${HOLDFAST_BIN:-} ]]; then
  echo "Building holdfast (build/release; the first time takes some minutes) ..."
  [[ -f build/release/build.ninja ]] || cmake --preset release >"$folder/cmake.log" || { cat "$folder/cmake.log"; exit 1; }
  cmake --build --preset release --target holdfast >"$folder/build.log" || { tail -n 60 "$folder/build.log"; exit 1; }
  HOLDFAST_BIN=$repository/build/release/proxy/holdfast
fi
holdfast() { "$HOLDFAST_BIN" "$@"; }

venv=$cache/demo-venv-$(sha256sum deploy/demo/requirements.txt | cut -c 1-12)
if [[ ! -x $venv/bin/uvicorn ]]; then
  echo "Installing FastAPI for the backend (once) ..."
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement deploy/demo/requirements.txt
fi
deploy/keycloak.sh fetch "$keycloak_version" >/dev/null

# --- start everything -------------------------------------------------------------------------------------------------

read -r DEMO_PORT DEMO_BACKEND_PORT DEMO_PROBE_PORT DEMO_CLOSED_PORT keycloak_port alone_port alone_probe_port small_port small_probe_port < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(9)]
print(*(s.getsockname()[1] for s in sockets))')
export DEMO_PORT DEMO_BACKEND_PORT DEMO_PROBE_PORT DEMO_CLOSED_PORT
export DEMO_FOLDER=$folder DEMO_KEY_SHARE=10%
export DEMO_ISSUER=http://127.0.0.1:$keycloak_port/realms/demo
export DEMO_DISCOVERY=$DEMO_ISSUER/.well-known/openid-configuration
api=https://localhost:$DEMO_PORT
token_endpoint=$DEMO_ISSUER/protocol/openid-connect/token

# start NAME COMMAND...: in the background, its output in a file that is shown when it dies early.
start() {
  local name=$1
  shift
  "$@" >"$folder/$name.log" 2>&1 &
  processes+=($!)
}

# await NAME SECONDS CURL-ARGUMENTS...
await() {
  local name=$1 seconds=$2 process=${processes[-1]}
  shift 2
  for ((i = 0; i < seconds * 5; i++)); do
    curl --silent --fail --output /dev/null --max-time 2 "$@" && return 0
    kill -0 "$process" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 40 "$folder/$name.log" >&2
  fail "$name did not start"
}

echo "Starting Keycloak $keycloak_version on 127.0.0.1:$keycloak_port (up to a minute) ..."
# Java leaves folders in its temporary directory; there they go with the rest.
JAVA_OPTS_APPEND="-Djava.io.tmpdir=$folder -XX:-UsePerfData" start keycloak deploy/keycloak.sh run "$keycloak_version" "$keycloak_port"
await keycloak 180 "$DEMO_DISCOVERY"

echo "Starting the FastAPI backend on 127.0.0.1:$DEMO_BACKEND_PORT ..."
start backend "$venv/bin/uvicorn" --app-dir deploy/demo --host 127.0.0.1 --port "$DEMO_BACKEND_PORT" --log-level warning backend:app
await backend 30 "http://127.0.0.1:$DEMO_BACKEND_PORT/healthz"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
(umask 077; openssl rand -hex 32 >"$folder/nonce.key")
echo "Starting Holdfast on $api ..."
holdfast check -c deploy/demo/holdfast.yaml
start holdfast "$HOLDFAST_BIN" run -c "$repository/deploy/demo/holdfast.yaml"
await holdfast 30 "http://127.0.0.1:$DEMO_PROBE_PORT/readyz"

# --- the walk ---------------------------------------------------------------------------------------------------------

rows=0
wrong=0

shorten() { sed -E 's/(eyJ[A-Za-z0-9_-]{10})[A-Za-z0-9_.-]{16,}/\1.../g'; }

# show WHAT STATUS PATTERN CURL-ARGUMENTS...: sends a request, prints both sides, and holds the answer to what is expected:
# the status, and an extended regular expression that must match somewhere in the response's head or body.
show() {
  local what=$1 status=$2 pattern=$3 argument i
  shift 3
  rows=$((rows + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$rows" "$what" "$plain"
  local method=GET url='' sent=()
  local arguments=("$@")
  for ((i = 0; i < ${#arguments[@]}; i++)); do
    argument=${arguments[i]}
    case $argument in
      --request) method=${arguments[++i]} ;;
      --header) sent+=("${arguments[++i]}") ;;
      --json) sent+=("Content-Type: application/json" "${arguments[++i]}") ;;
      http*) url=$argument ;;
    esac
  done
  { printf '   > %s %s\n' "$method" "$url"; [[ ${#sent[@]} -eq 0 ]] || printf '   > %s\n' "${sent[@]}"; } | shorten
  curl --silent --show-error --http1.1 --max-time 20 --cacert "$folder/tls.crt" \
    --dump-header "$folder/head" --output "$folder/body" "$@" || true
  judge "$status" "$pattern"
}

# judge STATUS PATTERN: what came back lies in $folder/head and $folder/body.
judge() {
  local status=$1 pattern=$2 got
  touch "$folder/head" "$folder/body"
  tr -d '\r' <"$folder/head" | grep -iE '^(HTTP/|www-authenticate:|dpop-nonce:|allow:|retry-after:)' | sed 's/^/   < /' || true
  [[ ! -s $folder/body ]] || { printf '   < '; head -c 700 "$folder/body"; printf '\n'; }
  got=$(awk 'NR == 1 { print $2 }' "$folder/head")
  if [[ $got != "$status" ]]; then
    printf '   %sWRONG: status %s, expected %s%s\n' "$red" "$got" "$status" "$plain"
    wrong=$((wrong + 1))
  elif ! grep -qE "$pattern" "$folder/head" "$folder/body"; then
    printf '   %sWRONG: nothing matches %s%s\n' "$red" "$pattern" "$plain"
    wrong=$((wrong + 1))
  else
    printf '   %sas it should be%s\n' "$green" "$plain"
  fi
  mv "$folder/head" "$folder/head.last"
  rm -f "$folder/body"
}

# proof KEY METHOD URL [TOKEN-FILE [NONCE]]
proof() {
  local options=()
  [[ -z ${4:-} ]] || options+=(--token-file "$4")
  [[ -z ${5:-} ]] || options+=(--nonce "$5")
  holdfast proof --key "$1" --method "$2" --url "$3" "${options[@]}"
}

# token FILE KEY CLIENT USER [SCOPE]: by the password grant, the shortest way to a user's token without a browser. With the
# proof in the request, Keycloak binds the token to the key; with `none` for a key there is no proof and no binding.
token() {
  local headers=()
  [[ $2 == none ]] || headers=(--header "DPoP: $(proof "$2" POST "$token_endpoint")")
  { printf '   > POST %s\n' "$token_endpoint"; [[ ${#headers[@]} -eq 0 ]] || printf '   > %s\n' "${headers[1]}"; } | shorten
  printf '   > grant_type=password client_id=%s username=%s password=***%s\n' "$3" "$4" "${5:+ scope=$5}"
  curl --silent --show-error --fail-with-body "${headers[@]}" --data-urlencode grant_type=password \
    --data-urlencode "client_id=$3" --data-urlencode "username=$4" --data-urlencode "password=$4-demo-password" \
    --data-urlencode "scope=openid ${5:-}" "$token_endpoint" >"$folder/answer" || { cat "$folder/answer"; fail "no token for $4"; }
  python3 -c '
import json, sys
answer = json.load(sys.stdin)
print(answer["access_token"], end="")
print("   < access_token:", answer["access_token"][:14] + "..., token_type:", answer["token_type"], file=sys.stderr)' \
    <"$folder/answer" 2>&1 >"$1"
}

claims() {
  python3 -c '
import base64, json, sys
part = sys.stdin.read().split(".")[1]
claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
for name in ("iss", "aud", "azp", "typ", "cnf", "scope", "realm_access", "resource_access"):
    print("    ", name + ":", json.dumps(claims.get(name)))'
}

heading "Keys and tokens"
echo "Alice makes a key of her own (holdfast keygen), and so does a thief:"
holdfast keygen >"$folder/alice.pem"
holdfast keygen >"$folder/thief.pem"
echo "Alice asks Keycloak for a token, with a proof of her key:"
token "$folder/alice.token" "$folder/alice.pem" orders-web alice
echo "What the token says; cnf.jkt is the thumbprint of her key:"
claims <"$folder/alice.token"
echo "More tokens for the rows below: with another scope, for Bob, for another API, and one that is bound to no key:"
token "$folder/writer.token" "$folder/alice.pem" orders-web alice orders:write
token "$folder/bob.token" "$folder/alice.pem" orders-web bob
token "$folder/billing.token" "$folder/alice.pem" billing-web alice
token "$folder/unbound.token" none legacy-web alice

alice=$(<"$folder/alice.token")
dpop() { proof "$folder/alice.pem" "$1" "$2" "$folder/${3:-alice}.token" "${4:-}"; }

heading "Let through"
show "A public route needs nothing" 200 '"ok"' "$api/healthz"
used=$(dpop GET "$api/orders")
show "Token and proof of its key: the API answers, told who calls, and sees no credential" 200 '"x-auth-username":"alice".*"authorization_seen":false,"proof_seen":false' \
  --header "Authorization: DPoP $alice" --header "DPoP: $used" "$api/orders"
show "Identity headers from outside never arrive" 200 '"x-auth-username":"alice"' --header "X-Auth-Username: admin" \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/orders")" "$api/orders"
show "With the scope that the route asks for" 201 '"item":"sail"' --request POST --json '{"item":"sail"}' \
  --header "Authorization: DPoP $(<"$folder/writer.token")" --header "DPoP: $(dpop POST "$api/orders" writer)" "$api/orders"
show "With the role that the route asks for" 200 '"approved":1' --request POST \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop POST "$api/orders/1/approval")" "$api/orders/1/approval"

heading "401: no proof of possession"
show "No credentials at all" 401 '"reason":"no_credentials"' "$api/orders"
show "A token without a proof" 401 '"reason":"proof_missing"' --header "Authorization: DPoP $alice" "$api/orders"
show "The very proof of row 2 once more" 401 '"reason":"proof_replayed"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $used" "$api/orders"
show "A proof made for another method" 401 '"reason":"htm_mismatch"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop DELETE "$api/orders")" "$api/orders"
show "A proof made for another API" 401 '"reason":"htu_mismatch"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "https://elsewhere.example/orders")" "$api/orders"
show "A proof made for another token" 401 '"reason":"ath_mismatch"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/orders" bob)" "$api/orders"
show "A route that wants a nonce: first it gives one ..." 401 'error="use_dpop_nonce"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/payments")" "$api/payments"
nonce=$(tr -d '\r' <"$folder/head.last" | awk 'tolower($1) == "dpop-nonce:" { print $2 }')
show "... and with that nonce in the proof it answers" 200 '"payments"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/payments" alice "$nonce")" "$api/payments"
show "A nonce that Holdfast never made" 401 'error="use_dpop_nonce"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/payments" alice bm90LW91cnM)" "$api/payments"

heading "401 and 403: the token"
show "The bound token as a plain Bearer token" 401 '"reason":"bearer_refused"' --header "Authorization: Bearer $alice" "$api/orders"
show "A token that is bound to no key" 401 '"reason":"token_unbound"' \
  --header "Authorization: DPoP $(<"$folder/unbound.token")" --header "DPoP: $(dpop GET "$api/orders" unbound)" "$api/orders"
show "A token for another API (Keycloak client without the audience mapper)" 401 '"reason":"token_audience"' \
  --header "Authorization: DPoP $(<"$folder/billing.token")" --header "DPoP: $(dpop GET "$api/orders" billing)" "$api/orders"
show "A token that somebody altered" 401 '"reason":"token_(malformed|signature)"' --header "Authorization: DPoP ${alice%????????}AAAAAAAA" \
  --header "DPoP: $(printf '%s' "${alice%????????}AAAAAAAA" >"$folder/forged.token"; dpop GET "$api/orders" forged)" "$api/orders"
show "A thief with Alice's token and a key of his own" 403 '"reason":"key_mismatch"' --header "Authorization: DPoP $alice" \
  --header "DPoP: $(proof "$folder/thief.pem" GET "$api/orders" "$folder/alice.token")" "$api/orders"
show "The scope is missing" 403 'error="insufficient_scope"' --request POST --json '{"item":"sail"}' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop POST "$api/orders")" "$api/orders"
show "The role is missing: Bob proves who he is, but may not approve" 403 '"reason":"role_missing"' --request POST \
  --header "Authorization: DPoP $(<"$folder/bob.token")" --header "DPoP: $(dpop POST "$api/orders/1/approval" bob)" "$api/orders/1/approval"
show "A route that is closed to all" 403 '"reason":"route_denied"' "$api/internal/metrics"

heading "The request itself"
show "Two credentials" 400 '"reason":"authorization_multiple"' --header "Authorization: DPoP $alice" \
  --header "Authorization: Bearer $alice" --header "DPoP: $(dpop GET "$api/orders")" "$api/orders"
show "Another host's name: a proof counts for one origin only" 421 '"reason":"origin_unknown"' --header "Host: elsewhere.example" \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "https://elsewhere.example/orders")" "$api/orders"
show "No such route" 404 '"reason":"no_route"' "$api/nowhere"
show "TRACE" 405 '[Aa]llow:' --request TRACE "$api/orders"

rows=$((rows + 1))
printf '\n%s%d. Two lengths in one request, as smugglers send it%s\n' "$bold" "$rows" "$plain"
printf '   > POST /orders HTTP/1.1\n   > Content-Length: 4\n   > Transfer-Encoding: chunked\n'
{ printf 'POST /orders HTTP/1.1\r\nHost: localhost:%s\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' "$DEMO_PORT"; sleep 1; } |
  openssl s_client -quiet -connect "localhost:$DEMO_PORT" -CAfile "$folder/tls.crt" 2>/dev/null |
  awk -v head="$folder/head" -v body="$folder/body" '!past && /^\r?$/ { past = 1; next } { print > (past ? body : head) }' || true
judge 400 '"reason":"request_malformed"'

# ask WHAT EXIT-CODE PATTERN COMMAND...: a question to Holdfast's own commands, its answer held to what is expected.
ask() {
  local what=$1 code=$2 pattern=$3 got=0
  shift 3
  rows=$((rows + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$rows" "$what" "$plain"
  printf '   $ holdfast %s\n' "$*"
  holdfast "$@" >"$folder/said" || got=$?
  sed 's/^/   /' "$folder/said"
  if [[ $got != "$code" ]] || ! grep -qE -- "$pattern" "$folder/said" || grep -q eyJ "$folder/said"; then
    printf '   %sWRONG: exit code %s, expected %s and %s, and no token%s\n' "$red" "$got" "$code" "$pattern" "$plain"
    wrong=$((wrong + 1))
  else
    printf '   %sas it should be%s\n' "$green" "$plain"
  fi
}

heading "Why, and what if: asked of the configuration"
demo=$repository/deploy/demo
cat >"$folder/request.txt" <<END
curl $api/orders -H 'Authorization: DPoP $alice' -H 'DPoP: $(dpop GET "https://elsewhere.example/orders")'
END
ask "Why was the proof for another API refused? (the curl command is in the file, with token and proof)" 5 \
  '^✗ htu .*elsewhere.example.* → ' explain -c "$demo/holdfast.yaml" --request "$folder/request.txt"
cat >"$folder/request.txt" <<END
POST /orders/1/approval HTTP/1.1
Host: localhost:$DEMO_PORT
Authorization: DPoP $(<"$folder/bob.token")
DPoP: $(dpop POST "$api/orders/1/approval" bob)
END
ask "Why may Bob not approve?" 5 '^✗ roles ' explain -c "$demo/holdfast.yaml" --request "$folder/request.txt"
ask "Is the policy what its authors meant? (cases with claims, for your own pipeline)" 0 '^5 of 5 as expected' \
  test -c "$demo/holdfast.yaml" "$demo/cases.yaml"

heading "Behind and beside Holdfast"
show "The backend is away" 502 '"reason":"upstream_unavailable"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/archive")" "$api/archive"
show "The backend is slower than the route allows" 504 '"reason":"upstream_timeout"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/reports")" "$api/reports"

# other NAME PORT PROBE-PORT PROBE: one more Holdfast beside the first, which the following rows speak to.
other() {
  api=https://localhost:$2
  DEMO_PORT=$2 DEMO_PROBE_PORT=$3 start "$1" "$HOLDFAST_BIN" run -c "$repository/deploy/demo/holdfast.yaml"
  await "$1" 30 "http://127.0.0.1:$3$4"
}

DEMO_DISCOVERY=http://127.0.0.1:$DEMO_CLOSED_PORT/ other alone "$alone_port" "$alone_probe_port" /startupz
show "A Holdfast that never reached the issuer: not ready, and nobody is let in" 503 '"reason":"issuer_unavailable"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/orders")" "$api/orders"

DEMO_KEY_SHARE=1% other small "$small_port" "$small_probe_port" /readyz
for ((i = 0; i < 10; i++)); do
  curl --silent --output /dev/null --cacert "$folder/tls.crt" --header "Authorization: DPoP $alice" \
    --header "DPoP: $(dpop GET "$api/orders")" "$api/orders"
done
show "A Holdfast with room for 1,000 proofs, after one key used up its hundredth of it" 429 '"reason":"key_quota"' \
  --header "Authorization: DPoP $alice" --header "DPoP: $(dpop GET "$api/orders")" "$api/orders"

heading "What Holdfast logged of the thief (never a token, a proof or a key)"
grep -m 1 '"key_mismatch"' "$folder/holdfast.log" || { echo "nothing"; wrong=$((wrong + 1)); }
if grep -q eyJ "$folder/holdfast.log"; then echo "WRONG: the log holds a token or a proof"; wrong=$((wrong + 1)); fi

heading "$rows rows, $wrong not as they should be"
[[ $wrong -eq 0 ]]
