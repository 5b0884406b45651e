//! The program's two voices: sentences for people, or one JSON object for machines.
//!
//! Results go to standard output, everything on the way to standard error; with `--json`
//! all of it goes to standard output, one object a line. A reader that has left (`| head`)
//! is no error: the work goes on without it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

use crate::escape::escaped;
use crate::failure::Failure;

/// Where a command says what it has to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    plain_progress: bool,
}

impl Output {
    /// An output for people, or for machines with `json`. With `plain_progress` progress is
    /// told in lines even on a terminal, because log lines would break a bar.
    pub(crate) const fn new(json: bool, plain_progress: bool) -> Self {
        Self {
            json,
            plain_progress,
        }
    }

    /// Whether machines read.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Whether progress may be a bar that redraws itself.
    pub(crate) fn may_draw(self) -> bool {
        use std::io::IsTerminal as _;
        !self.json && !self.plain_progress && io::stderr().is_terminal()
    }

    /// A command's result: the object, or the text. The text ends with a line break unless empty.
    pub(crate) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.object(value)
        } else {
            self.text(&text())
        }
    }

    /// One JSON object on a line of its own.
    pub(crate) fn object(self, value: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_string(value).map_err(|error| {
            Failure::new(
                bitdust_model::ErrorCode::Internal,
                format!("A result could not be written as JSON: {error}."),
            )
        })?;
        line.push('\n');
        self.text(&line)
    }

    /// Text on standard output as it is. Whoever calls has escaped what came from outside.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        reader_may_leave(
            stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush()),
        )
    }

    /// A line for people on the way to the result; machines do not get it. Escapes it.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            let line = format!("{}\n", escaped(text));
            // Standard error is the last place to complain; if it is gone nobody listens.
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }

    /// The failure a command ends with.
    pub(crate) fn failure(self, failure: &Failure) {
        if !self.json {
            self.note(&format!("error: {}", failure.message));
            return;
        }
        // A failure to tell the failure has no other place to go; the exit code still tells.
        let _ = self.object(&failure_object(failure));
    }
}

/// The shape of every error: `{"error":{"code","message"}}`, with a job's report where one ended badly.
pub(crate) fn failure_object(failure: &Failure) -> serde_json::Value {
    let mut object =
        json!({ "error": { "code": failure.code.name(), "message": failure.message } });
    if let Some(report) = &failure.report {
        object["report"] = report.as_ref().clone();
    }
    object
}

fn reader_may_leave(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::io("The result could not be written", &error)),
    }
}

#[cfg(test)]
mod tests {
    use bitdust_model::ErrorCode;

    use super::*;

    #[test]
    fn an_error_has_a_code_and_a_message_and_nothing_else() {
        let failure = Failure::new(ErrorCode::QuotaExceeded, "There is no space left.");
        let object = failure_object(&failure);
        assert_eq!(
            object,
            json!({"error": {"code": "quota_exceeded", "message": "There is no space left."}})
        );
    }

    #[test]
    fn a_job_that_failed_carries_its_report_beside_the_error() {
        let mut failure = Failure::new(ErrorCode::Cancelled, "Stopped.");
        failure.report = Some(Box::new(json!({"outcome": "cancelled"})));
        let object = failure_object(&failure);
        assert_eq!(object["error"]["code"], "cancelled");
        assert_eq!(object["report"]["outcome"], "cancelled");
    }

    #[test]
    fn a_reader_that_left_is_no_error_but_a_full_disk_is() {
        assert!(reader_may_leave(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        let full = reader_may_leave(Err(io::ErrorKind::StorageFull.into()))
            .expect_err("a full disk is an error");
        assert_eq!(full.code, ErrorCode::DiskFull);
    }
}
