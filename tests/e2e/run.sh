#!/usr/bin/env bash
# End to end: the real binary, real identity providers and clients that others wrote. HOLDFAST_BIN names the binary (default:
# build/dev/proxy/holdfast); arguments name test files (default: all), or are the one word `fetch`: no test is run then, and no
# binary needed. Installs what is missing, keeps Keycloak under ~/.cache/holdfast, stops everything it started. Ends with the
# counts of Node's test runner; a skipped test says why.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
HOLDFAST_BIN=$(realpath -m "${HOLDFAST_BIN:-$repository/build/dev/proxy/holdfast}")
export HOLDFAST_BIN
[[ ${1:-} == fetch || -x $HOLDFAST_BIN ]] || { echo "$0: no binary at $HOLDFAST_BIN; build one or set HOLDFAST_BIN" >&2; exit 1; }

"$repository/deploy/install-packages.sh" demo e2e
# Before the other Node takes over: the machine's own npm and node trust what the machine trusts.
if [[ $here/package-lock.json -nt $here/node_modules/.package-lock.json ]]; then
  npm ci --prefix "$here" --no-audit --no-fund --loglevel=error
  touch "$here/node_modules/.package-lock.json"
fi
if [[ $(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/') -lt 20 ]]; then
  [[ -d $here/node/node_modules ]] || npm ci --prefix "$here/node" --no-audit --no-fund --loglevel=error
  PATH=$(echo "$here"/node/node_modules/node-linux-*/bin):$PATH
fi

# A machine that is cut off from Maven Central still runs the rest, and says what it left out; CI must never be one.
for version in 26.7.5 24.0.5; do
  if ! "$repository/deploy/keycloak.sh" fetch "$version" >/dev/null; then
    echo "SKIPPED: Keycloak $version could not be downloaded, so its tests are skipped" >&2
    [[ -z ${CI:-} ]] || exit 1
  fi
done

[[ ${1:-} != fetch ]] || exit 0

HOLDFAST_E2E_FOLDER=$(mktemp -d)
export HOLDFAST_E2E_FOLDER
trap 'rm -rf "$HOLDFAST_E2E_FOLDER"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,DNS:api.localhost,IP:127.0.0.1 \
  -keyout "$HOLDFAST_E2E_FOLDER/tls.key" -out "$HOLDFAST_E2E_FOLDER/tls.crt" 2>/dev/null
# Every client in these tests, whoever wrote it, trusts the certificate without being told.
export NODE_EXTRA_CA_CERTS=$HOLDFAST_E2E_FOLDER/tls.crt

cd "$here"
if [[ $# -gt 0 ]]; then files=("$@"); else files=(*.test.mjs); fi
# One file at a time: two cores, and one Keycloak is enough.
node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"
