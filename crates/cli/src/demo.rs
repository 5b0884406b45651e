//! `demo`: a whole network of processes on this machine, from the first word to the last byte.
//!
//! It uses nothing but the program itself, run as child processes with homes of their own in
//! scope `loopback`, so it shows what a person would get. Invariant: however it ends, its
//! processes end with it, and its temporary folder goes unless it was asked to stay.

mod acts;
mod aftermath;
mod compare;
mod machine;
mod plan;
mod story;

use bitdust_model::ErrorCode;

use crate::escape::escaped_bytes;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::signals::StopSignals;

pub(crate) use plan::Plan;

/// Plays the whole story; cleans up after it also when it breaks off.
pub(crate) async fn run(output: Output, plan: Plan) -> Result<Exit, Failure> {
    let mut signals = StopSignals::listen()?;
    let folder = tempfile::Builder::new()
        .prefix("bitdust-demo-")
        .tempdir()
        .map_err(|error| Failure::io("The demo cannot make its temporary folder", &error))?;
    plan.check_apart(folder.path())?;

    let mut stage = acts::Stage::new(output, &plan, folder.path())?;
    let told = tokio::select! {
        told = stage.play() => told,
        () = signals.received() => Err(Failure::new(
            ErrorCode::Cancelled,
            "The demo was stopped. Its processes and files are removed; the folder it backed up is untouched.",
        )),
    };
    stage.stop_all().await;

    if plan.keep {
        let kept = folder.keep();
        output.note(&format!(
            "Everything is kept in {}",
            escaped_bytes(kept.as_os_str().as_encoded_bytes())
        ));
    } else if let Err(error) = folder.close() {
        output.note(&format!(
            "The temporary folder could not be removed whole: {error}"
        ));
    }
    told
}
