//! The command line of BitDust: the same node as the application's, without a window.
//!
//! Raw arguments (`args`) become checked settings (`settings`), which `commands` act on;
//! `output` is the one place that prints results.

mod args;
mod commands;
mod demo;
mod escape;
mod failure;
mod logs;
mod output;
mod progress;
mod report;
mod settings;
mod signals;
mod size;
mod terminal;
mod text;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Arguments;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::{Invocation, Task};

fn main() -> ExitCode {
    let is_json = asks_for_json();
    let warn = |sentence: &str| Output::new(false, true).note(sentence);
    let exit = bitdust_node::settle_environment(warn).map_or_else(
        |refusal| {
            let refusal = Failure::from(refusal);
            Output::new(is_json, true).failure(&refusal);
            refusal.exit()
        },
        |()| start(is_json),
    );
    exit.into()
}

fn start(is_json: bool) -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(refusal) => return refuse(&refusal, is_json),
    };
    let checked = Invocation::check(arguments);
    let verbose = checked.as_ref().is_ok_and(|invocation| invocation.verbose);
    let is_json = is_json || checked.as_ref().is_ok_and(|invocation| invocation.json);
    let output = Output::new(is_json, logs::is_wanted(verbose));
    let ended = checked.and_then(|invocation| {
        logs::start(matches!(invocation.task, Task::Daemon), verbose);
        run(invocation, output)
    });
    ended.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit()
    })
}

fn run(invocation: Invocation, output: Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("The program cannot start its threads", &error))?;
    let ended = runtime.block_on(Box::pin(commands::run(invocation, output)));
    // What is still blocking, such as a read from a terminal, must not hold up the end.
    runtime.shutdown_background();
    ended
}

/// Help and version are no failures; everything else that clap refuses is wrong usage.
fn refuse(refusal: &clap::Error, is_json: bool) -> Exit {
    let output = Output::new(is_json, true);
    if !refusal.use_stderr() {
        // Nothing is left to do if the terminal does not take it.
        let _ = refusal.print();
        return Exit::Done;
    }
    let text = refusal.render().to_string();
    if is_json {
        output.failure(&Failure::usage(
            text.trim_start_matches("error: ").trim_end(),
        ));
    } else {
        // Line by line, since it repeats what was typed, which may be any file's name.
        text.lines().for_each(|line| output.note(line));
    }
    Exit::Usage
}

/// Whether `--json` was given, for errors that happen before arguments are understood.
fn asks_for_json() -> bool {
    std::env::args_os()
        .take_while(|argument| argument != "--")
        .any(|argument| argument == "--json")
}
