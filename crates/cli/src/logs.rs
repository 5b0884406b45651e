//! Log lines, on standard error, for whoever looks after a node.
//!
//! Only the daemon logs by itself; other commands do with `--verbose` or `BITDUST_LOG`.
//! Lines hold no names, contents or secrets of users: who logs sees to that.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// The variable that chooses what is logged, in the syntax of `tracing`'s filters.
pub(crate) const LOG_VARIABLE: &str = "BITDUST_LOG";

/// Whether any log lines may appear for a command that does not log by itself.
pub(crate) fn is_wanted(verbose: bool) -> bool {
    verbose || std::env::var_os(LOG_VARIABLE).is_some_and(|value| !value.is_empty())
}

/// Starts logging. The variable wins; then `--verbose`; then what the command does by itself.
pub(crate) fn start(is_daemon: bool, verbose: bool) {
    let fallback = match (verbose, is_daemon) {
        (true, _) => "warn,bitdust=debug",
        (false, true) => "warn,bitdust=info",
        (false, false) => "off",
    };
    let chosen = std::env::var(LOG_VARIABLE)
        .ok()
        .filter(|value| !value.is_empty());
    let filter = match chosen.as_deref().map(EnvFilter::try_new) {
        None => EnvFilter::new(fallback),
        Some(Ok(filter)) => filter,
        Some(Err(error)) => {
            eprintln!("{LOG_VARIABLE} is no filter ({error}); logging as without it.");
            EnvFilter::new(fallback)
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}
