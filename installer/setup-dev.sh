#!/usr/bin/env bash
# Makes a fresh machine ready to build and test BitDust, and brings the tools that are named
# besides: installer/setup-dev.sh [TOOL…]. A machine that is ready is
# left alone, in a fraction of a second; what is new enough is not touched, and no
# tool is ever compiled. Every change is announced in one line.
#
# The apt branch and rustup were run on a bare Debian 12. The dnf, pacman and brew
# branches and Node have only met stand-ins for those commands, which also repeat the
# others on every test run (tests/tidy/src/setup.rs).
set -euo pipefail

root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
cargo_bin=${CARGO_HOME:-$HOME/.cargo}/bin
PATH=$cargo_bin:$HOME/.local/bin:$PATH

# The oldest compiler that the workspace accepts, and the oldest Node for ui/.
rust_oldest=1.90.0
node_oldest=20.19.0
# What is fetched when there is none.
node_release=22.20.0
node_site=https://nodejs.org/dist
# The site that rustup itself fetches from, so that one address has to be reachable.
rustup_script=https://static.rust-lang.org/rustup/rustup-init.sh

say() {
    printf 'setup: %s\n' "$*"
}

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# A program; not a word of the shell, as `time` is one.
has() {
    type -P "$1" >/dev/null
}

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        fail "please run as root: $*"
    fi
}

# at_least FOUND WANTED: whether version FOUND (1.2.3) is WANTED or newer.
at_least() {
    local -a found wanted
    local part
    IFS=. read -r -a found <<<"${1%%[^0-9.]*}"
    IFS=. read -r -a wanted <<<"$2"
    for part in 0 1 2; do
        ((10#${found[part]:-0} > 10#${wanted[part]:-0})) && return 0
        ((10#${found[part]:-0} < 10#${wanted[part]:-0})) && return 1
    done
    return 0
}

package_manager() {
    local name
    for name in apt-get dnf pacman brew; do
        if has "$name"; then
            printf '%s' "$name"
            return
        fi
    done
}

# missing_tools: one word for each thing that this system lacks. cmake is not among
# them: the C code that comes with our crates is built with the C compiler alone. The
# headers of D-Bus and what pkg-config finds are for the window only.
missing_tools() {
    can_compile || printf 'cc '
    has curl || printf 'curl '
    has rsync || printf 'rsync '
    has b3sum || printf 'b3sum '
    has shellcheck || printf 'shellcheck '
    if [[ $(uname -s) == Linux ]]; then
        has_certificates || printf 'certificates '
        has strace || printf 'strace '
        has unshare || printf 'unshare '
        has ss && has ip || printf 'iproute '
        [[ ! -f $root/src-tauri/Cargo.toml ]] || missing_window_tools
    fi
}

# missing_window_tools: what the desktop application is built and tested with.
missing_window_tools() {
    has_library webkit2gtk-4.1 && has_library librsvg-2.0 || printf 'webview '
    has_library ayatana-appindicator3-0.1 || printf 'tray '
    has_library dbus-1 || printf 'libdbus '
    has Xvfb && has xauth || printf 'xvfb '
    has dbus-run-session || printf 'dbus '
    has WebKitWebDriver || printf 'webdriver '
    has xdotool || printf 'xdotool '
    has chromium || printf 'chromium '
    can_drag || printf 'gtk-python '
}

# The system's own Python with the toolkit, by which a test drags folders.
can_drag() {
    /usr/bin/python3 -c 'import gi; gi.require_version("Gtk", "3.0")' 2>/dev/null
}

has_library() {
    has pkg-config && pkg-config --exists "$1"
}

# A compiler without the headers of the C library is of no use.
can_compile() {
    has cc && cc -E -x c - <<<'#include <stdio.h>' >/dev/null 2>&1
}

has_certificates() {
    [[ -e /etc/ssl/certs/ca-certificates.crt || -e /etc/pki/tls/certs/ca-bundle.crt || -e /etc/ssl/cert.pem ]]
}

# packages_for MANAGER TOOL: the packages that bring a tool.
packages_for() {
    case $1/$2 in
        apt-get/cc) echo gcc libc6-dev ;;
        dnf/cc) echo gcc glibc-devel ;;
        pacman/cc) echo gcc ;;
        dnf/shellcheck) echo ShellCheck ;;
        brew/cc) fail "please install Apple's compiler: xcode-select --install" ;;
        apt-get/webview) echo pkg-config libwebkit2gtk-4.1-dev librsvg2-dev ;;
        dnf/webview) echo pkgconf webkit2gtk4.1-devel librsvg2-devel ;;
        pacman/webview) echo pkgconf webkit2gtk-4.1 librsvg ;;
        apt-get/tray) echo libayatana-appindicator3-dev ;;
        dnf/tray) echo libayatana-appindicator-gtk3-devel ;;
        pacman/tray) echo libayatana-appindicator ;;
        apt-get/libdbus) echo libdbus-1-dev ;;
        dnf/libdbus) echo dbus-devel ;;
        pacman/libdbus) echo dbus ;;
        apt-get/xvfb) echo xvfb xauth fonts-dejavu-core fonts-inter ;;
        dnf/xvfb) echo xorg-x11-server-Xvfb xorg-x11-xauth ;;
        pacman/xvfb) echo xorg-server-xvfb xorg-xauth ;;
        apt-get/gtk-python) echo python3-gi gir1.2-gtk-3.0 ;;
        dnf/gtk-python) echo python3-gobject gtk3 ;;
        pacman/gtk-python) echo python-gobject gtk3 ;;
        dnf/dbus) echo dbus-daemon ;;
        apt-get/webdriver) echo webkit2gtk-driver ;;
        dnf/webdriver) echo webkitgtk-webdriver ;;
        pacman/webdriver) echo webkit2gtk-4.1 ;;
        */certificates) echo ca-certificates ;;
        */unshare) echo util-linux ;;
        dnf/iproute) echo iproute ;;
        */iproute) echo iproute2 ;;
        *) echo "$2" ;;
    esac
}

