# What a check says: one line each, and the sum at the end. Sourced by `check`.
passed=0 failed=0

# check WHAT COMMAND...: the command succeeds.
check() {
    local what=$1
    shift
    if "$@" >/tmp/said 2>&1; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what"
        sed 's/^/        /' /tmp/said | tail -30
    fi
}

# is WHAT GOT WANTED: they are equal.
is() {
    check "$1" test_equal "$2" "$3"
}

test_equal() {
    [ "$1" = "$2" ] || {
        echo "got    $1"
        echo "wanted $2"
        return 1
    }
}

# has WHAT TEXT PATTERN: a line of the text matches.
has() {
    check "$1" test_match "$2" "$3"
}

test_match() {
    grep -Eq -- "$2" <<<"$1" || {
        echo "no line matches $2 in:"
        echo "$1"
        return 1
    }
}

# within SECONDS COMMAND...: it succeeds before that, and how long it took is left in $took.
within() {
    local until=$1 begin=$EPOCHREALTIME
    shift
    while ! "$@" >/dev/null 2>&1; do
        took=$(since "$begin")
        ((10#${took/./} < until * 1000)) || return 1
        sleep 0.02
    done
    took=$(since "$begin")
}

# Seconds since then, to the millisecond.
since() {
    local us=$((${EPOCHREALTIME/./} - ${1/./}))
    printf '%d.%03d' $((us / 1000000)) $((us % 1000000 / 1000))
}

sum() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
