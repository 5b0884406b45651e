#!/usr/bin/env bash
# Installs the .deb on a bare Debian, starts both programs there as a plain user, and removes
# it again: installer/test-package.sh [PACKAGE]. `make test-package` builds the package first;
# PROFILE=dev means the one of that profile.
#
# The bare Debian is a folder with namespaces of its own; while our programs run in it there
# is no network but its loopback. Needs root and debootstrap.
set -euo pipefail

root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
package=${1:-}
if [[ -z $package ]]; then
    programs=$target/release
    [[ ${PROFILE:-release} == release ]] || programs=$target/package-$PROFILE/debug
    package=$(find "$programs/bundle/deb" -maxdepth 1 -name '*.deb')
fi
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
# A bare system is the same for every package: it is made once.
bare=${XDG_CACHE_HOME:-$HOME/.cache}/bitdust/debian-$suite.tar
scratch=$(mktemp -d)
system=$scratch/system
trap 'rm -rf "$scratch"' EXIT

say() {
    printf 'test-package: %s\n' "$*"
}

fail() {
    say "$*" >&2
    exit 1
}

make_bare_system() {
    [[ -f $bare ]] && return 0
    say "making a bare Debian $suite"
    mkdir -p "${bare%/*}"
    debootstrap --variant=minbase "$suite" "$scratch/new" "$mirror" >"$scratch/log" 2>&1 || {
        tail "$scratch/log" >&2
        fail "debootstrap failed"
    }
    tar -C "$scratch/new" -cf "$bare.part" .
    mv "$bare.part" "$bare"
    rm -rf "$scratch/new"
}

# inside OPTIONS -- COMMAND…: in the bare system, with namespaces that end with the command.
inside() {
    local -a options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    # shellcheck disable=SC2016 # for the shell inside
    unshare --mount --pid --fork --kill-child --ipc --uts "${options[@]}" -- \
        bash -euc 'mount -t proc proc "$0/proc"
            mkdir -p "$0/dev/shm" && mount -t tmpfs tmpfs "$0/dev/shm"
            [[ $1 != alone ]] || ip link set lo up
            exec chroot "$0" "${@:2}"' "$system" "${place:-open}" "$@"
}

# With the network, as root: for the packages of Debian.
apt() {
    place=open inside -- env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        apt-get -y -qq -o Dpkg::Use-Pty=0 "$@" >"$scratch/log" 2>&1 || {
        tail -n 20 "$scratch/log" >&2
        fail "apt-get $1 failed"
    }
}

# Without a network, as a plain user: for our programs.
person() {
    place=alone inside --net -- su - person -c "$1"
}

install_package() {
    say "installing ${package##*/} ($(stat -c %s "$package") bytes)"
    mkdir "$system"
    tar -C "$system" -xf "$bare"
    printf '#!/bin/sh\nexit 101\n' >"$system/usr/sbin/policy-rc.d"
    chmod +x "$system/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$system/etc/resolv.conf"
    cp "$package" "$system/root/bitdust.deb"
    apt update
    apt install --no-install-recommends /root/bitdust.deb
    # Nothing but what the package asks for is there when this is looked at.
    local program
    for program in bitdust bitdust-desktop; do
        ! inside -- ldd "/usr/bin/$program" | grep 'not found' || fail "$program lacks a library"
    done
    inside -- dpkg -L bitdust >"$scratch/files"
    apt install --no-install-recommends \
        xvfb xauth dbus fonts-dejavu-core desktop-file-utils appstream systemd bash-completion
    inside -- useradd --create-home --shell /bin/bash person
}

check_what_belongs_to_a_desktop() {
    local entry=/usr/share/applications/bitdust.desktop
    say "desktop entry, icon, unit, completions, manual"
    inside -- desktop-file-validate "$entry"
    grep -qx 'MimeType=x-scheme-handler/bitdust;' "$system$entry" || fail "no links"
    inside -- appstreamcli validate --no-net /usr/share/metainfo/org.bitdust.desktop.metainfo.xml
    inside -- env XDG_RUNTIME_DIR=/run systemd-analyze --user --man=no verify /usr/lib/systemd/user/bitdust.service
    [[ -f $system/usr/share/icons/hicolor/scalable/apps/bitdust-desktop.svg ]] || fail "no icon"
    inside -- bash -n /usr/share/bash-completion/completions/bitdust
    gzip -dc "$system/usr/share/man/man1/bitdust.1.gz" | grep -q '^\.TH' || fail "no manual"
    grep -q 'Built into it' "$system/usr/share/doc/bitdust/copyright" || fail "no licences"
}

start_programs() {
    say "the command line: an identity, the node, its status"
    # shellcheck disable=SC2016 # for the person's shell
    person 'bitdust --scope loopback --network test init --nickname robin --keys file >words
        bitdust daemon >ready & for i in $(seq 600); do [ -s ready ] && break; sleep 0.1; done
        bitdust status --json | grep -q "\"nickname\":\"robin\"" && kill %1 && wait %1'
    say "the window"
    person 'xvfb-run -a dbus-run-session -- bitdust-desktop --smoke-test 2>log ||
        { cat log >&2; exit 1; }; grep -q "The host answers" log'
}

remove_package() {
    local file
    say "removing it"
    apt purge bitdust
    while read -r file; do
        [[ -d $system$file || ! -e $system$file ]] || fail "$file is left"
    done <"$scratch/files"
    ! find "$system/usr" "$system/etc" -name '*bitdust*' | grep . || fail "this is left"
    [[ -d $system/home/person/.local/share/bitdust ]] || fail "the person's keys are gone"
}

[[ -f $package ]] || fail "there is no package; make package builds one"
[[ $(id -u) == 0 ]] || fail "please run as root"
command -v debootstrap >/dev/null || fail "please install debootstrap"
make_bare_system
install_package
check_what_belongs_to_a_desktop
start_programs
remove_package
say "passed"