# quietly COMMAND…: shows what a command printed only if it failed.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    ((status == 0)) || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
    local manager=$1
    shift
    say "installing with $manager: $*"
    case $manager in
        apt-get) quietly apt install --no-install-recommends "$@" ;;
        dnf) quietly as_root dnf install -y "$@" ;;
        pacman) quietly as_root pacman -S --needed --noconfirm "$@" ;;
        brew) quietly brew install "$@" ;;
    esac
}

# A list of packages that is a few weeks old names files that are gone.
refresh_lists() {
    case $1 in
        apt-get) quietly apt update || say "the package lists could not be refreshed" ;;
        pacman) quietly as_root pacman -Sy || say "the package lists could not be refreshed" ;;
    esac
}

set_up_packages() {
    local manager tool packages
    local -a tools all=()
    read -r -a tools <<<"$(missing_tools)"
    for tool in "$@"; do
        has "$tool" || tools+=("$tool")
    done
    ((${#tools[@]} > 0)) || return 0
    manager=$(package_manager)
    [[ -n $manager ]] || fail "please install, by the means of this system: ${tools[*]}"
    for tool in "${tools[@]}"; do
        packages=$(packages_for "$manager" "$tool") || exit 1
        read -r -a all <<<"${all[*]:-} $packages"
    done
    refresh_lists "$manager"
    install_packages "$manager" "${all[@]}" && return
    # One name that this system does not know must not keep out the others.
    for tool in "${tools[@]}"; do
        read -r -a all <<<"$(packages_for "$manager" "$tool")"
        install_packages "$manager" "${all[@]}" && continue
        case $tool in
            cc | curl | certificates) fail "nothing can be built without: $tool" ;;
            *) say "this system does not offer $tool; the tests that use it will fail" ;;
        esac
    done
}

# A folder for what is fetched, gone when the script ends, however it ends.
make_scratch() {
    [[ -n ${scratch:-} ]] || scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
}

# fetch ADDRESS FILE
fetch() {
    curl --proto '=https' --tlsv1.2 --silent --show-error --fail --location --retry 3 --output "$2" "$1"
}

set_up_rust() {
    local channel
    if ! has cargo || ! at_least "$(rust_version)" "$rust_oldest"; then
        has rustup || install_rustup
    fi
    has rustup || return 0 # a compiler from elsewhere that is new enough
    channel=$(sed -n 's/^channel = "\(.*\)"$/\1/p' "$root/rust-toolchain.toml")
    has_toolchain "$channel" && return 0
    say "installing Rust $channel with rustup"
    quietly rustup toolchain install "$channel" --profile minimal --component rustfmt,clippy
}

# The version of a compiler that is not rustup's; rustup's is pinned anyway.
rust_version() {
    local word version
    if has rustup; then
        echo "$rust_oldest"
        return
    fi
    read -r word version _ <<<"$(rustc --version 2>/dev/null)" || true
    if [[ ${word:-} == rustc ]]; then echo "$version"; else echo 0; fi
}

has_toolchain() {
    local folder
    for folder in "${RUSTUP_HOME:-$HOME/.rustup}/toolchains/$1-"*; do
        if [[ -x $folder/bin/cargo && -x $folder/bin/cargo-clippy && -x $folder/bin/rustfmt ]]; then
            return 0
        fi
    done
    return 1
}

install_rustup() {
    say "installing rustup into $cargo_bin; no shell profile is changed"
    make_scratch
    fetch "$rustup_script" "$scratch/rustup-init.sh"
    quietly bash "$scratch/rustup-init.sh" -y --no-modify-path --profile minimal --default-toolchain none
    hash -r
}

# Node builds and tests ui/; without that folder nobody needs it.
set_up_node() {
    local manager version=0
    [[ -f $root/ui/package.json ]] || return 0
    has node && version=$(node --version)
    at_least "${version#v}" "$node_oldest" && has npm && return 0
    manager=$(package_manager)
    case $manager in
        brew) install_packages brew node ;;
        pacman) install_packages pacman nodejs npm ;;
        *) install_node ;; # apt and dnf often offer an older one
    esac
}

install_node() {
    local machine name folder=$HOME/.local/lib/bitdust-node
    case $(uname -m) in
        x86_64 | amd64) machine=x64 ;;
        aarch64 | arm64) machine=arm64 ;;
        *) fail "please install Node $node_oldest or newer for $(uname -m)" ;;
    esac
    name=node-v$node_release-linux-$machine.tar.gz
    say "installing Node $node_release into $folder, with links in $HOME/.local/bin"
    make_scratch
    fetch "$node_site/v$node_release/$name" "$scratch/$name"
    fetch "$node_site/v$node_release/SHASUMS256.txt" "$scratch/sums"
    grep "  $name\$" "$scratch/sums" >"$scratch/sum" || fail "the list of checksums does not name $name"
    (cd "$scratch" && sha256sum --check --quiet sum) || fail "$name arrived damaged"
    rm -rf "$folder"
    mkdir -p "$folder" "$HOME/.local/bin"
    tar -xzf "$scratch/$name" -C "$folder" --strip-components=1
    ln -sf "$folder/bin/node" "$folder/bin/npm" "$folder/bin/npx" "$HOME/.local/bin/"
}

set_up_packages "$@"
set_up_rust
set_up_node
