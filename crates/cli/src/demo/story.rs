//! Tells the demo as it goes: numbered steps, what was measured, the time since the start.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::escape::escaped;
use crate::failure::Failure;
use crate::output::Output;

/// The teller.
#[derive(Debug)]
pub(super) struct Story {
    output: Output,
    started: Instant,
    step: u32,
}

impl Story {
    /// Starts the clock.
    pub(super) fn start(output: Output) -> Self {
        Self {
            output,
            started: Instant::now(),
            step: 0,
        }
    }

    /// The next step begins.
    pub(super) fn step(&mut self, text: &str) -> Result<(), Failure> {
        self.step += 1;
        self.tell("step", text)
    }

    /// Something worth knowing about the step.
    pub(super) fn detail(&self, text: &str) -> Result<(), Failure> {
        self.tell("detail", text)
    }

    /// Time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn tell(&self, event: &str, text: &str) -> Result<(), Failure> {
        let seconds = self.started.elapsed().as_secs_f64();
        let step = self.step;
        let object = json!({ "event": event, "step": step, "seconds": seconds, "text": text });
        self.output.result(&object, || {
            let text = escaped(text);
            if event == "step" {
                format!("[{seconds:6.1} s] {step:>2}. {text}\n")
            } else {
                format!("{:15}{text}\n", "")
            }
        })
    }
}
