# What the checks ask of the node. Sourced by them.
ENTRY=0d9f4f6b8a7d4c1fa6f2c7f1b7f52e3c

dumps() { traceloop list -q "$@" | wc -l; }
has_dumps() { [ "$(dumps "${@:2}")" = "$1" ]; }
has_failed() { [ "$(systemctl show -P ActiveState "$1")" = failed ]; }
is_ready() { [ "$(systemctl show -P ActiveState traceloop)" = active ]; }
entries() { journalctl -q -o cat "$@" MESSAGE_ID=$ENTRY | grep -c 'The last calls of'; }
has_entries() { [ "$(entries "${@:2}")" = "$1" ]; }
# journal_has PATTERN ARGS...: a line of the journal matches. It has what was said a moment later.
journal_has() { journalctl -q -o cat "${@:2}" | grep -Eq -- "$1"; }
# How often the daemon has said it.
said() { journalctl -q -u traceloop -o cat | grep -c "^$1"; }
has_said() { [ "$(said "$2")" = "$1" ]; }
