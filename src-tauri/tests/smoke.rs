//! The built application starts on a screen that nobody sees, its host answers, and it quits.

#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn it_starts_answers_one_call_and_quits() {
    let ran = start(&["--smoke-test"], |_| {});
    let text = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{text}");
    assert!(text.contains("The host answers"), "{text}");
}

#[test]
fn a_home_that_cannot_be_used_fails_the_smoke_test() {
    let ran = start(&["--smoke-test"], |home| {
        std::fs::create_dir_all(home).expect("made");
        std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o700)).expect("set");
        std::fs::write(home.join("keys"), b"no keys").expect("written");
    });
    assert!(!ran.status.success(), "{ran:?}");
}

#[test]
fn words_that_are_not_understood_are_refused_before_any_window() {
    let ran = Command::new(env!("CARGO_BIN_EXE_bitdust-desktop"))
        .arg("--wipe-everything")
        .env_remove("DISPLAY")
        .output()
        .expect("it starts");
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
}

/// Runs the program on a screen, a bus and in folders of its own.
fn start(arguments: &[&str], prepare: impl FnOnce(&Path)) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    prepare(&home);
    let mut command = Command::new("xvfb-run");
    command.args(["-a", "dbus-run-session", "--"]);
    command.arg(env!("CARGO_BIN_EXE_bitdust-desktop"));
    command.arg("--home").arg(&home).args(arguments);
    command.env("HOME", folder.path());
    for (variable, name) in [
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).expect("made");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("set");
        command.env(variable, path);
    }
    command.output().expect("a screen can be started")
}
