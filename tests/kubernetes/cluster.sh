# Two nodes of Kubernetes on one machine, each in namespaces of its own, joined by one cable. Sourced by `run`.

NET=10.88.0
tree=$(awk '{ for (i = 1; i <= NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo)

# kube USER COMMAND...: kubectl of that user, where the control plane is.
kube() {
    local user=$1
    shift
    ip netns exec "${name}1" "$BIN/kubectl" --kubeconfig "$WORK/kube/$user" "$@"
}

# cluster_up: WORK is a new directory, with images/; BIN has the programs.
cluster_up() {
    name=traceloop-k$$-
    export WORK BIN NET
    # runc without limits, where it is run by a shim whose environment is containerd's.
    printf '#!/bin/sh\nPATH=%s:$PATH exec %s/tests/containers/runc "$@"\n' "$BIN" "$PWD" >"$WORK/runc"
    chmod +x "$WORK/runc"
    ip netns add "${name}1"
    ip netns add "${name}2"
    ip link add cable1 netns "${name}1" type veth peer name cable2 netns "${name}2"
    local number
    for number in 1 2; do
        ip -n "$name$number" link set lo up
        ip -n "$name$number" addr add "$NET.$number/24" dev "cable$number"
        ip -n "$name$number" link set "cable$number" up
    done
    # There is no proxy for services: the one of the API server is where the API server is.
    ip -n "${name}1" addr add 10.99.0.1/32 dev lo
    ip -n "${name}1" route add default via "$NET.2"
    ip -n "${name}2" route add default via "$NET.1"
    setsid ip netns exec "${name}1" "$here/control" </dev/null >"$WORK/control.log" 2>&1 &
    control=$!
    for _ in $(seq 1200); do
        [ -e "$WORK/control.ready" ] && break
        sleep 0.1
    done
    [ -e "$WORK/control.ready" ] || { tail -n 20 "$WORK"/control.log "$WORK"/log/apiserver >&2; return 1; }
    for number in 1 2; do
        mkdir "$tree/$name$number"
        (
            echo $BASHPID >"$tree/$name$number/cgroup.procs"
            exec setsid ip netns exec "$name$number" unshare --mount --cgroup --propagation private "$here/node" "$number"
        ) </dev/null >"$WORK/node$number.log" 2>&1 &
    done
    for _ in $(seq 1200); do
        [ "$(kube admin get nodes --no-headers 2>/dev/null | grep -c ' Ready ')" = 2 ] && return
        sleep 0.1
    done
    kube admin get nodes >&2
    # A Go program that gives up says why before all of its stacks.
    grep -hE "^(F[0-9]{4}|panic:|fatal error:)" "$WORK"/log/kubelet* >&2 || true
    tail -n 5 "$WORK"/log/kubelet* "$WORK"/node*.log >&2
    return 1
}

cluster_down() {
    local number
    for number in 1 2; do [ ! -d "$tree/$name$number" ] || echo 1 >"$tree/$name$number/cgroup.kill"; done
    # shellcheck disable=SC2046 # one pid a word
    [ ! -e "$WORK/control.pids" ] || kill $(cat "$WORK/control.pids") "$control" 2>/dev/null || true
    for number in 1 2; do
        # The killed are still there for a moment.
        for _ in $(seq 50); do
            [ -d "$tree/$name$number" ] || break
            find "$tree/$name$number" -depth -type d -exec rmdir {} \; 2>/dev/null || true
            sleep 0.1
        done
        ip netns del "$name$number" 2>/dev/null || true
    done
}
