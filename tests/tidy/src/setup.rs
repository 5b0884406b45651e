//! The set-up script of a developer's machine, on machines that are not here.
//!
//! Every package manager, rustup and the downloads are tried through stand-ins; what
//! they cannot show is whether a package still has its name. The branch for Debian is
//! also run for real by whoever builds there.

use std::fs;

use anyhow::{Context, Result};

use crate::machine::{Machine, TOOLS};

const TOOLCHAIN_CALL: &str =
    "rustup toolchain install 1.95.0 --profile minimal --component rustfmt,clippy";

#[test]
fn a_machine_that_is_ready_is_left_alone() -> Result<()> {
    let machine = Machine::ready()?;
    machine.stand_in("apt-get", "")?;
    let run = machine.run()?;
    assert!(run.done, "{run:?}");
    assert_eq!(
        (run.text.as_str(), run.calls.as_slice()),
        ("", &[][..]),
        "not a word, not a call"
    );
    Ok(())
}

#[test]
fn tools_that_are_named_come_as_well() -> Result<()> {
    let machine = Machine::ready()?;
    machine.stand_in("apt-get", "")?;
    machine.write(
        "call",
        &format!(
            "'{}' debootstrap git",
            machine.path("tree/installer/setup-dev.sh").display()
        ),
    )?;
    machine.command("git", "")?;
    let run = machine.run_script("call")?;
    let last = run.calls.last().context("the manager is called")?;
    assert!(last.ends_with(" debootstrap"), "git is there: {last}");
    Ok(())
}

#[test]
fn missing_tools_come_from_the_package_manager_at_hand() -> Result<()> {
    let rows = [
        (
            "apt-get",
            "install --no-install-recommends gcc libc6-dev curl rsync b3sum shellcheck strace util-linux iproute2",
        ),
        (
            "dnf",
            "install -y gcc glibc-devel curl rsync b3sum ShellCheck strace util-linux iproute",
        ),
        (
            "pacman",
            "-S --needed --noconfirm gcc curl rsync b3sum shellcheck strace util-linux iproute2",
        ),
    ];
    for (manager, expected) in rows {
        let machine = Machine::ready()?;
        machine.remove(&TOOLS)?;
        machine.stand_in(manager, "")?;
        let run = machine.run()?;
        assert!(run.done, "{manager}: {run:?}");
        let last = run.calls.last().context("the manager is called")?;
        assert!(last.starts_with(manager), "{last}");
        assert!(last.ends_with(expected), "{last}");
    }
    Ok(())
}

#[test]
fn a_window_is_built_with_what_the_package_manager_has_for_it() -> Result<()> {
    let rows = [
        ("apt-get", "libwebkit2gtk-4.1-dev"),
        ("dnf", "webkit2gtk4.1-devel"),
        ("pacman", "webkit2gtk-4.1"),
    ];
    for (manager, package) in rows {
        let machine = Machine::ready()?;
        machine.write("tree/src-tauri/Cargo.toml", "")?;
        machine.stand_in(manager, "")?;
        let run = machine.run()?;
        assert!(run.done, "{manager}: {run:?}");
        let last = run.calls.last().context("the manager is called")?;
        assert!(last.contains(package), "{last}");
        assert!(last.contains("xdotool"), "{last}");
    }
    Ok(())
}

#[test]
fn on_a_mac_homebrew_brings_tools_and_apple_the_compiler() -> Result<()> {
    let machine = Machine::ready()?;
    machine.command("uname", "echo Darwin")?;
    machine.remove(&["rsync", "b3sum", "strace", "unshare", "ss", "ip"])?;
    machine.stand_in("brew", "")?;
    assert_eq!(
        machine.run()?.calls,
        ["brew install rsync b3sum"],
        "nothing that only Linux has"
    );

    machine.remove(&["cc"])?;
    let run = machine.run()?;
    assert!(!run.done, "nothing is built without a compiler");
    assert!(run.text.contains("xcode-select --install"), "{run:?}");
    Ok(())
}

#[test]
fn a_compiler_without_headers_is_completed() -> Result<()> {
    let machine = Machine::ready()?;
    machine.command("cc", "exit 1")?;
    machine.stand_in("apt-get", "")?;
    let run = machine.run()?;
    assert!(
        run.calls.iter().any(|call| call.ends_with("gcc libc6-dev")),
        "{run:?}"
    );
    Ok(())
}

#[test]
fn who_is_not_root_asks_sudo() -> Result<()> {
    let machine = Machine::ready()?;
    machine.command("id", "echo 1000")?;
    machine.remove(&["rsync"])?;
    machine.stand_in("dnf", "")?;
    assert!(!machine.run()?.done, "neither root nor sudo");

    machine.stand_in("sudo", "exec \"$@\"")?;
    let run = machine.run()?;
    assert_eq!(
        run.calls,
        ["sudo dnf install -y rsync", "dnf install -y rsync"],
        "through sudo"
    );
    Ok(())
}

