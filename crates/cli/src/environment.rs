//! What the program refuses to inherit.
//!
//! `SSLKEYLOGFILE` makes TLS libraries write the secrets of every connection to a file, from
//! which anybody who recorded the traffic can read it. A process cannot take a variable out
//! of its own environment without `unsafe`, so it starts itself again without it.

use std::ffi::OsStr;
use std::process::Command;

use bitdust_model::ErrorCode;

use crate::failure::Failure;

/// The variable that makes TLS libraries write down their secrets.
pub(crate) const KEY_LOG_VARIABLE: &str = "SSLKEYLOGFILE";

/// Returns at once when the variable is not set. Otherwise the program starts again in place
/// of this process without it; it returns only with the refusal to run when that fails.
pub(crate) fn drop_key_log() -> Result<(), Failure> {
    if std::env::var_os(KEY_LOG_VARIABLE).is_none() {
        return Ok(());
    }
    eprintln!(
        "{KEY_LOG_VARIABLE} is set: it would write the secrets of connections to a file. Going on without it."
    );
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let reason = match std::env::current_exe() {
        Ok(program) => {
            let mut command = Command::new(program);
            command.args(arguments).env_remove(KEY_LOG_VARIABLE);
            replace_process(command, &name)
        }
        Err(error) => error.to_string(),
    };
    Err(Failure::new(
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
