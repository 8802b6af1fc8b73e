#!/usr/bin/env bash
# run-tests.sh COMMAND...: runs a command that runs cargo's tests, and fails when one of them failed or when none ran.
set -euo pipefail
output=$(mktemp)
trap 'rm -f "$output"' EXIT
"$@" </dev/null 2>&1 | tee "$output"
passed=$(awk '/^test result: ok\. [0-9]+ passed/ { sum += $4 } END { print sum + 0 }' "$output")
if [ "$passed" -eq 0 ]; then
  echo "run-tests.sh: no test ran: $*" >&2
  exit 1
fi
echo "run-tests.sh: $passed tests passed" >&2
