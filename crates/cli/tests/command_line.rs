//! The program as a shell sees it: exit codes, the two output streams, and what it refuses
//! before a home is opened. What needs a node is tested end to end elsewhere.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

/// Runs the program with pipes on all sides, in a home that is not there.
fn run(arguments: &[&str], input: &str) -> Ran {
    run_with(
        Command::new(env!("CARGO_BIN_EXE_bitdust")).args(arguments),
        input,
    )
}

fn run_with(command: &mut Command, input: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = command
        .env("BITDUST_HOME", folder.path().join("home"))
        .env_remove("BITDUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe was asked for");
    // A program that refuses early may have closed its end.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("the program ends");
    assert!(
        !folder.path().join("home").exists(),
        "wrong usage left a home behind"
    );
    Ran {
        exit: status.code().expect("no signal ended it"),
        stdout: String::from_utf8(stdout).expect("output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("output is UTF-8"),
    }
}

/// Lines that are refused, and the code machines get for it.
const REFUSED: &[(&[&str], &str)] = &[
    (&["frobnicate"], "bad_request"),
    (&["status", "--colour"], "bad_request"),
    (&["init"], "bad_request"),
    (
        &["init", "--nickname", "a", "--keys", "paper"],
        "bad_request",
    ),
    (
        &["init", "--nickname", "a", "--keys", "passphrase"],
        "bad_request",
    ),
    (&["init", "--nickname", ""], "bad_request"),
    (&["offer", "lots"], "bad_request"),
    (&["supplier", "hire", "many"], "bad_request"),
    (&["supplier", "hire", "0"], "bad_request"),
    (&["restore", "latest"], "bad_request"),
    (&["verify", "--sample", "0"], "bad_request"),
    (&["status", "--scope", "moon"], "bad_request"),
    (
        &["status", "--bootstrap", "example.org:4001"],
        "bad_request",
    ),
    (&["demo", "--lose", "5"], "bad_request"),
    (&["demo", "--code", "7/3"], "bad_request"),
    (
        &["demo", "--bootstrap", "/ip4/127.0.0.1/tcp/1"],
        "bad_request",
    ),
    (&["recover", "--keys", "file"], "bad_request"),
    (&["device", "revoke", "7f3a91c2"], "not_yet"),
    (&["supplier", "fire", "7f3a91c2"], "not_yet"),
    (&["simulate"], "not_yet"),
    (&["simulate", "--nodes", "1000"], "not_yet"),
];

#[test]
fn wrong_usage_and_later_releases_end_with_two_and_a_sentence() {
    for (line, _) in REFUSED {
        let ran = run(line, "");
        assert_eq!(ran.exit, 2, "{line:?} said {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{line:?} is no result");
        assert!(
            ran.stderr.starts_with("error: "),
            "{line:?} said {:?}",
            ran.stderr
        );
    }
}

#[test]
fn machines_get_one_object_with_a_code_and_a_message() {
    for (line, code) in REFUSED {
        let line: Vec<&str> = ["--json"].iter().chain(*line).copied().collect();
        let ran = run(&line, "");
        assert_eq!(ran.exit, 2, "{line:?}");
        assert_eq!(ran.stderr, "", "{line:?} spoke beside its result");
        assert_eq!(
            ran.stdout.lines().count(),
            1,
            "{line:?} printed {}",
            ran.stdout
        );
        let object: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
        assert_eq!(
            object.as_object().map(|fields| fields.len()),
            Some(1),
            "{object}"
        );
        assert_eq!(object["error"]["code"], *code, "{line:?} gave {object}");
        let message = object["error"]["message"].as_str().expect("a message");
        assert!(
            !message.is_empty() && !message.starts_with("error"),
            "{message:?}"
        );
    }
}

#[test]
fn no_words_at_all_print_the_help_and_end_with_two() {
    let ran = run(&[], "");
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("Usage: bitdust"), "{}", ran.stderr);
}

#[test]
fn help_and_version_are_results() {
    for line in [
        &["--help"][..],
        &["help", "restore"],
        &["folder", "add", "-h"],
    ] {
        let ran = run(line, "");
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{line:?}");
        assert!(ran.stdout.contains("Usage: bitdust"), "{}", ran.stdout);
    }
    let ran = run(&["--version"], "");
    assert_eq!(
        ran.stdout,
        format!("bitdust {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn what_is_piped_holds_no_control_characters() {
    let name_with_escape = "\u{1b}[31m\u{7}\u{202e}";
    let lines: &[&[&str]] = &[
        &["--help"],
        &["man"],
        &["completions", "bash"],
        &["offer", name_with_escape],
        &["folder", "add", name_with_escape],
        &["--json", "folder", "add", name_with_escape],
        &["status", "--passphrase-file", name_with_escape],
        &["frobnicate"],
        &["folder", "add", "a", name_with_escape],
    ];
    for line in lines {
        let ran = run(line, "");
        for text in [&ran.stdout, &ran.stderr] {
            let odd = text
                .chars()
                .find(|character| character.is_control() && !matches!(character, '\n' | '\t'));
            assert_eq!(odd, None, "{line:?} printed {text:?}");
        }
    }
}

#[test]
fn a_phrase_that_is_too_short_is_refused_with_its_number() {
    let ran = run(&["recover", "--keys", "file"], &"word ".repeat(23));
    assert_eq!(ran.exit, 2);
    assert!(
        ran.stderr
            .contains("24 words are needed on standard input, 23 came"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_folder_that_is_not_there_is_a_failure_and_no_wrong_usage() {
    let ran = run(&["--json", "folder", "add", "/no/such/folder"], "");
    assert_eq!(ran.exit, 1);
    let object: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(object["error"]["code"], "not_found");
}

#[test]
fn completions_and_manual_pages_are_made_by_the_program() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&["completions", shell], "");
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{shell}");
        assert!(
            ran.stdout.contains("snapshots"),
            "{shell} does not know all commands"
        );
    }
    let page = run(&["man"], "");
    assert_eq!(page.exit, 0);
    assert!(page.stdout.contains(".TH bitdust 1"), "{}", page.stdout);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let to = folder.path().to_str().expect("a temporary path is text");
    assert_eq!(run(&["man", "--to", to], "").exit, 0);
    assert!(folder.path().join("bitdust-supplier-hire.1").is_file());
}

#[test]
fn results_are_objects_for_machines() {
    let ran = run(&["--json", "completions", "fish"], "");
    let object: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(object["shell"], "fish");
    assert!(
        object["script"]
            .as_str()
            .is_some_and(|script| script.contains("bitdust"))
    );
}

/// Were the variable not removed, the program would start itself for ever.
#[cfg(unix)]
#[test]
fn a_key_log_is_never_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("keys");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitdust"));
    let ran = run_with(command.args(["--version"]).env("SSLKEYLOGFILE", &log), "");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stderr.matches("SSLKEYLOGFILE is set").count(),
        1,
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.starts_with("bitdust "), "{}", ran.stdout);
    assert!(!log.exists());
}
