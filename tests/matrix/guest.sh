#!/bin/bash
# Makes the guest's root file system: busybox, and programs of this machine with the libraries that they load.
# guest.sh OUT.cpio PROGRAM[=PLACE]...
set -euo pipefail
out=$(realpath -m "$1")
shift
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

put() { # FILE PLACE
  [ -e "$root$2" ] && return
  mkdir -p "$root${2%/*}"
  cp -L "$1" "$root$2"
}

mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp,usr/bin}
put "$(command -v busybox)" /bin/busybox
ln -s busybox "$root/bin/sh"
for program in "$@"; do
  file=${program%%=*}
  put "$file" "${program#*=}"
  # Lines are `NAME => FILE (ADDRESS)` and, for the loader, `FILE (ADDRESS)`; a static program has none.
  for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true); do put "$library" "$library"; done
done
echo guest > "$root/etc/hostname"
cp "$(dirname "$0")/init" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) > "$out"