#[test]
fn a_package_that_nobody_offers_keeps_out_only_itself() -> Result<()> {
    let machine = Machine::ready()?;
    machine.remove(&["b3sum", "rsync"])?;
    machine.stand_in(
        "dnf",
        "case \"$*\" in *b3sum*) echo 'No match'; exit 1 ;; esac",
    )?;
    let run = machine.run()?;
    assert!(run.done, "the build can go on: {run:?}");
    assert!(run.text.contains("does not offer b3sum"), "{run:?}");
    assert_eq!(run.calls.len(), 3, "together, then one by one: {run:?}");

    machine.command("cc", "exit 1")?;
    machine.stand_in("dnf", "exit 1")?;
    assert!(!machine.run()?.done, "without a compiler it cannot");
    Ok(())
}

#[test]
fn a_system_without_package_manager_is_told_what_it_lacks() -> Result<()> {
    let machine = Machine::ready()?;
    machine.remove(&["rsync", "strace"])?;
    let run = machine.run()?;
    assert!(!run.done, "it cannot go on");
    assert!(run.text.contains("rsync strace"), "{run:?}");
    Ok(())
}

#[test]
fn without_cargo_rustup_is_fetched_and_run() -> Result<()> {
    let machine = Machine::ready()?;
    machine.remove(&["rustup", "cargo", "rustc"])?;
    machine.remove_toolchain()?;
    machine.serve_rustup()?;
    let run = machine.run()?;
    assert!(run.done, "{run:?}");
    let [curl, installer, toolchain] = run.calls.as_slice() else {
        panic!("three calls, found {run:?}");
    };
    assert!(curl.starts_with("curl --proto =https"), "{curl}");
    assert!(
        curl.ends_with("https://static.rust-lang.org/rustup/rustup-init.sh"),
        "{curl}"
    );
    assert_eq!(
        installer,
        "installer -y --no-modify-path --profile minimal --default-toolchain none"
    );
    assert_eq!(toolchain, TOOLCHAIN_CALL);
    Ok(())
}

#[test]
fn a_download_that_fails_stops_the_set_up() -> Result<()> {
    let machine = Machine::ready()?;
    machine.remove(&["rustup", "cargo", "rustc"])?;
    machine.stand_in("curl", "exit 22")?;
    assert!(!machine.run()?.done, "no half of a script is run");
    Ok(())
}

#[test]
fn the_pinned_toolchain_is_added_to_a_rustup_that_lacks_it() -> Result<()> {
    let machine = Machine::ready()?;
    machine.remove_toolchain()?;
    assert_eq!(machine.run()?.calls, [TOOLCHAIN_CALL], "one call");
    Ok(())
}

#[test]
fn a_compiler_of_the_system_is_used_if_it_is_new_enough() -> Result<()> {
    let rows = [
        ("1.90.0", 0),
        ("1.104.0-nightly", 0),
        ("2.0.0", 0),
        ("1.89.9", 3),
        ("1.63.0", 3),
    ];
    for (version, expected) in rows {
        let machine = Machine::ready()?;
        machine.remove(&["rustup"])?;
        machine.remove_toolchain()?;
        machine.command(
            "rustc",
            &format!("echo 'rustc {version} (a1b2c3 2026-01-01)'"),
        )?;
        machine.serve_rustup()?;
        let run = machine.run()?;
        assert!(run.done, "{version}: {run:?}");
        assert_eq!(run.calls.len(), expected, "{version}: {run:?}");
    }
    Ok(())
}

#[test]
fn node_is_asked_for_only_where_there_is_an_interface_to_build() -> Result<()> {
    let machine = Machine::ready()?;
    machine.command("node", "echo v18.19.0")?;
    machine.command("npm", "")?;
    assert!(machine.run()?.done, "no ui/, no Node");

    machine.write("tree/ui/package.json", "{}")?;
    machine.command("node", "echo v20.19.0")?;
    assert_eq!(machine.run()?.calls.len(), 0, "new enough");

    machine.remove(&["node", "npm"])?;
    machine.serve_node()?;
    let run = machine.run()?;
    assert!(run.done, "none at all: {run:?}");
    assert_eq!(run.calls.len(), 2, "{run:?}");
    Ok(())
}

#[test]
fn an_old_node_is_replaced_by_one_that_arrived_whole() -> Result<()> {
    let machine = Machine::ready()?;
    machine.write("tree/ui/package.json", "{}")?;
    machine.command("node", "echo v18.19.0")?;
    machine.command("npm", "")?;
    machine.serve_node()?;
    let run = machine.run()?;
    assert!(run.done, "{run:?}");
    assert_eq!(run.calls.len(), 2, "the archive and its checksum: {run:?}");
    assert!(
        machine.path("home/.local/bin/node").exists(),
        "linked where PATH finds it"
    );
    assert_eq!(
        machine.run()?.calls.len(),
        0,
        "a second time there is nothing to do"
    );

    fs::remove_file(machine.path("home/.local/bin/node"))?;
    let archive = machine.path("site/node-v22.20.0-linux-x64.tar.gz");
    fs::write(archive, "something else")?;
    let run = machine.run()?;
    assert!(!run.done, "a checksum that does not fit");
    assert!(run.text.contains("arrived damaged"), "{run:?}");
    Ok(())
}
