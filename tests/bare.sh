#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bare.sh [TARGET...]: the README's first commands, `make demo` and `make check`, on a machine with only git and make.
# Makes a minimal Debian root with debootstrap (from the mirror and with the settings of this machine's apt), installs
# git and make in it, clones this checkout's last commit into it and runs the commands there as root. If TARGET is deb,
# it installs the packages in another such root, without the source, and runs the demo there. Prints TAP, and the time of
# each command. Needs root, debootstrap and a network; `make check` does not run it.
set -euo pipefail
export LC_ALL=C
source=$(realpath -- "$(dirname -- "$0")/..")

if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
    echo "1..0 # SKIP needs root and debootstrap (Debian: debootstrap)"
    exit
fi
# In a mount namespace of its own, so that no mount outlives this script however it ends.
if [ -z "${BARE_NAMESPACE:-}" ]; then
    BARE_NAMESPACE=1 exec unshare --mount --propagation private -- "$0" "$@"
fi
[ $# -gt 0 ] || set -- demo check

folder=$(mktemp -d)
clean() {
    umount -R "$folder"/*/proc 2>/dev/null || true
    rm -rf --one-file-system "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step NAME COMMAND...: one line of TAP; its output is shown, and where it fails nothing follows.
count=0
step() {
    local name=$1 start=$SECONDS status=0
    shift
    echo "# $name"
    "$@" 2>&1 | sed -u 's/^/#   /' || status=$?
    count=$((count + 1))
    if [ $status -ne 0 ]; then
        echo "not ok $count - $name # $((SECONDS - start)) s, exit $status"
        echo "1..$count"
        exit 1
    fi
    echo "ok $count - $name # $((SECONDS - start)) s"
}

# This machine's mirror of its own release, and its proxy.
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
# shellcheck disable=SC2016 # apt's own variables
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$release" '$2 == release && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || { echo "bare.sh: no mirror of '$release' among the sources of apt" >&2; exit 1; }
proxy=$(apt-config shell proxy Acquire::http::Proxy)
eval "$proxy"
export http_proxy=${http_proxy:-${proxy:-}}

inside() {
    env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
        DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        chroot "$root" "$@"
}
bootstrap() {
    debootstrap --variant=minbase "$release" "$root" "$mirror" >"$folder/log" 2>&1 || { tail -n 20 "$folder/log"; return 1; }
}
# What apt needs of this machine: sources, keys, how to fetch, names, certificates.
network() {
    local file
    rm -f "$root/etc/apt/sources.list"
    for file in sources.list sources.list.d trusted.gpg trusted.gpg.d keyrings auth.conf auth.conf.d preferences.d; do
        [ ! -e "/etc/apt/$file" ] || cp -RL "/etc/apt/$file" "$root/etc/apt/"
    done
    apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/99bare"
    mkdir -p "$root/usr/share/keyrings"
    for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs /usr/share/keyrings; do
        [ ! -e "$file" ] || { mkdir -p "$root${file%/*}" && cp -RL "$file" "$root${file%/*}/"; }
    done
    mount -t proc proc "$root/proc"
}
# install PACKAGE...
install() {
    inside sh -c 'apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"' install "$@" >"$folder/log" 2>&1 ||
        { tail -n 20 "$folder/log"; return 1; }
}
# machine NAME: a minimal root
machine() {
    root=$folder/$1
    step "a minimal Debian root ($release)" bootstrap
    step "the settings of apt" network
}

machine source
step "git and make" install git make
step "git clone, $(git -C "$source" log -1 --format='%h %s')" git clone -q --no-hardlinks -- "$source" "$root/root/cdp"
for target; do
    step "make $target" inside make -C /root/cdp --no-print-directory "$target"
done
if [[ " $* " == *" deb "* ]]; then
    packages=$root/root/cdp/build/deb
    machine packages
    cp "$packages"/*.deb "$root/tmp"
    debs=("$root"/tmp/*.deb)
    step "the packages" install "${debs[@]#"$root"}"
    step "cdp-run demo" inside sh -c 'cd /root && cdp-run demo demo'
    step "import cdp" inside python3 -c 'import cdp, numpy
x = numpy.fromfile("/root/demo/features/m0.bin", "float32").reshape(-1, 256)
print(len(set(cdp.cluster(x[:2000]).labels)), "labels")'
fi
echo "1..$count"
