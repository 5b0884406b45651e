//! The desktop application: a window over the node, which runs in this process or is joined
//! where it runs already.
//!
//! It decides nothing: what the window asks goes to the host or the node, what they tell goes
//! to the window. Without it the daemon and the command line work the same.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod commands;
mod notifications;
mod opening;
mod shell;
mod smoke;
mod telling;
mod tray;
mod window;

use std::process::ExitCode;
use std::time::Instant;

use tracing_subscriber::EnvFilter;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let started = Instant::now();
    if let Err(refusal) = bitdust_node::settle_environment(complain) {
        complain(&refusal.message);
        return ExitCode::FAILURE;
    }
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(refusal) => {
            complain(&refusal);
            return ExitCode::from(2);
        }
    };
    let filter = EnvFilter::try_from_env("BITDUST_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,bitdust=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match shell::run(arguments, started) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("The window cannot be opened: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// There may be no window yet to say it in.
fn complain(sentence: &str) {
    use std::io::Write as _;
    // Nobody may be reading; there is no other place to say it.
    let _ = writeln!(std::io::stderr(), "{sentence}");
}
