#!/usr/bin/env bash
# h2spec 2.2.1, strict cases included, against the real binary on a plain and on a TLS listener. HOLDFAST_BIN names the binary
# (default: build/dev/proxy/holdfast). Needs Go (1.19 or newer), which fetches h2spec as go.mod and go.sum here pin it; without
# Go it says so and is skipped, except in CI. Ends with "N passed, N failed".
#
# The plain listener speaks HTTP/2 alone here: where HTTP/1 is allowed too, bytes that are no HTTP/2 preface are an HTTP/1
# request, and answered as one.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" h2spec

"$repository/deploy/install-packages.sh" conformance >&2 || true
command -v go >/dev/null || skip "there is no Go"
tools=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/conformance-$(sha256sum "$here/go.sum" | cut -c 1-12)
if [[ ! -x $tools/h2spec ]]; then
  mkdir -p "$tools"
  (cd "$here" && go build -o "$tools/h2spec" github.com/summerwind/h2spec/cmd/h2spec) >&2 || skip "it could not be fetched"
fi

folder=$(mktemp -d)
processes=()
finish() {
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap finish EXIT

read -r backend plain tls probes < <(python3 - <<'PORTS'
import socket
sockets = [socket.socket() for _ in range(4)]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
PORTS
)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
cat >"$folder/holdfast.yaml" <<YAML
listeners:
  - {name: plain, address: "127.0.0.1:$plain", tls: off, protocols: h2}
  - {name: tls, address: "127.0.0.1:$tls", tls: {certificate: tls.crt, key: tls.key}}
upstreams:
  - {name: backend, servers: ["http://127.0.0.1:$backend"]}
routes:
  - {name: all, match: {path: /**}, access: public, upstream: backend}
probes: {address: "127.0.0.1:$probes"}
admin: off
log: {level: warning, access: off}
YAML

python3 "$here/backend.py" "$backend" &
processes+=($!)
"$binary" run -c "$folder/holdfast.yaml" &
processes+=($!)
curl --silent --fail --retry 50 --retry-delay 0 --retry-connrefused --output /dev/null "http://127.0.0.1:$probes/startupz"
curl --silent --fail --retry 50 --retry-delay 0 --retry-connrefused --output /dev/null "http://127.0.0.1:$backend/"

passed=0
failed=0
# run LABEL ARGUMENT...
run() {
  echo "== h2spec, $1"
  local log=$folder/$1.log counts
  "$tools/h2spec" -S --host 127.0.0.1 "${@:2}" >"$log" || true
  counts=$(sed -nE 's/^([0-9]+) tests, ([0-9]+) passed, ([0-9]+) skipped, ([0-9]+) failed$/\2 \4/p' "$log" | tail -1)
  if [[ -z $counts ]]; then
    cat "$log"
    counts="0 1"
  elif [[ ${counts#* } != 0 ]]; then
    sed -n '/^Failures:/,$p' "$log"
  fi
  echo "$1: ${counts% *} passed, ${counts#* } failed"
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
}
run plain --port "$plain"
run tls --port "$tls" --tls --insecure

echo "$passed passed, $failed failed"
[[ $failed = 0 ]]
