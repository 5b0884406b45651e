//! What the program refuses to inherit, and what it needs to.
//!
//! `SSLKEYLOGFILE` makes TLS libraries write the secrets of every connection to a file, from
//! which anybody who recorded the traffic can read it. `MALLOC_MMAP_THRESHOLD_` makes the
//! allocator of glibc give large blocks back when they are freed; by default it keeps them,
//! and memory grows with what was ever in flight at once, to twice what is in use. But once it
//! is set, the ends of heaps are given back by 128 KiB, and taken again for the next frame of a
//! connection: `MALLOC_TRIM_THRESHOLD_` lets a little more stand there. A process cannot change
//! its own environment without `unsafe`, so it starts itself again.

use std::ffi::OsStr;
use std::process::Command;

use bitdust_model::ErrorCode;

use crate::shared::error::NodeError;

/// The variable that makes TLS libraries write down their secrets.
const KEY_LOG_VARIABLE: &str = "SSLKEYLOGFILE";
/// Variables of the allocator, in bytes: from which size on blocks are given back, smaller than
/// packs and large chunks and larger than anything that is short-lived and many; and how much
/// may stand free at the end of a heap, some dozens of frames.
const ALLOCATOR: [(&str, &str); 2] = [
    ("MALLOC_MMAP_THRESHOLD_", "1048576"),
    ("MALLOC_TRIM_THRESHOLD_", "4194304"),
];

/// Returns at once when the environment is as it should be. Otherwise the program starts
/// again in place of this process; it returns only when that fails, and with the refusal to
/// run when secrets would be written down. `warn` gets a sentence for people before that.
pub fn settle_environment(warn: impl FnOnce(&str)) -> Result<(), NodeError> {
    let has_key_log = std::env::var_os(KEY_LOG_VARIABLE).is_some();
    let is_glibc = cfg!(all(target_os = "linux", target_env = "gnu"));
    let missing: Vec<(&str, &str)> = ALLOCATOR
        .into_iter()
        .filter(|(variable, _)| is_glibc && std::env::var_os(variable).is_none())
        .collect();
    if !has_key_log && missing.is_empty() {
        return Ok(());
    }
    if has_key_log {
        warn(&format!(
            "{KEY_LOG_VARIABLE} is set: it would write the secrets of connections to a file. Going on without it."
        ));
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let reason = match std::env::current_exe() {
        Ok(program) => {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .env_remove(KEY_LOG_VARIABLE)
                .envs(missing);
            replace_process(command, &name)
        }
        Err(error) => error.to_string(),
    };
    if !has_key_log {
        // All that is missed is memory.
        return Ok(());
    }
    Err(NodeError::new(
        ErrorCode::NotAllowed,
        format!(
            "{KEY_LOG_VARIABLE} is set and could not be removed ({reason}). Nothing was done; unset it, then try again."
        ),
    ))
}

/// Returns only when it fails, with the reason.
#[cfg(unix)]
fn replace_process(mut command: Command, name: &OsStr) -> String {
    use std::os::unix::process::CommandExt as _;
    command.arg0(name).exec().to_string()
}

/// Returns only when it fails, with the reason.
#[cfg(not(unix))]
fn replace_process(mut command: Command, _name: &OsStr) -> String {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error.to_string(),
    }
}
