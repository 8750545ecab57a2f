#!/bin/sh
# A workload to record demand from: compiles this project's modules up to dynamic memory and their tests, with all checks. The run that
# was recorded ended early, at a check of a later module that the sources of that day did not pass.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git -C "$root" archive HEAD | tar -x -C "$copy"
cd "$copy"
./mvn25 -q -B -o -pl dynamic-memory -am test-compile
