# A node: a root file system with a real systemd, booted by systemd-nspawn in a cgroup of its own, on a
# host whose own PID 1 does not matter. Sourced by `run`.

# root_of SUITE TAR: makes it, if it is not there, or has other packages.
root_of() {
    local libelf=libelf1
    [ "$1" = bookworm ] || libelf=libelf1t64
    local packages="systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,passwd,systemd-coredump,systemd-container,lxc,busybox-static,zlib1g,$libelf,libgcc-s1,rpm"
    [ -s "$2" ] && [ "$(cat "$2.packages" 2>/dev/null)" = "$packages" ] && return
    mkdir -p "$(dirname "$2")"
    local mirror
    mirror=$(awk '$1 == "URIs:" { print $2; exit } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }' \
        /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null)
    # No service that is not looked at, so that it boots in a second.
    mmdebstrap --quiet --mode=root --variant=essential \
        --include="$packages" \
        --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*; : >"$1/etc/machine-id"; echo node >"$1/etc/hostname"' \
        --customize-hook='for unit in systemd-networkd systemd-resolved systemd-timesyncd getty@ console-getty serial-getty@; do ln -sf /dev/null "$1/etc/systemd/system/$unit.service"; done' \
        --customize-hook='for unit in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim; do ln -sf /dev/null "$1/etc/systemd/system/$unit.timer"; done' \
        "$1" "${2%.tar}.new.tar" "deb $mirror $1 main"
    mv "${2%.tar}.new.tar" "$2"
    echo "$packages" >"$2.packages"
}

# node_up ROOT: boots it, and waits until systemd is up.
node_up() {
    tree=$(awk '{ for (i = 1; i <= NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo)
    name=traceloop-node-$$
    mkdir "$tree/$name"
    # Descriptors that it inherited would be held as long as it lives.
    (
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-"
        done 2>/dev/null
        echo $BASHPID >"$tree/$name/cgroup.procs"
        export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
        exec setsid unshare --mount --propagation private systemd-nspawn --directory="$1" --machine="$name" \
            --boot --quiet --register=no --keep-unit --private-network --resolv-conf=off --timezone=off \
            --link-journal=no --console=pipe --system-call-filter='bpf perf_event_open' --capability=CAP_BPF,CAP_PERFMON,CAP_IPC_LOCK \
            </dev/null >"$1.console" 2>&1
    ) &
    nspawn=$!
    for _ in $(seq 300); do
        leader=$(pgrep -P "$nspawn" systemd | head -1) || true
        if [ -n "$leader" ]; then
            case $(node_run systemctl is-system-running 2>/dev/null) in
            running | degraded) return ;;
            esac
        fi
        sleep 0.1
    done
    echo "the node does not boot:" >&2
    tail -20 "$1.console" >&2
    return 1
}

# node_run COMMAND...: inside.
node_run() {
    (cd / && nsenter -t "$leader" -m -u -i -n -p -C --root --wdns=/ env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@")
}

# node_down: stops it politely, then not.
node_down() {
    [ -n "${nspawn:-}" ] || return 0
    kill "$nspawn" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$nspawn" 2>/dev/null || break
        sleep 0.1
    done
    [ ! -d "$tree/$name" ] || echo 1 >"$tree/$name/cgroup.kill"
    wait "$nspawn" 2>/dev/null || true
    for _ in 1 2 3 4 5; do
        find "$tree/$name" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        [ -d "$tree/$name" ] || break
        sleep 0.2
    done
    rm -f "$work.console"
    nspawn=
}

# node_takes_cores: the node's systemd-coredump gets the machine's core dumps, until node_leaves_cores. The setting is
# the whole machine's, and its numbers of processes are not the node's.
node_takes_cores() {
    local words
    words=$(sed -n 's/^kernel.core_pattern=|[^ ]* //p' "$work/usr/lib/sysctl.d/50-coredump.conf" | sed 's/%P/%p/; s/ %F//')
    cores=("$(cat /proc/sys/kernel/core_pattern)" "$(cat /proc/sys/kernel/core_pipe_limit)")
    echo 16 >/proc/sys/kernel/core_pipe_limit
    echo "|$(command -v nsenter) -t $leader -m -u -i -n -p -r -- /usr/lib/systemd/systemd-coredump $words" \
        >/proc/sys/kernel/core_pattern
}

node_leaves_cores() {
    [ -n "${cores:-}" ] || return 0
    echo "${cores[0]}" >/proc/sys/kernel/core_pattern
    echo "${cores[1]}" >/proc/sys/kernel/core_pipe_limit
    unset cores
}
