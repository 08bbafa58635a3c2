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
