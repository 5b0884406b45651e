#!/usr/bin/env bash
# Builds what people install, from this checkout: on Linux a .deb and an .rpm, on macOS a
# .dmg, on Windows an installer and an .msi, each with the window and the command line.
# `make package` calls it; BUNDLES=deb,appimage asks for others than the usual ones.
# An AppImage needs tools that Tauri downloads, so it is not among them. PROFILE=dev packs what
# the tests are run with, which shows that a package is whole and is nothing to give away.
set -euo pipefail

root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
profile=${PROFILE:-release}
# What is only here while a package is made: the command line and texts made from it.
stage=$root/src-tauri/package

# Where the bundler looks for the programs: cargo's folder, or one of its own.
case $profile in
    release) place=$target programs=$target/release debug=() ;;
    dev) place=$target/package-dev programs=$target/package-dev/debug debug=(--debug) ;;
    *)
        printf 'package: there is no profile %s, but dev and release\n' "$profile" >&2
        exit 2
        ;;
esac

say() {
    printf 'package: %s\n' "$*"
}

build() {
    if [[ $profile == dev ]]; then
        # As the tests are built, so that nothing is built for it.
        cargo test --no-run --locked --target-dir "$target" \
            --workspace --lib --bins --tests --features bitdust-desktop/custom-protocol
        mkdir -p "$programs"
        strip -o "$programs/bitdust" "$target/debug/bitdust"
        strip -o "$programs/bitdust-desktop" "$target/debug/bitdust-desktop"
        return
    fi
    # Without the builder's own folders in messages of defects. Names of the crates stay.
    RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/crates" \
        cargo build --release --locked --target-dir "$target" \
        -p bitdust-cli -p bitdust-desktop --features bitdust-desktop/custom-protocol
}

# The command line lies beside the window under the name that the bundler looks for.
stage_command_line() {
    local triple suffix='' program
    triple=$(rustc -vV | sed -n 's/^host: //p')
    [[ $triple != *windows* ]] || suffix=.exe
    program=$programs/bitdust$suffix
    rm -rf "$stage"
    mkdir -p "$stage/completions"
    cp "$program" "$stage/bitdust-$triple$suffix"
    "$program" man --to "$stage/man" >/dev/null
    find "$stage/man" -type f -exec gzip --best --no-name {} +
    "$program" completions bash >"$stage/completions/bitdust.bash"
    "$program" completions zsh >"$stage/completions/_bitdust"
    "$program" completions fish >"$stage/completions/bitdust.fish"
    node installer/copyright.mjs >"$stage/copyright"
}

bundle() {
    local -a which=()
    [[ -z ${BUNDLES:-} ]] || which=(--bundles "$BUNDLES")
    (cd src-tauri && CARGO_TARGET_DIR=$place ../ui/node_modules/.bin/tauri bundle "${which[@]}" \
        "${debug[@]}" --config ../installer/package.conf.json)
}

# Both programs hold the same node, which a compressor with a long memory packs once: half
# the size of what the bundler makes.
shrink_deb() {
    local package folder
    command -v dpkg-deb >/dev/null || return 0
    [[ $profile == release ]] || return 0
    for package in "$programs"/bundle/deb/*.deb; do
        [[ -f $package ]] || continue
        folder=$(mktemp -d)
        dpkg-deb --raw-extract "$package" "$folder/contents"
        chmod 755 "$folder/contents"
        dpkg-deb --root-owner-group -Zxz -z9 --build "$folder/contents" "$package" >/dev/null
        rm -rf "$folder"
    done
}

say "building the programs; the first time takes a while"
build
stage_command_line
# An older version's package is none of this one's.
rm -rf "$programs/bundle"
bundle
shrink_deb
rm -rf "$stage"
say "made:"
find "$programs/bundle" -maxdepth 2 -type f \
    \( -name '*.deb' -o -name '*.rpm' -o -name '*.AppImage' -o -name '*.dmg' -o -name '*.exe' -o -name '*.msi' \) \
    -exec ls -l {} +
