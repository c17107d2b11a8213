#!/usr/bin/env bash
# What can be known of the deployment files without a container engine: that compose and Kubernetes take them, that they keep
# the promises which make Holdfast the only way in, that the realm holds what the tests and the README name, and that
# Holdfast takes the configurations in them (HOLDFAST_BIN, or build/dev's; skipped with a word where there is none).
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$repository"
deploy/install-packages.sh deploy-check
cache=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast
venv=$cache/deploy-check-venv-$(sha256sum tests/deploy/requirements.txt | cut -c 1-12)
if [[ ! -x $venv/bin/kubernetes-validate ]]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/deploy/requirements.txt
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0
skipped=0
# check NAME COMMAND...
check() {
  local name=$1
  shift
  if "$@" >"$folder/output" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    sed 's/^/        /' "$folder/output"
  fi
}

check "docker-compose.yml" docker-compose config --quiet
check "docker-compose.yml with Keycloak 24.0.5" env KEYCLOAK_VERSION=24.0.5 docker-compose config --quiet
for version in 1.30 1.33 1.37; do
  for file in deploy/kubernetes/*.yaml; do
    [[ $file == */kustomization.yaml ]] && continue  # no kind of the cluster's
    check "$file against Kubernetes $version" "$venv/bin/kubernetes-validate" --strict --version "$version" "$file"
  done
done
check "promises" "$venv/bin/python" tests/deploy/promises.py "$folder"

holdfast=${HOLDFAST_BIN:-build/dev/proxy/holdfast}
if [[ -x $holdfast ]]; then
  # The same certificate stands in for all that are mounted.
  mkdir -p "$folder/tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$folder/tls/tls.key" -out "$folder/tls/tls.crt" 2>/dev/null
  sed "s|/etc/holdfast-tls/|$folder/tls/|g" -i "$folder/kubernetes.yaml"
  cp deploy/demo/compose.yaml "$folder/"
  check "holdfast check of the ConfigMap's configuration" "$holdfast" check -c "$folder/kubernetes.yaml"
  check "holdfast check of compose's configuration" "$holdfast" check -c "$folder/compose.yaml"
else
  skipped=2
  echo "skipped holdfast check of both configurations: no binary at $holdfast"
fi

[[ $skipped -eq 0 ]] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
