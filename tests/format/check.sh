#!/usr/bin/env bash
# Holds every C++ file to .clang-format, with the one version that formats them alike. Ends with "N passed, N failed",
# counting files.
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-packages.sh format
passed=0
failed=0
while IFS= read -r file; do
  if clang-format-19 --dry-run -Werror "$file"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done < <(git ls-files '*.cc' '*.h')
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
