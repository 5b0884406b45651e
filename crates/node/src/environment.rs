//! What the program refuses to inherit, and what it needs to.
//!
//! `SSLKEYLOGFILE` makes TLS libraries write the secrets of every connection to a file, from
//! which anybody who recorded the traffic can read it. `MALLOC_MMAP_THRESHOLD_` makes the
//! allocator of glibc give large blocks back when they are freed; by default it keeps them,
//! and memory grows with what was ever in flight at once, to twice what is in use. A process
//! cannot change its own environment without `unsafe`, so it starts itself again.

use std::ffi::OsStr;
use std::process::Command;

use bitdust_model::ErrorCode;

use crate::error::NodeError;

/// The variable that makes TLS libraries write down their secrets.
const KEY_LOG_VARIABLE: &str = "SSLKEYLOGFILE";
/// The variable that says from which size on blocks are given back.
const LARGE_BLOCK_VARIABLE: &str = "MALLOC_MMAP_THRESHOLD_";
/// Smaller than packs and large chunks, larger than anything that is short-lived and many.
const LARGE_BLOCK_BYTES: &str = "1048576";

/// Returns at once when the environment is as it should be. Otherwise the program starts
/// again in place of this process; it returns only when that fails, and with the refusal to
/// run when secrets would be written down. `warn` gets a sentence for people before that.
pub fn settle_environment(warn: impl FnOnce(&str)) -> Result<(), NodeError> {
    let has_key_log = std::env::var_os(KEY_LOG_VARIABLE).is_some();
    let wants_blocks_back = cfg!(all(target_os = "linux", target_env = "gnu"))
        && std::env::var_os(LARGE_BLOCK_VARIABLE).is_none();
    if !has_key_log && !wants_blocks_back {
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
            command.args(arguments).env_remove(KEY_LOG_VARIABLE);
            if wants_blocks_back {
                command.env(LARGE_BLOCK_VARIABLE, LARGE_BLOCK_BYTES);
            }
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
