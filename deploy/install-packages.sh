#!/usr/bin/env bash
# Installs the Debian packages of the named sections of packages.txt (a line "# build" opens the section `build`), and only
# those that are missing, so that a second call asks apt nothing. A package whose command is already there from another
# source (a newer Node, a JRE by hand) counts as present: installing Debian's beside it would pull the other one out.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The command that stands for a package, for the few that people often have from elsewhere.
command_of() {
  case $1 in
    nodejs) echo node ;;
    npm | curl | openssl | python3 | cmake | git | docker-compose) echo "$1" ;;
    maven) echo mvn ;;
    golang-go) echo go ;;
    openjdk-17-jre-headless) echo java ;;
  esac
}

is_present() {
  local command
  [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] && return 0
  command=$(command_of "$1")
  [[ -n $command ]] && command -v "$command" >/dev/null
}

[[ $# -gt 0 ]] || { echo "usage: $0 SECTION..." >&2; exit 2; }

missing=()
for section in "$@"; do
  packages=$(awk -v wanted="# $section" '/^#/ { inside = ($0 == wanted); next } inside && NF { print $1 }' "$here/packages.txt")
  [[ -n $packages ]] || { echo "$0: packages.txt has no section '$section'" >&2; exit 2; }
  for package in $packages; do
    is_present "$package" || missing+=("$package")
  done
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
[[ $EUID -eq 0 ]] || as_root=(sudo)
echo "Installing with apt: ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${as_root[@]}" apt-get update -qq
# apt and dpkg say much on a good day too; it is shown on a bad one only.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
  { cat "$log" >&2; exit 1; }
