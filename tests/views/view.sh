#!/bin/bash
# `traceloop view` on a terminal, as tmux is one: view.sh TRACELOOP DUMP. The dump is the test's (tests/stories/viewed.rs):
# each call opens /file-N, one fails, and the last thread is called last. Says what it saw and fails where it is not what it
# should be.
set -euo pipefail
traceloop=$1 dump=$2 calls=$3 fails=$4
place=$(mktemp -d)
tmux() { command tmux -S "$place/tmux" -f /dev/null "$@"; }
trap 'tmux kill-server 2>/dev/null || true; rm -rf "$place"' EXIT

# The screen, when these words are on it.
shows() {
    local word screen
    for _ in $(seq 600); do
        screen=$(tmux capture-pane -p -t view)
        for word in "$@"; do
            grep -qF -- "$word" <<<"$screen" || { sleep 0.05; continue 2; }
        done
        return
    done
    printf '%s\n' "$screen"
    echo "view.sh: $* is not on the screen" >&2
    exit 1
}

# Not a word of it.
lacks() {
    ! tmux capture-pane -p -t view | grep -qF -- "$1" || { tmux capture-pane -p -t view; echo "view.sh: $1 is on the screen" >&2; exit 1; }
}

keys() { tmux send-keys -t view "$@"; }
types() { tmux send-keys -t view -l -- "$1"; }

views() {
    rm -f "$place/status"
    tmux new-session -d -s view -x 120 -y 30 -e TERM=screen-256color "'$traceloop' view $1 2>$place/said; echo \$? >$place/status"
}

# It has ended so, and said this.
ends() {
    for _ in $(seq 200); do [ -s "$place/status" ] && break; sleep 0.05; done
    if [ "$(cat "$place/status")" != "$1" ] || { [ -n "${2:-}" ] && ! grep -qF -- "$2" "$place/said"; }; then
        cat "$place/status" "$place/said" >&2
        exit 1
    fi
}

views "'$dump'"
last=$((calls - 1))
shows "$calls calls" "/file-$last\""
keys g
shows "/file-0\"" "at 0%"
for _ in $(seq 100); do keys NPage; done
shows "/file-$((100 * 27))\""
keys G
shows "/file-$last\""
for _ in $(seq 40); do keys PPage; done
shows "/file-$((calls - 40 * 27))\""

# A filter as one types: what makes no sense yet is said, and the last that made sense holds.
keys g
shows "/file-0\""
keys /
types 'pathh == 1'
shows 'no field "pathh"'
for _ in $(seq 10); do keys BSpace; done
types "path == \"/file-$((calls / 2))\""
shows "/file-$((calls / 2))\""
keys Enter
shows "| path == " ") = 3"
lacks "/file-0\""
keys Escape
shows "/file-$((calls / 2 + 3))\""
keys /
types '-Z'
keys Enter
shows "/file-$fails\"" "| -Z"
keys Escape

# Failures, from both sides, with what is known of them.
keys g
shows "/file-0\""
keys f
shows "/file-$fails\"" "ENOENT"
keys Enter
shows "details" "filename = \"/file-$fails\"" "dfd = AT_FDCWD"
keys f
shows "no call failed after this line"
keys Escape
keys G
shows "/file-$last\""
keys F
shows "/file-$fails\""

# The summary's events, and threads.
keys s
shows "summary: Enter goes there"
keys Enter
keys t
shows "threads: Enter chooses" "last"
keys End
keys Enter
shows "| thread "
keys Escape
# A small terminal is no reason to end.
tmux resize-window -t view -x 20 -y 3
sleep 0.3
tmux resize-window -t view -x 120 -y 30
shows "q quit"
keys q
ends 0

# A file that was cut is looked through as far as it goes; standard input is as good as a file; what is no dump is said.
head -c $(($(stat -c %s "$dump") / 2)) "$dump" >"$place/cut"
views "'$place/cut'"
shows "the dump is damaged behind" "/file-"
keys g
shows "/file-0\"" "at 0%"
keys q
ends 0
views "- <'$dump'"
shows "$calls calls" "/file-$last\""
keys q
ends 0
head -c 100000 /dev/urandom >"$place/garbage"
views "'$place/garbage'"
ends 1 "this is not a traceloop dump"
echo "view.sh: all seen"
