//! `backup`, `restore` and `verify`: jobs that are watched until they end.

use bitdust_api::call::Conflict;
use bitdust_api::{Answer, Call, Event, JobId, JobReport};
use bitdust_model::ErrorCode;
use bitdust_node::Connection;

use super::context::{Context, close, open};
use crate::escape::escaped;
use crate::failure::{Exit, Failure};
use crate::progress::JobDisplay;
use crate::report::{JobWords, report_exit, report_object, report_text};
use crate::signals::StopSignals;

const BACKUP: JobWords = JobWords {
    title: "Backing up",
    done: "Backed up",
    missed: "protected",
    safe: "What was stored before is as safe as it was; `bitdust backup` goes on from there.",
    advice: "Make them readable or leave them out with `bitdust folder add DIR --exclude PATTERN`, then back up again.",
};

const RESTORE: JobWords = JobWords {
    title: "Restoring",
    done: "Restored",
    missed: "restored",
    safe: "What is stored is untouched, and files that were restored are whole; the same command goes on from there.",
    advice: "The same command tries these again; they need more of your suppliers online.",
};

const VERIFY: JobWords = JobWords {
    title: "Testing a restore",
    done: "Tested",
    missed: "fetched whole",
    safe: "Nothing was changed; try again when more of your suppliers are online.",
    advice: "`bitdust status` tells which suppliers are away; `bitdust backup` stores again what is missing.",
};

pub(super) async fn backup(context: &Context, folders: Vec<String>) -> Result<Exit, Failure> {
    let mut connection = open(context).await?;
    let mut ended = watch(context, &mut connection, Call::Backup { folders }, &BACKUP).await;
    if let (Ok(_), false) = (&ended, context.output.is_json()) {
        ended = tell_health(context, &mut connection).await.and(ended);
    }
    close(connection, ended).await
}

pub(super) async fn restore(
    context: &Context,
    target: String,
    to: String,
    conflict: Conflict,
) -> Result<Exit, Failure> {
    run(
        context,
        Call::Restore {
            target,
            only: Vec::new(),
            to: Some(to),
            conflict,
        },
        &RESTORE,
    )
    .await
}

pub(super) async fn verify(context: &Context, sample: u32) -> Result<Exit, Failure> {
    run(context, Call::Verify { sample }, &VERIFY).await
}

async fn run(context: &Context, call: Call, words: &JobWords) -> Result<Exit, Failure> {
    let mut connection = open(context).await?;
    let ended = watch(context, &mut connection, call, words).await;
    close(connection, ended).await
}

/// Starts a job, shows how it goes, and tells how it ended. A first signal stops the job in
/// order, a second one ends the program.
async fn watch(
    context: &Context,
    connection: &mut Connection,
    call: Call,
    words: &JobWords,
) -> Result<Exit, Failure> {
    let mut signals = StopSignals::listen()?;
    let mut display = JobDisplay::start(context.output, words.title);
    let Answer::Job(job) = connection.call(call).await? else {
        return Err(Failure::odd_answer());
    };
    let report = follow(connection, job, &mut signals, &mut display).await?;
    let took = display.elapsed();
    display.finish();
    let object = report_object(&report, took);
    let exit = report_exit(&report, words, &object);
    if exit.is_ok() {
        context
            .output
            .result(&object, || report_text(&report, words, &object))?;
    } else if !context.output.is_json() {
        context.output.text(&report_text(&report, words, &object))?;
    }
    exit
}

async fn follow(
    connection: &mut Connection,
    job: JobId,
    signals: &mut StopSignals,
    display: &mut JobDisplay,
) -> Result<JobReport, Failure> {
    let mut is_stopping = false;
    loop {
        // Both waits may be dropped: neither an event nor a signal is lost by that.
        let event = tokio::select! {
            event = connection.event() => event,
            () = signals.received() => {
                if is_stopping {
                    return Err(Failure::new(ErrorCode::Cancelled, "Stopped at once. What was stored before is as safe as it was."));
                }
                is_stopping = true;
                display.note("Stopping in order; once more stops at once.");
                match connection.call(Call::Cancel { job }).await {
                    Ok(Answer::Done) => {}
                    Ok(_) => return Err(Failure::odd_answer()),
                    // It ended meanwhile; the event that says so is on its way.
                    Err(refusal) if refusal.code == ErrorCode::NotFound => {}
                    Err(refusal) => return Err(refusal.into()),
                }
                continue;
            }
        };
        match event {
            None => {
                return Err(Failure::new(
                    ErrorCode::Interrupted,
                    "The node stopped before the job was done. What was stored before is as safe as it was. \
                     Start it again, then try again.",
                ));
            }
            Some(Event::Ended { job: ended, report }) if ended == job => return Ok(*report),
            Some(Event::Progress { job: other, .. } | Event::Ended { job: other, .. })
                if other != job => {}
            Some(event) => display.event(&event)?,
        }
    }
}

/// After a backup: how well everything is kept now, in the node's own words.
async fn tell_health(context: &Context, connection: &mut Connection) -> Result<(), Failure> {
    let Answer::Status(view) = connection.call(Call::Status).await? else {
        return Err(Failure::odd_answer());
    };
    context
        .output
        .text(&format!("{}\n", escaped(&view.sentence)))
}
