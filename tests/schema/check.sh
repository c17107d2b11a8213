#!/usr/bin/env bash
# Holds the schema to the parser: `holdfast schema` is config/holdfast.schema.json, and on a corpus of configurations a
# validator that others wrote says of the schema what `holdfast check` says of the file. HOLDFAST_BIN, or build/dev's binary.
# Ends with "N passed, N failed".
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
deploy/install-packages.sh schema
holdfast=$(realpath -m "${HOLDFAST_BIN:-build/dev/proxy/holdfast}")
[[ -x $holdfast ]] || { echo "$0: no binary at $holdfast; build one or set HOLDFAST_BIN" >&2; exit 1; }
venv=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/schema-venv-$(sha256sum tests/schema/requirements.txt | cut -c 1-12)
if [[ ! -x $venv/bin/python ]] || ! "$venv/bin/python" -c 'import jsonschema, yaml' 2>/dev/null; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/schema/requirements.txt
fi
exec "$venv/bin/python" tests/schema/agreement.py "$holdfast"
