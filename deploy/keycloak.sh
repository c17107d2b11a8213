#!/usr/bin/env bash
# A real Keycloak for the demonstration and the end-to-end tests.
#   keycloak.sh fetch VERSION       downloads it from Maven Central once and prints the folder that it lies in
#   keycloak.sh run VERSION PORT    serves the realm `demo` on 127.0.0.1:PORT in the foreground, until it gets SIGTERM
# The database lives in memory: every start begins with realm-export.json and nothing else. The administrator is admin/admin,
# which is why it listens on loopback only.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast

fetch() {
  local version=$1 home=$cache/keycloak-$1
  mkdir -p "$cache"
  exec 9>"$cache/keycloak-$version.lock"
  flock 9
  if [[ ! -d $home ]]; then
    echo "Downloading Keycloak $version (170 MB, once) ..." >&2
    local work
    work=$(mktemp -d "$cache/fetch.XXXXXX")
    # shellcheck disable=SC2064  # $work is local: it has to be expanded now
    trap "rm -rf '$work'" EXIT
    # A Maven repository that goes with the folder: the zip would stay in the user's own a second time.
    MAVEN_OPTS="${MAVEN_OPTS:-} -XX:-UsePerfData" mvn --batch-mode --quiet --strict-checksums \
      -Dmaven.repo.local="$work/maven" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
      -Dartifact="org.keycloak:keycloak-quarkus-dist:$version:zip" -DoutputDirectory="$work" 2>&1 |
      sed 's/\x1b\[[0-9;]*m//g' >&2  # it resets colours that it was told not to use
    python3 -m zipfile -e "$work/keycloak-quarkus-dist-$version.zip" "$work"
    mv "$work/keycloak-$version" "$home"  # the folder appears whole or not at all
    rm -rf "$work"
    trap - EXIT
  fi
  exec 9>&-
  echo "$home"
}

run() {
  local version=$1 port=$2 home features=()
  home=$(fetch "$version")
  mkdir -p "$home/data/import"
  cp "$repository/realm-export.json" "$home/data/import/demo-realm.json"
  # DPoP is on by default since 26.4; 24 has it as a preview.
  [[ $version == 24.* ]] && features=(--features=dpop)
  # 24 and 26 read the administrator from different variables.
  export KEYCLOAK_ADMIN=admin KEYCLOAK_ADMIN_PASSWORD=admin
  export KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin
  export JAVA_OPTS_KC_HEAP="${JAVA_OPTS_KC_HEAP:--Xms64m -Xmx384m}"
  # bash, because the zip that Python unpacked lost the executable bit.
  exec bash "$home/bin/kc.sh" start-dev --import-realm "${features[@]}" --db=dev-mem \
    --http-host=127.0.0.1 --http-port="$port"
}

case ${1:-}:$# in
  fetch:2) fetch "$2" ;;
  run:3) run "$2" "$3" ;;
  *) echo "usage: $0 fetch VERSION | run VERSION PORT" >&2; exit 2 ;;
esac
