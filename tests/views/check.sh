#!/bin/bash
# The views, judged by others: the page by Chromium, the Perfetto trace by Perfetto's own classes.
# As root, with traceloop built: tests/views/check.sh [TRACELOOP]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
traceloop=$(realpath "${1:-$here/../../target/release/traceloop}")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

command -v chromium >/dev/null || apt-get install -y -qq chromium >/dev/null
"$traceloop" run --buffer-size 4M --format raw -o "$place/hostile.dump" -- python3 "$here/hostile.py" 2>/dev/null || true
python3 "$here/page.py" "$traceloop" "$place/hostile.dump"
# With stacks, and with beginnings that are overwritten.
"$traceloop" run --stacks=failed --buffer-size 256K --format raw -o "$place/busy.dump" -- sh "$here/busy.sh" 2>/dev/null
python3 "$here/page.py" "$traceloop" "$place/busy.dump"

# Perfetto's classes, in an environment of their own; the import fails where they are not.
python=$here/../../target/perfetto/bin/python
"$python" -c "import perfetto" 2>/dev/null || {
  python3 -m venv "$here/../../target/perfetto"
  "$python" -m pip install -q --disable-pip-version-check perfetto==0.59.1 protobuf
}
"$python" "$here/slices.py" "$traceloop" "$place/hostile.dump"
