//! No lock is shared: what changes has one owner, and is told by messages.
//!
//! Two rooms that share a lock know each other's state without any path that shows it. So a lock is
//! named only in the files that are listed here, each with what it guards; none lies in a wing.

use crate::tree::RustFile;

/// Types that let several threads change one thing.
const LOCKS: [&str; 4] = ["Condvar", "Mutex", "ReentrantMutex", "RwLock"];
/// Files that may name them, each with the reason.
const HOLDERS: [(&str, &str); 10] = [
    (
        "crates/cli/src/commands/home.rs",
        "the phase that was printed last, of one command",
    ),
    (
        "crates/net/src/buffers.rs",
        "idle buffers, held for a push or a pop",
    ),
    (
        "crates/node/src/shared/buffers.rs",
        "idle buffers, held for a push or a pop",
    ),
    (
        "crates/node/src/shared/job.rs",
        "what a job waits for: its task writes, whoever shows it reads",
    ),
    (
        "crates/pipeline/src/chunker/slabs.rs",
        "idle buffers of one chunker and its thread",
    ),
    (
        "crates/store/src/database.rs",
        "idle connections that read a database",
    ),
    (
        "crates/store/src/spool.rs",
        "what the spool holds, of one handle that is cloned",
    ),
    (
        "crates/store/src/supplier.rs",
        "shards that are being written, of one handle that is cloned",
    ),
    (
        "src-tauri/src/opening.rs",
        "how far the window has opened: events of the system come on any thread",
    ),
    (
        "src-tauri/src/tray.rs",
        "the words of the menu: events of the system come on any thread",
    ),
];

/// Locks in files that are not listed, and listed files without one.
#[must_use]
pub fn shared(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    let mut silent: Vec<&str> = HOLDERS.iter().map(|(path, _)| *path).collect();
    for rust in files.iter().filter(|rust| rust.is_product()) {
        let path = rust.file.path.as_str();
        for spot in rust.code.paths.iter().filter(|spot| !spot.is_test) {
            if !spot.path.split("::").any(|name| LOCKS.contains(&name)) {
                continue;
            }
            silent.retain(|holder| *holder != path);
            if !HOLDERS.iter().any(|(holder, _)| *holder == path) {
                offences.push(format!(
                    "{path}:{} {}: one owner, and messages to it",
                    spot.line, spot.path
                ));
            }
        }
    }
    offences.extend(silent.iter().map(|path| format!("{path} has no lock")));
    offences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::tree::{self, File};

    #[test]
    fn no_lock_is_shared() {
        assert_clean("locks", &shared(&tree::real_rust()));
    }

    #[test]
    fn a_lock_elsewhere_is_caught() {
        let wing = "crates/node/src/backup/scan.rs";
        let rows = [
            (wing, "use std::sync::{Arc, Mutex};", 1),
            (wing, "struct A { b: Arc<tokio::sync::RwLock<u8>> }", 1),
            (wing, "type A = parking_lot::Mutex<u8>;", 1),
            (wing, "#[cfg(test)] mod tests { use std::sync::Mutex; }", 0),
            (wing, "/// A Mutex.\nstruct A(Arc<AtomicU64>);", 0),
            (
                "crates/node/src/shared/context.rs",
                "struct A(Mutex<u8>);",
                1,
            ),
            ("crates/node/src/shared/job.rs", "struct A(Mutex<u8>);", 0),
            ("crates/x/tests/a.rs", "use std::sync::Mutex;", 0),
        ];
        for (path, text, expected) in rows {
            let files = tree::rust_files(&[File::new(path, text)]).expect("the twin is Rust");
            let offences = shared(&files);
            let is_holder = HOLDERS.iter().any(|(holder, _)| *holder == path);
            let silent = HOLDERS.len() - usize::from(is_holder);
            assert_eq!(
                offences.len(),
                expected + silent,
                "{path}: {text}: {offences:?}"
            );
        }
    }
}
